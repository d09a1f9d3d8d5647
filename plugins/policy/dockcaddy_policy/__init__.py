"""Labels are not trusted with the proxy's own secrets: rules over what they may say.

Whoever may start a container must not thereby read the environment or the files of dockcaddy and Caddy, nor reach
Caddy's admin API.

Names, projects, networks and label prefixes are what a container says of itself: an exception by one of them is for
people who keep to theirs. What your own base Caddyfile lends out is yours to judge, as a snippet whose argument becomes
a `root`. And a file server follows symbolic links out of its folder.

An ACME server tells Caddy whom to ask next: one that a label names could have Caddy ask its own admin API to stop it.
With `admin = "off"` the API is a private socket, where nothing of the kind arrives. A Caddy that was there before us
serves the folder it was started in to whoever says `file_server` without a `root`: start it in an empty one.
"""

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

import dockcaddy
from attrs import field, frozen
from attrs.validators import in_
from dockcaddy import Block, Context, Guard, LabelError, Resource, SettingsSection

from dockcaddy_policy.lines import Line, lines_of
from dockcaddy_policy.rules import ANY, RULES, Rule

SCOPES = ("container", "project", "network", "prefix")
_PROJECT_LABELS = ("com.docker.compose.project", "com.docker.stack.namespace")


def _check_allowed(settings: "PolicySettings", attribute: object, entries: tuple[str, ...]) -> None:
    names = [rule.name for rule in RULES]
    for entry in entries:
        rule, at, scope = entry.rpartition("@")
        kind, colon, _ = scope.partition(":")
        if not at and not colon:
            rule, kind = scope, SCOPES[0]
        if rule and rule not in names:
            close = get_close_matches(rule, names, n=1)
            raise ValueError(f'allow: no rule "{rule}"' + (f', did you mean "{close[0]}"' if close else ""))
        if kind not in SCOPES:
            raise ValueError(f'allow: "{entry}": expected RULE, SCOPE:NAME or RULE@SCOPE:NAME, scopes {SCOPES}')


@frozen
class PolicySettings:
    """The section `[policy]`."""

    trust: str = field(
        default="limited",
        validator=in_(("limited", "all")),
        metadata={
            "help": "limited holds labels to the rules, all lets them say everything, as caddy-docker-proxy does"
        },
    )
    allow: tuple[str, ...] = field(
        default=(),
        validator=_check_allowed,
        metadata={
            "help": "exceptions: RULE, SCOPE:NAME or RULE@SCOPE:NAME; scopes container, project, network, prefix"
        },
    )


@dockcaddy.hook
def dockcaddy_settings() -> SettingsSection:
    """The section `[policy]`."""
    return SettingsSection("policy", PolicySettings)


@dockcaddy.hook
def dockcaddy_guards() -> Iterable[Guard]:
    """One guard that holds the blocks to the rules, one for what is only kept from Caddy."""
    withholding = [rule for rule in RULES if rule.withholds]
    return [
        Guard("policy", _check_of([rule for rule in RULES if not rule.withholds])),
        Guard("policy-live", _check_of(withholding), withholds=True),
    ]


def _check_of(rules: Sequence[Rule]) -> Callable[[Context, tuple[Block, ...]], None]:
    about = {name: tuple(rule for rule in rules if name in rule.about) for rule in rules for name in rule.about}
    about_all = about.get(ANY, ())

    def check(context: Context, blocks: tuple[Block, ...]) -> None:
        settings = context.settings(PolicySettings)
        if settings.trust == "all":
            return
        for line in lines_of(blocks, about):
            applying = about.get(line.name, ()) if not line.is_data else ()
            for rule in (*about_all, *applying) if about_all and _is_suspicious(line) else applying:
                reason = rule.reason(line, context)
                if reason and not _is_allowed(rule, line, context.resource, settings.allow):
                    raise LabelError(line.label, _refusal(rule, reason, context.resource))

    return check


def _is_suspicious(line: Line) -> bool:
    """Whether the rules about any line can have something to say; most lines hold none of these."""
    return not line.continues and any("{" in token or "(" in token or "://" in token for token in line.tokens)


def _refusal(rule: Rule, reason: str, resource: Resource) -> str:
    return f'policy: {reason}; to allow it: [policy] allow = ["{rule.name}@container:{resource.name}"]'


def _is_allowed(rule: Rule, line: Line, resource: Resource, allow: tuple[str, ...]) -> bool:
    for entry in allow:
        named, at, scope = entry.rpartition("@")
        if not at and ":" not in scope:
            named, scope = scope, ""
        if named in ("", rule.name) and (not scope or _is_within(scope, line, resource)):
            return True
    return False


def _is_within(scope: str, line: Line, resource: Resource) -> bool:
    kind, _, pattern = scope.partition(":")
    names: Iterable[str]
    if kind == "container":
        names = (resource.name,)
    elif kind == "project":
        names = [resource.labels[label] for label in _PROJECT_LABELS if label in resource.labels]
    elif kind == "network":
        names = [attachment.network for attachment in resource.attachments]
    else:
        return line.label.startswith(pattern)
    return any(fnmatchcase(name, pattern) for name in names)
