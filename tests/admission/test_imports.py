"""What a newer resource imports is looked at as if it stood there, however deep it lies and whatever it is given."""

import pytest
from conflicting import Told
from dockcaddy import plugins
from dockcaddy_policy import PolicySettings

REGISTRY = plugins.load()
# some of this is refused before it could take anything, where labels are not trusted
TRUSTED = {PolicySettings: PolicySettings(trust="all")}
OLDER = {"caddy": "x.org", "caddy.respond": "older"}
HANDLING = {"caddy": "x.org", "caddy.handle": "/a/*", "caddy.handle.respond": "older"}


def importing(snippet: dict[str, str], arguments: str = "", block: dict[str, str] | None = None) -> dict[str, str]:
    """The labels of a site that imports this snippet, with these arguments and this block."""
    own = {"caddy_0": "x.org", "caddy_0.import": f"w {arguments}"}
    given = {f"caddy_0.import.{key}": value for key, value in (block or {}).items()}
    return own | given | {"caddy_1": "(w)"} | {f"caddy_1.{key}": value for key, value in snippet.items()}


def chain(length: int, line: str = "import", last: str = "respond") -> dict[str, str]:
    """A site that imports a snippet that imports a snippet, and so on, of which the last one answers."""
    labels = {"caddy_0": "x.org", "caddy_0.import": "s1"}
    for n in range(1, length):
        labels |= {f"caddy_{n}": f"(s{n})", f"caddy_{n}.{line}": f"s{n + 1}"}
    return labels | {f"caddy_{length}": f"(s{length})", f"caddy_{length}.{last}": "stolen"}


@pytest.mark.parametrize("line", ["import", "handle.import", "route.import", "route.handle.import"])
@pytest.mark.parametrize("length", [1, 8, 9, 10, 30, 126, 127, 128, 500])
def test_no_depth_of_imports_hides_an_answer(told_of_trusted: Told, length: int, line: str) -> None:
    (conflict,) = told_of_trusted(OLDER, chain(length, line))
    assert conflict.startswith("container b: label caddy_")
    assert "would take requests from container a" in conflict or "are nested deeper than 128 levels" in conflict


TAKING = {
    "the block of an import": importing({"{block}": ""}, block={"respond": "stolen"}),
    "a block within a block": importing({"handle.{block}": ""}, block={"respond": "stolen"}),
    "a named part of the block": importing({"{blocks\\.part}": ""}, block={"part.respond": "stolen"}),
    "a named line of the block": importing({"{blocks\\.part}": ""}, block={"part": "respond stolen"}),
    "an import in its own block": importing({"{block}": ""}, block={"import": "w", "import.respond": "stolen"}),
    "a path that is an argument": importing({"respond": "{args[0]} stolen"}, "/*"),
    "a path that is an argument of old": importing({"respond": "{args.0} stolen"}, "/*"),
    "all arguments": importing({"respond": "{args[:]}"}, "/* stolen"),
    "some arguments": importing({"respond": "{args[1:3]}"}, "x /* stolen y"),
    "an argument that is handed on": importing({"import": "v {args[0]}"}, "/*")
    | {"caddy_2": "(v)", "caddy_2.respond": "{args[0]} stolen"},
    "a block that is handed on": importing({"import": "v", "import.{block}": ""}, block={"respond": "stolen"})
    | {"caddy_2": "(v)", "caddy_2.{block}": ""},
}


@pytest.mark.parametrize("case", TAKING)
def test_nothing_that_an_import_is_given_hides_an_answer(told_of_trusted: Told, case: str) -> None:
    (conflict,) = told_of_trusted(OLDER, TAKING[case])
    assert conflict.startswith("container b: label caddy_") and "take requests from container a" in conflict


HANDLED = {
    "a path": importing({"redir": "{args[0]} /stolen"}, "/a/*"),
    "a part of a path": importing({"redir": "/{args[0]}/* /stolen"}, "a"),
    "a matcher": importing({"@q.path": "{args[0]}", "redir": "@q /stolen"}, "/a/*"),
    "a matcher's name": importing({"@{args[0]}.path": "/a/*", "redir": "@{args[0]} /stolen"}, "q"),
}


@pytest.mark.parametrize("case", HANDLED)
def test_arguments_are_filled_in_before_paths_are_compared(told_of_trusted: Told, case: str) -> None:
    (conflict,) = told_of_trusted(HANDLING, HANDLED[case])
    assert "take requests from container a" in conflict
    assert (
        told_of_trusted(
            HANDLING, {k: v.replace("/a/*", "/b/*").replace("w a", "w b") for k, v in HANDLED[case].items()}
        )
        == []
    )


