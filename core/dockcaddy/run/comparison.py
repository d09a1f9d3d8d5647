"""What caddy-docker-proxy would have made of the same labels, and why dockcaddy makes something else.

Ours is reached from caddy-docker-proxy's way in steps, each of which is a row of docs/differences-from-cdp.md: the sites whose
text a step changes differ because of it. Nothing is adapted: what Caddy refuses is no difference.
"""

import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

from attrs import evolve, frozen

from dockcaddy import caddyfile
from dockcaddy.caddyfile import Block, all_blocks
from dockcaddy.compile import labels
from dockcaddy.errors import LabelError, one_line
from dockcaddy.hookspecs import Context
from dockcaddy.model import Inventory, Problem, Resource
from dockcaddy.reconcile.pipeline import BaseCaddyfile, Pipeline
from dockcaddy.run.composition import pipeline_for
from dockcaddy.run.environment import Environment
from dockcaddy.run.preview import Candidate
from dockcaddy.settings.table import Settings

# all functions of sprig's TxtFuncMap, and caddy-docker-proxy's own
_FUNCTIONS = """
    abbrev abbrevboth add add1 add1f addf adler32sum ago all any append atoi b32dec b32enc b64dec b64enc base bcrypt
    biggest buildCustomCert camelcase cat ceil chunk clean coalesce compact concat contains date dateInZone dateModify
    date_in_zone date_modify decryptAES deepCopy deepEqual default derivePassword dict dig dir div divf duration
    durationRound empty encryptAES env expandenv ext fail first float64 floor fromJson genCA genCAWithKey genPrivateKey
    genSelfSignedCert genSelfSignedCertWithKey genSignedCert genSignedCertWithKey get getHostByName h2c has hasKey
    hasPrefix hasSuffix hello htmlDate htmlDateInZone htpasswd http https indent initial initials int int64 isAbs join
    kebabcase keys kindIs kindOf last list lower max maxf merge mergeOverwrite min minf mod mul mulf mustAppend
    mustChunk mustCompact mustDateModify mustDeepCopy mustFirst mustFromJson mustHas mustInitial mustLast mustMerge
    mustMergeOverwrite mustPrepend mustPush mustRegexFind mustRegexFindAll mustRegexMatch mustRegexReplaceAll
    mustRegexReplaceAllLiteral mustRegexSplit mustRest mustReverse mustSlice mustToDate mustToJson mustToPrettyJson
    mustToRawJson mustUniq mustWithout must_date_modify nindent nospace now omit osBase osClean osDir osExt osIsAbs
    pick pluck plural prepend push quote randAlpha randAlphaNum randAscii randBytes randInt randNumeric regexFind
    regexFindAll regexMatch regexQuoteMeta regexReplaceAll regexReplaceAllLiteral regexSplit repeat replace rest reverse
    round semver semverCompare seq set sha1sum sha256sum sha512sum shuffle slice snakecase sortAlpha split splitList
    splitn squote sub subf substr swapcase ternary title toDate toDecimal toJson toPrettyJson toRawJson toString
    toStrings trim trimAll trimPrefix trimSuffix trimall trunc tuple typeIs typeIsLike typeOf uniq unixEpoch unset until
    untilStep untitle upper upstreams urlJoin urlParse uuidv4 values without wrap wrapWith
"""
FUNCTIONS = frozenset(_FUNCTIONS.split())
_ENVIRONMENT = re.compile(r"\{\{[^}]*\b(?:env|expandenv)\b")
_EMPTY_PART = re.compile(r"\.(?:\.|\Z)")


@frozen
class Reason:
    """Why something differs: what caddy-docker-proxy does, and the setting that restores it, `""` if none does."""

    peer: str
    restored: str = ""

    def __str__(self) -> str:
        """`caddy-docker-proxy ... (restored by ...)`."""
        return f"caddy-docker-proxy {self.peer}" + (f" (restored by {self.restored})" if self.restored else "")


CRASH = Reason("ends on a key with an empty part, and serves nothing")
BRACE = Reason(
    "writes a brace in a value without quotes: it cannot read its own file, and serves nothing or drops sites"
)
BARE = Reason("writes a site without directives without braces: Caddy refuses the sites after it, and they are dropped")
EMPTY = Reason("loses an empty argument")
WRITTEN = Reason("writes a value so that Caddy refuses it or reads something else")
ENVIRONMENT = Reason("reads its own environment with env and expandenv, dockcaddy the container's")
ONE_OFFS = Reason("also serves containers of docker compose run", "--scan-one-off-containers")
ADDRESSES = Reason("lists a container once for each ingress network", "--upstream-addresses all")
BORROWED = Reason("writes no upstream for a container with the network of the host or of another container")
PORTS = Reason("writes no port where one is exposed", "[upstreams] detect_ports = false")
UPSTREAMS = Reason(
    "writes IPv6 addresses without brackets, takes a port in quotes for a scheme, and keeps paused containers"
)
IDIOM = Reason("leaves values as they are that Caddy refuses or misreads, see docs/idioms.md", "[idioms] off")
NAMES = Reason("cuts _N off the names of matchers, header fields, users and variables", "[labels] suffix_names = true")
ORDER = Reason("sorts the directives in a route alphabetically", '[labels] route_order = "alphabetical"')
MERGED = Reason("compares addresses and lines as text when it merges resources")
PLUGIN = Reason("has no plugins, one of which changes the site here")


