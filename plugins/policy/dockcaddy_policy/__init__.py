"""Rules that keep labels away from the proxy's secrets.

Permission to start a container must not give access to the environment and files of dockcaddy and Caddy, or to Caddy's
admin API.

Labels may contain variables of Caddy's environment, unless their names look like secrets: TOKEN, SECRET, KEY, PASS, PWD,
CREDENTIAL, PRIVATE, COOKIE, SESSION, DSN, HASH and similar ones, or one of `secrets`. Secret variables and files of secrets
(`{file./run/secrets/token}`) are allowed only in directives that keep them secret.
`environment = "none"` allows no variables and no files, `environment = "all"` allows every variable everywhere.

No rule applies to the labels of the container that Caddy runs in, because the operator starts it. This is dockcaddy's own
container, the one at `--caddy-admin`, or the one named by `--caddy-container`.

Limits of these rules:

- A container chooses its own name, project, networks and label prefix. Allow rules by one of these only if nobody uses the
  name, project, network or prefix of somebody else.
- Snippets of your base Caddyfile are not checked. A snippet whose argument becomes a `root` gives labels access to any folder.
- A file server follows symbolic links out of its folder.
- An ACME server tells Caddy which URL to call next. A server that a label names could make Caddy call its own admin API and
  stop itself. With `admin = "off"` the API is a private socket, which is safe from this.
- A Caddy that somebody else runs serves its working directory for `file_server` without a `root`: start it in an empty folder.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

import dockcaddy
from dockcaddy import AdmissionRule, Block, Context, LabelError, Resource, SettingsSection

from dockcaddy_policy.lines import Line, lines_of
from dockcaddy_policy.readings import has_variables, with_values, without_values
from dockcaddy_policy.rules import ANY, RULES, Rule
from dockcaddy_policy.settings import SECTION, PolicySettings

__all__ = ["RULES", "PolicySettings", "dockcaddy_admission_rules", "dockcaddy_settings"]

# rules for options that are common in the labels of Caddy's own container: their messages mention --caddy-container
_COMMON_IN_CADDYS_CONTAINER = ("admin", "upstreams", "templates", "global-options", "shared-options")
ByName = Mapping[str, tuple[Rule, ...]]

_PROJECT_LABELS = ("com.docker.compose.project", "com.docker.stack.namespace")


@dockcaddy.hook
def dockcaddy_settings() -> SettingsSection:
    """The section `[policy]`."""
    return SECTION


@dockcaddy.hook
def dockcaddy_admission_rules() -> Iterable[AdmissionRule]:
    """Two admission rules: `render --raw` still prints the labels that `policy-live` refuses."""
    shown = [rule for rule in RULES if rule.shows_refused]
    return [
        AdmissionRule("policy", _check_of([rule for rule in RULES if not rule.shows_refused])),
        AdmissionRule("policy-live", _check_of(shown), shows_refused=True),
    ]


def _check_of(rules: Sequence[Rule]) -> Callable[[Context, tuple[Block, ...]], None]:
    as_written = _by_name([rule for rule in rules if rule.as_written])
    of_values = _by_name([rule for rule in rules if not rule.as_written])
    every = _by_name(rules)

    def check(context: Context, blocks: tuple[Block, ...]) -> None:
        settings = context.settings(PolicySettings)
        if settings.trust == "all" or _is_exempt(context):
            return
        if not has_variables(blocks):
            _check_lines(blocks, every, context, settings.allow)
            return
        _check_lines(blocks, as_written, context, settings.allow)
        _check_lines(with_values(blocks, settings.secrets), of_values, context, settings.allow)
        for reading in without_values(blocks, settings.secrets):
            _check_lines(reading, every, context, settings.allow)

    return check


def _by_name(rules: Sequence[Rule]) -> ByName:
    return {name: tuple(rule for rule in rules if name in rule.about) for rule in rules for name in rule.about}


def _check_lines(blocks: tuple[Block, ...], about: ByName, context: Context, allow: tuple[str, ...]) -> None:
    """Check each line of the blocks against the rules for its name. Raises LabelError at the first refused line."""
    about_all = about.get(ANY, ())
    for line in lines_of(blocks, about):
        applying = about.get(line.name, ()) if not line.is_data else ()
        for rule in (*about_all, *applying) if about_all and _is_suspicious(line) else applying:
            reason = rule.reason(line, context)
            if reason and not _is_allowed(rule, line, context.resource, allow):
                raise LabelError(line.label, _refusal(rule, reason, context.resource))


def _is_exempt(context: Context) -> bool:
    """Whether the resource is the container that Caddy runs in, or otherwise belongs to the operator."""
    caddy, resource = context.engine.caddy, context.resource
    return resource.id in context.engine.operators or (caddy is not None and caddy.id == resource.id)


def _is_suspicious(line: Line) -> bool:
    """Whether the rules for every line could refuse this one. Most lines contain none of these characters."""
    return not line.continues and any("{" in token or "(" in token or "://" in token for token in line.tokens)


def _refusal(rule: Rule, reason: str, resource: Resource) -> str:
    is_caddys = rule.name in _COMMON_IN_CADDYS_CONTAINER
    named = f"where Caddy runs in it: --caddy-container {resource.name}; " if is_caddys else ""
    return f'policy: {reason}; {named}to allow it: [policy] allow = ["{rule.name}@container:{resource.name}"]'


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
