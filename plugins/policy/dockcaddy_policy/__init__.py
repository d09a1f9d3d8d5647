"""Rules that keep labels away from the proxy's secrets.

Permission to start a container must not give access to the environment and files of dockcaddy and Caddy, or to Caddy's
admin API.

Caddy adapts all labels, and what it makes of them is compared with a table of what labels may produce: which modules of
Caddy, which of their fields, with which values. A few rules are about the text of labels, because Caddy fills in variables
and imports files while it adapts. No output gets labels that were not checked: where there is no Caddy to ask, nothing is
written.

Labels may contain variables of Caddy's environment, unless their names look like secrets: TOKEN, SECRET, KEY, PASS, PWD,
CREDENTIAL, PRIVATE, COOKIE, SESSION, DSN, HASH and similar ones, or one of `secrets`. Secret variables and files of secrets
(`{file./run/secrets/token}`) are allowed only in directives that keep them secret.
`environment = "none"` allows no variables and no files, `environment = "all"` allows every variable everywhere.

No rule applies to the labels of the container that Caddy runs in, because the operator starts it. This is dockcaddy's own
container, the one at `--caddy-admin`, or the one named by `--caddy-container`.

Limits of these rules:

- A container chooses its own name, project, networks and label prefix. Allow rules by one of these only if nobody uses the
  name, project, network or prefix of somebody else.
- Who imports a snippet of your base Caddyfile is checked for what it becomes, the snippet itself is not.
- A Caddyfile that `--output caddyfile=` writes is checked with the variables of the Caddy that adapts it here. Where another Caddy
  has other values, a label may choose one of these. `render --raw` prints labels that were compared with no table.
- A file server follows symbolic links out of its folder.
- An ACME server tells Caddy which URL to call next. A server that a label names could make Caddy call its own admin API and
  stop itself. With `admin = "off"` the API is a private socket, which is safe from this.
- A Caddy that somebody else runs serves its working directory for `file_server` without a `root`: start it in an empty folder.
"""

from collections.abc import Callable, Iterable, Sequence

import dockcaddy
from dockcaddy import AdmissionRule, Block, Context, DocumentRule, LabelError, SettingsSection

from dockcaddy_policy.allowing import is_allowed, is_exempt, refusal
from dockcaddy_policy.document import check, find
from dockcaddy_policy.lines import is_suspicious, lines_of
from dockcaddy_policy.rules import ANY, RULES, Rule
from dockcaddy_policy.settings import SECTION, PolicySettings

__all__ = ["RULES", "PolicySettings", "dockcaddy_admission_rules", "dockcaddy_settings"]


@dockcaddy.hook
def dockcaddy_settings() -> SettingsSection:
    """The section `[policy]`."""
    return SECTION


@dockcaddy.hook
def dockcaddy_admission_rules() -> Iterable[AdmissionRule]:
    """Two admission rules: `render --raw` still prints the labels that `policy-live` refuses."""
    return [
        AdmissionRule("policy", _check_by([rule for rule in RULES if not rule.shows_refused])),
        AdmissionRule("policy-live", _check_by([rule for rule in RULES if rule.shows_refused]), shows_refused=True),
    ]


@dockcaddy.hook
def dockcaddy_document_rules() -> Iterable[DocumentRule]:
    """The table of what labels may produce."""
    return [DocumentRule("policy", find, check, lambda context: context.settings(PolicySettings).trust != "all")]


def _check_by(rules: Sequence[Rule]) -> Callable[[Context, tuple[Block, ...]], None]:
    """A check of each line of blocks by the rules for its name. It raises LabelError at the first refused line."""
    about = {name: tuple(rule for rule in rules if name in rule.about) for rule in rules for name in rule.about}
    about_all = about.pop(ANY, ())
    names = frozenset(about)

    def check_text(context: Context, blocks: tuple[Block, ...]) -> None:
        settings = context.settings(PolicySettings)
        if settings.trust == "all" or is_exempt(context):
            return
        for line in lines_of(blocks, names, every=bool(about_all)):
            applying = about.get(line.name, ()) if not line.is_data else ()
            is_for_all = about_all and not line.continues and any(map(is_suspicious, line.tokens))
            for rule in (*about_all, *applying) if is_for_all else applying:
                reason = rule.reason(line, context)
                if reason and not is_allowed(rule.name, line.label, context.resource, settings.allow):
                    raise LabelError(line.label, refusal(rule.name, reason, context.resource))

    return check_text