@frozen
class Difference:
    """A site or a resource that differs, the two texts of a site (`""` where there is none), and the reasons."""

    subject: str
    reasons: tuple[Reason, ...]
    peer: str = ""
    ours: str = ""


@frozen
class Way:
    """How a configuration is made; the defaults are caddy-docker-proxy's way."""

    has_peers_inventory: bool = True
    has_own_functions: bool = False
    has_transformers: bool = False
    suffix_names: bool = True
    route_order: str = "alphabetical"
    is_merged_as_text: bool = True
    is_written_bare: bool = True


@frozen
class Made:
    """The blocks and texts of a configuration by site, in their order, and the errors of its resources."""

    blocks: Mapping[Hashable, tuple[Block, ...]]
    texts: Mapping[Hashable, str]
    problems: tuple[Problem, ...] = ()

    @classmethod
    def of(cls, blocks: Sequence[Block], write: Callable[..., str], problems: tuple[Problem, ...] = ()) -> "Made":
        """Of sorted top-level blocks. Spellings of one site are one."""
        sites: dict[Hashable, tuple[Block, ...]] = {}
        texts: dict[Hashable, str] = {}
        for block in blocks:
            group = caddyfile.group_key(block)
            sites[group] = (*sites.get(group, ()), block)
            texts[group] = texts.get(group, "") + write(block, last=block is blocks[-1])
        return cls(sites, texts, problems)

    def text(self, group: Hashable) -> str:
        """The text of a site, `""` if there is none."""
        return self.texts.get(group, "")

    def resources(self, group: Hashable) -> set[str]:
        """The names of the resources that made a site."""
        blocks = all_blocks(self.blocks.get(group, ()))
        return {origin.resource for block in blocks for origin in block.origins}

    def tokens(self, group: Hashable) -> set[str]:
        """All tokens of a site."""
        return {key for block in all_blocks(self.blocks.get(group, ())) for key in block.keys}

    def errors_of(self, resources: set[str]) -> Iterator[Problem]:
        """The errors of these resources."""
        return (each for each in self.problems if each.severity == "error" and each.resource in resources)


Explain = Callable[[Made, Made, Hashable], Iterator[Reason]]


def _because(reason: Reason) -> Explain:
    return lambda before, after, group: iter((reason,))


def _inventories(before: Made, after: Made, group: Hashable) -> Iterator[Reason]:
    """Which containers, or which of their addresses, only caddy-docker-proxy serves."""
    yield ADDRESSES if before.resources(group) == after.resources(group) else ONE_OFFS


def _functions(before: Made, after: Made, group: Hashable) -> Iterator[Reason]:
    """Why functions of caddy-docker-proxy give something else: it may not have one, and then leaves the resource out."""
    failed = list(before.errors_of(after.resources(group)))
    yield from (Reason(f"leaves {each.resource} out: {each.message}") for each in failed)
    if not failed:
        old, new = before.tokens(group), after.tokens(group)
        if old < new:
            yield BORROWED
            return
        yield PORTS if {each.rpartition(":")[0] for each in new - old} >= old - new else UPSTREAMS


def _writing(before: Made, after: Made, group: Hashable) -> Iterator[Reason]:
    """What was written with quotes or braces that caddy-docker-proxy omits."""
    blocks = before.blocks[group]
    tokens = before.tokens(group)
    found = {
        BARE: any(not block.children for block in blocks),
        BRACE: not tokens.isdisjoint(("{", "}")),
        EMPTY: "" in tokens,
    }
    yield from [reason for reason, is_there in found.items() if is_there] or [WRITTEN]


def _serving(before: Made, after: Made, group: Hashable) -> Iterator[Reason]:
    """Why dockcaddy leaves something out."""
    errors = list(after.errors_of(before.resources(group)))
    yield from map(_accepting, errors)
    if not errors:
        yield PLUGIN


def _accepting(error: Problem) -> Reason:
    return Reason(f"accepts what dockcaddy leaves out: {error}")


# a field of Way, and why its change to ours changes a site
STEPS: tuple[tuple[str, Explain], ...] = (
    ("has_peers_inventory", _inventories),
    ("has_own_functions", _functions),
    ("has_transformers", _because(IDIOM)),
    ("suffix_names", _because(NAMES)),
    ("route_order", _because(ORDER)),
    ("is_merged_as_text", _because(MERGED)),
    ("is_written_bare", _writing),
)


