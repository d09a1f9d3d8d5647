"""The engines that the settings name."""

import os
from pathlib import Path

from dockcaddy.engine import Connection, Engine
from dockcaddy.engine.records import EngineOptions
from dockcaddy.errors import SettingsError
from dockcaddy.settings.constraint import Constraint
from dockcaddy.settings.endpoints import check_engine
from dockcaddy.settings.table import Settings


def options_for(settings: Settings) -> EngineOptions:
    """What the settings say about resources and their addresses."""
    return EngineOptions(
        settings.label_prefix,
        settings.ingress_networks,
        settings.scan_stopped_containers,
        settings.proxy_service_tasks,
        settings.scan_one_off_containers,
        Constraint.parse(settings.constraint),
    )


def engines_for(settings: Settings) -> list[Engine]:
    """The engines that the settings name; the environment's where they name none. Raises SettingsError."""
    sockets = settings.docker_sockets or ("",)
    _check_endpoints(settings)

    def item(values: tuple[str, ...], place: int) -> str:
        return values[place] if place < len(values) else ""

    return [
        Engine(
            Connection(socket, item(settings.docker_certs_path, place), item(settings.docker_apis_version, place)),
            options_for(settings),
            "local" if len(sockets) == 1 else socket or f"engine-{place}",
        )
        for place, socket in enumerate(sockets)
    ]


def _check_endpoints(settings: Settings) -> None:
    """Raises SettingsError for an address that cannot be an engine, instead of waiting for it to answer."""
    urls = {f"--docker-sockets {url}": url for url in settings.docker_sockets}
    if not all(settings.docker_sockets or ("",)):
        host = os.environ.get("DOCKER_HOST", "")
        urls[f"environment variable DOCKER_HOST={host}"] = host
    for named, url in urls.items():
        try:
            check_engine(url)
        except ValueError as error:
            raise SettingsError(f"{named}: {error}") from None
    folders = {f"--docker-certs-path {folder}": folder for folder in settings.docker_certs_path if folder}
    for named, folder in folders.items():
        missing = [name for name in ("ca.pem", "cert.pem", "key.pem") if not Path(folder, name).is_file()]
        if missing:
            raise SettingsError(f"{named}: {', '.join(missing)} not found there")
