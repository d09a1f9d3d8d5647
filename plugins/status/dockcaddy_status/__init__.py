"""The status over HTTP: the API, server-sent events and metrics, at a unix socket and, if wanted, at a TCP port."""

from collections.abc import Iterable

import dockcaddy
from attrs import field, frozen
from dockcaddy import Context, Label, LabelTransformer, ServiceContext, ServiceType, SettingsSection, Stage

from dockcaddy_status.label import with_status
from dockcaddy_status.service import StatusService
from dockcaddy_status.tokens import is_loopback, token_of


@frozen
class StatusSettings:
    """The section `[status]`."""

    socket: bool = field(default=True, metadata={"help": "serve the status at status.sock in the state directory"})
    token: str = field(
        default="", metadata={"help": "token that --status-listen asks for; better in a file"}, repr=False
    )
    token_file: str = field(default="", metadata={"help": "file of that token"})


@dockcaddy.hook
def dockcaddy_settings() -> SettingsSection:
    """The section `[status]`."""
    return SettingsSection("status", StatusSettings)


@dockcaddy.hook
def dockcaddy_label_transformers() -> Iterable[LabelTransformer]:
    """The site of the status, if a label of dockcaddy's own container wants one."""
    return [LabelTransformer("status-site", status_site, Stage.RAW)]


def status_site(context: Context, labels: tuple[Label, ...]) -> Iterable[Label]:
    """The labels, with the proxy of the site that `caddy_status` names on dockcaddy's own container."""
    return with_status(context, labels, has_socket=context.settings(StatusSettings).socket)


@dockcaddy.hook
def dockcaddy_services() -> Iterable[ServiceType]:
    """The service that listens."""
    return [ServiceType("status", service)]


def service(context: ServiceContext) -> StatusService:
    """The service, with the sockets that the settings want. Raises a DockcaddyError without the token that is needed."""
    settings: StatusSettings = context.settings(StatusSettings)
    listen = context.proxy.status_listen
    token = token_of(settings.token, settings.token_file)
    if listen and not token and not is_loopback(listen):
        raise dockcaddy.DockcaddyError(
            f"--status-listen {listen} is no loopback address and there is no token: set status.token_file, or listen at 127.0.0.1"
        )
    socket = context.proxy.status_socket if settings.socket else ""
    return StatusService(context.status, socket, listen, token)