@frozen
class Comparison:
    """Compares what is made of one inventory. `peers` is that with what caddy-docker-proxy serves as well."""

    environment: Environment
    peers: Inventory
    inventory: Inventory
    base: BaseCaddyfile | None = None

    def differences(self) -> tuple[Difference, ...]:
        """What differs: first resources, then sites in the order of the file."""
        settings = self.environment.settings
        ours = Way(False, True, True, settings.suffix_names, settings.route_order, False, False)
        way, reasons = Way(), dict[Hashable, dict[Reason, None]]()
        first = last = self.made(way)
        for name, explain in STEPS:
            way = evolve(way, **{name: getattr(ours, name)})
            last = _compared(last, self.made(way), explain, reasons)
        served = _compared(last, self._served(), _serving, reasons)
        order = dict.fromkeys((*first.blocks, *served.blocks))
        sites = [
            Difference(
                _named(first.blocks.get(group) or served.blocks[group]),
                tuple(reasons[group]),
                first.text(group),
                served.text(group),
            )
            for group in order
            if group in reasons and first.text(group) != served.text(group)
        ]
        shown = {reason for site in sites for reason in site.reasons}
        return (*self._of_resources(served, shown), *sites)

    def made(self, way: Way) -> Made:
        """What is made in a way of all labels, nothing left out."""
        inventory = self.peers if way.has_peers_inventory else self.inventory
        fragments = self._pipeline(way).fragments(inventory, self.base)
        blocks = [block for fragment in fragments for block in fragment.blocks]
        merge = caddyfile.merge_as_peer if way.is_merged_as_text else caddyfile.merge
        write = caddyfile.write_as_peer if way.is_written_bare else caddyfile.write_block
        problems = tuple(problem for fragment in fragments for problem in fragment.problems)
        return Made.of(caddyfile.sort(merge(blocks), way.route_order), write, problems)

    def _pipeline(self, way: Way) -> Pipeline:
        registry = evolve(self.environment.registry, admission_rules=(), site_transformers=())
        if not way.has_own_functions:
            known = {
                name: evolve(entry, item=upstreams) if name == upstreams.__name__ else entry
                for name, entry in registry.functions.items()
                if name in FUNCTIONS
            }
            registry = evolve(registry, functions=known, gates=())
        if not way.has_transformers:
            registry = evolve(registry, transformers=())
        settings = evolve(self.environment.settings, suffix_names=way.suffix_names, route_order=way.route_order)
        return pipeline_for(evolve(self.environment, settings=settings, registry=registry))

    def _served(self) -> Made:
        pipeline = pipeline_for(self.environment)
        candidate = Candidate(self.environment.settings, pipeline, self.inventory, self.base)
        found = candidate.served_unchecked().configuration
        return Made.of([each.block for each in found.assembly.sections], caddyfile.write_block, found.problems)

    def _of_resources(self, served: Made, shown: set[Reason]) -> Iterator[Difference]:
        for engine in self.peers.engines:
            for resource in engine.resources:
                found = dict.fromkeys(_of_labels(resource, self.environment.settings.label_prefix, served))
                if reasons := tuple(reason for reason in found if reason not in shown):
                    yield Difference(str(resource), reasons)


def peers_settings(settings: Settings) -> Settings:
    """The settings with which an inventory has what caddy-docker-proxy serves."""
    return evolve(settings, scan_one_off_containers=True, upstream_addresses="all")


def _compared(before: Made, after: Made, explain: Explain, reasons: dict[Hashable, dict[Reason, None]]) -> Made:
    """Note the reasons of each site that a step changed. Gives `after`."""
    for group in dict.fromkeys((*before.blocks, *after.blocks)):
        if before.text(group) != after.text(group):
            reasons.setdefault(group, {}).update(dict.fromkeys(explain(before, after, group)))
    return after


def _of_labels(resource: Resource, prefix: str, served: Made) -> Iterator[Reason]:
    """What cannot be seen in a text of caddy-docker-proxy's, because it depends on something else, or there is none."""
    try:
        chosen = labels.select(resource.labels, prefix)
    except LabelError:
        chosen = ()
    if any(_EMPTY_PART.search(label.key.replace("\\.", "")) for label in chosen):
        yield CRASH
        return
    if any(_ENVIRONMENT.search(label.value) for label in chosen):
        yield ENVIRONMENT
    templates = {label.origin for label in chosen if "{{" in label.value}
    for error in served.errors_of({str(resource)}):
        # of a template that fails caddy-docker-proxy leaves the resource out as well
        if error.label not in templates or error.message.startswith("the site address"):
            yield _accepting(error)


def upstreams(context: Context, *options: object) -> str:
    """`upstreams` of caddy-docker-proxy: a text is a scheme, a number a port."""
    # it does not know whose network a container uses
    targets = [] if context.resource.shares_network else sorted(context.resource.targets)
    for option in options:
        if isinstance(option, str):
            targets = [f"{option}://{target}" for target in targets]
        elif isinstance(option, int) and not isinstance(option, bool):
            targets = [f"{target}:{option}" for target in targets]
    return " ".join(sorted(targets))


def _named(blocks: Sequence[Block]) -> str:
    """A site, a snippet or the global options, as people read it."""
    keys = blocks[0].keys
    kind = "snippet" if blocks[0].is_definition else "site"
    return f"{kind} {one_line(' '.join(keys))}" if keys else "global options"
