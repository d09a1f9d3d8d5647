"""The section `[policy]`."""

from difflib import get_close_matches

from attrs import field, frozen
from attrs.validators import in_
from dockcaddy import SettingsSection

SCOPES = ("container", "project", "network", "prefix")
# the rules by name, those about Caddy's JSON included
RULE_HELP = {
    "environment": "`{env.*}` and `{$*}` with names of secrets only in directives that keep them secret: `tls`, `dns`, `acme_*`, "
    "`storage`, `basic_auth`",
    "dns-servers": "no server of a DNS provider that only the label names: it would get the token",
    "files": "`{file.*}` only in the same directives as secret variables",
    "expressions": "no expression that reads a placeholder by its name, or by a name from the request",
    "imports": "`import` only of snippets and of files in the base Caddyfile's folder",
    "admin": "no global option `admin` or `persist_config`",
    "upstreams": "no upstream that is the admin API or an engine's socket, or that a request could turn into one",
    "urls": "no URL of the admin API, or of a server that a request could choose",
    "listeners": "no listener on the admin API's port; `bind` only with sockets (`unix//run/x.sock`)",
    "log-files": "logs only in `/var/log`; a site's log also in a folder `logs` or a file `*.log` outside Caddy's folders",
    "log-hosts": "no `hostnames` of other sites in a site's log",
    "roots": "no `root` or `file_server` in folders of Caddy, dockcaddy or the system",
    "chosen-roots": "no `root` whose folder a request can choose; `{host}` only in sites with a host name",
    "storage": "no `storage` for certificates and keys outside Caddy's folders",
    "templates": "no `templates`, and no template for `browse`: they can read Caddy's environment and files",
    "programs": "no directive that runs programs: `exec`, `cgi`, `events`, `frankenphp`, `supervisor`",
    "global-options": "no global option that could stop other sites, except in labels of Caddy's container",
    "shared-options": "no change of HTTP ports, `auto_https` or the order of Caddy's directives, except by labels of Caddy's "
    "container",
    "modules": "only modules and fields of the table, and the `modules` of the settings",
}


def _check_allowed(settings: "PolicySettings", attribute: object, entries: tuple[str, ...]) -> None:
    for entry in entries:
        rule, at, scope = entry.rpartition("@")
        kind, colon, _ = scope.partition(":")
        if not at and not colon:
            rule, kind = scope, SCOPES[0]
        if rule and rule not in RULE_HELP:
            close = get_close_matches(rule, RULE_HELP, n=1, cutoff=0.75)
            hint = f'did you mean "{close[0]}"' if close else f"there are {', '.join(RULE_HELP)}"
            raise ValueError(f'allow: no rule "{rule}", {hint}')
        if kind not in SCOPES:
            scopes = ", ".join(SCOPES)
            raise ValueError(f'allow: "{entry}": expected RULE, SCOPE:NAME or RULE@SCOPE:NAME, scopes are {scopes}')


@frozen
class PolicySettings:
    """The section `[policy]`."""

    trust: str = field(
        default="limited",
        validator=in_(("limited", "all")),
        metadata={"help": "limited applies the rules to labels, all allows everything, as caddy-docker-proxy does"},
    )
    environment: str = field(
        default="guarded",
        validator=in_(("guarded", "none", "all")),
        metadata={
            "help": "variables in labels: guarded allows those with names of secrets only where Caddy keeps them secret, "
            "none allows no variables, all allows all everywhere"
        },
    )
    secrets: tuple[str, ...] = field(
        default=(),
        metadata={"help": "additional words in names of secret variables, or patterns of whole names (ACME_*)"},
    )
    allow: tuple[str, ...] = field(
        default=(),
        validator=_check_allowed,
        metadata={
            "help": "exceptions from the rules: RULE, SCOPE:NAME or RULE@SCOPE:NAME; scopes: container, project, network, prefix"
        },
    )
    modules: tuple[str, ...] = field(
        default=(),
        metadata={"help": "additional modules of Caddy that labels may use, or patterns (http.handlers.*)"},
    )


SECTION = SettingsSection("policy", PolicySettings)
