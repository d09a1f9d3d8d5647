"""The section `[policy]`."""

from difflib import get_close_matches

from attrs import field, frozen
from attrs.validators import in_
from dockcaddy import SettingsSection

SCOPES = ("container", "project", "network", "prefix")
# the names of the rules; a tuple that `rules` checks itself against
RULE_NAMES = (
    "environment",
    "dns-servers",
    "files",
    "expressions",
    "imports",
    "admin",
    "upstreams",
    "urls",
    "listeners",
    "log-files",
    "log-hosts",
    "roots",
    "chosen-roots",
    "storage",
    "templates",
    "programs",
    "global-options",
    "shared-options",
    "modules",
)


def _check_allowed(settings: "PolicySettings", attribute: object, entries: tuple[str, ...]) -> None:
    for entry in entries:
        rule, at, scope = entry.rpartition("@")
        kind, colon, _ = scope.partition(":")
        if not at and not colon:
            rule, kind = scope, SCOPES[0]
        if rule and rule not in RULE_NAMES:
            close = get_close_matches(rule, RULE_NAMES, n=1, cutoff=0.75)
            hint = f'did you mean "{close[0]}"' if close else f"there are {', '.join(RULE_NAMES)}"
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