@pytest.mark.parametrize(
    ("older", "snippet", "words"),
    [
        ({"file_server": ""}, {"root": "* /srv/b"}, "root would change the file root of container a"),
        ({"respond": "a"}, {"bind": "unix//run/a.sock"}, "bind would cut off clients of container a"),
        ({"tls": "internal", "respond": "a"}, {"tls.client_auth.mode": "require"}, "client_auth would cut off"),
        (
            {"@q.path": "/a", "respond": "@q a"},
            {"@q.path": "/b"},
            "caddy refuses its site together with that of container a",
        ),
    ],
    ids=["root", "bind", "certificates", "matcher"],
)
def test_what_can_be_said_once_is_not_said_otherwise_by_a_snippet(
    told_of_trusted: Told, older: dict[str, str], snippet: dict[str, str], words: str
) -> None:
    site = {"caddy": "x.org"} | {f"caddy.{key}": value for key, value in older.items()}
    (conflict,) = told_of_trusted(site, importing(snippet))
    assert words in conflict


def test_global_options_and_those_of_proxies_may_be_imported_too(told_of_trusted: Told) -> None:
    snippet = {"caddy_1": "(w)", "caddy_1.email": "b@x.org", "caddy_0.import": "w"}
    assert (
        "import may change the global options of container a" in told_of_trusted({"caddy.email": "a@x.org"}, snippet)[0]
    )
    proxy = {"caddy_0": "x.org", "caddy_0.reverse_proxy": "10.0.0.1:80", "caddy_0.reverse_proxy.lb_policy": "first"}
    random = {"caddy_0": "x.org", "caddy_0.reverse_proxy": "10.0.0.1:80", "caddy_0.reverse_proxy.import": "w"}
    assert (
        "caddy refuses its site together with that of container a"
        in told_of_trusted(proxy, random | {"caddy_1": "(w)", "caddy_1.lb_policy": "random"})[0]
    )


def test_the_error_names_a_label_of_the_one_that_imports(told_of_trusted: Told) -> None:
    lent = {"caddy": "(lent)", "caddy.respond": "lent"}
    (conflict,) = told_of_trusted(OLDER, lent, {"caddy": "x.org", "caddy.import": "lent"})
    assert conflict.startswith("container c: label caddy.import: respond would take requests from container a")


def test_a_site_is_not_made_by_a_snippet_where_nobody_could_tell_whose_it_is(told_of_trusted: Told) -> None:
    (conflict,) = told_of_trusted(OLDER, {"caddy_0": "import w", "caddy_1": "(w)", "caddy_1.x\\.org.respond": "stolen"})
    assert conflict == (
        "container b: label caddy_0: the site is defined by the snippet (w): write its address in a label of its own"
    )


def test_a_file_that_only_caddy_reads_may_answer_anything(told_of_trusted: Told) -> None:
    base = "x.org {\n\trespond operator\n}\n"
    (conflict,) = told_of_trusted({"caddy": "x.org", "caddy.import": "more/site.conf"}, base=base)
    assert "import may take requests from caddyfile Caddyfile" in conflict
    alone = {"caddy": "y.org", "caddy.import": "more/site.conf"}
    assert told_of_trusted(alone, alone, base=base) == []


def test_a_snippets_matcher_counts_at_each_of_its_uses(told_of_trusted: Told) -> None:
    snippet = {"@{args[0]}.path": "/a " * 20_000}
    uses = {f"caddy_0.{n}_respond": f"@x {n}" for n in range(200)}
    (conflict,) = told_of_trusted(importing(snippet, "x") | uses)
    assert "too large for caddy" in conflict


def test_snippets_that_nobody_imports_may_grow_beyond_measure(told_of_trusted: Told) -> None:
    doubling = {f"caddy_{n}.{k}_import": f"s{n - 1}" for n in range(1, 60) for k in (0, 1)}
    assert (
        told_of_trusted({f"caddy_{n}": f"(s{n})" for n in range(60)} | {"caddy_0.header": "X-A b"} | doubling, OLDER)
        == []
    )


def test_a_block_that_doubles_with_every_import_is_refused(told_of_trusted: Told) -> None:
    doubling = {f"caddy_{n}.import": f"s{n + 1}" for n in range(40)}
    doubling |= {f"caddy_{n}.import.{k}_{{block}}": "" for n in range(1, 40) for k in (0, 1)}
    labels = {f"caddy_{n}": f"(s{n})" for n in range(1, 41)} | {"caddy_0": "x.org", "caddy_0.import.encode": ""}
    (conflict,) = told_of_trusted(OLDER, labels | doubling | {"caddy_40.{block}": ""})
    assert "too large for caddy" in conflict


@pytest.mark.parametrize("argument", ["a", '""', "` `"])
def test_arguments_that_double_with_every_import_are_refused(told_of_trusted: Told, argument: str) -> None:
    labels = {f"caddy_{n}": f"(s{n})" for n in range(1, 61)} | {"caddy_60.encode": ""}
    labels |= {f"caddy_{n}.import": f"s{n + 1} {{args[:]}} {{args[:]}}" for n in range(1, 60)}
    (conflict,) = told_of_trusted(OLDER, labels | {"caddy_0": "x.org", "caddy_0.import": f"s1 {argument}"})
    assert "too large for caddy" in conflict
