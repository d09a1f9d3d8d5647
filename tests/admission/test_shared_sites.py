"""Sites of several containers as a real Caddy reads them: what is taken, what comes too late, and how often Caddy is asked."""

import pytest
from conflicting import Adapt, Told, inventory_of
from dockcaddy import plugins
from dockcaddy.admission.conflicts.adapted import SiteAdapter
from dockcaddy.admission.conflicts.shared_sites import SharedSites
from dockcaddy.errors import CaddyUnreachable
from dockcaddy.merge.assembly import Assembly
from dockcaddy.model import Unreached
from dockcaddy.reconcile.pipeline import BaseCaddyfile, Pipeline
from dockcaddy.settings import limits

REGISTRY = plugins.load()
Labels = dict[str, str]


def site(**lines: str) -> Labels:
    """Labels of a container with these lines on the site that all share."""
    return {"caddy": "x.test"} | {f"caddy.{key.replace('__', '.')}": value for key, value in lines.items()}


PROXY = {"caddy": "x.test", "caddy.reverse_proxy": "app:80"}
MANY_HOSTS = ", ".join(f"h{n}.test" for n in range(20))
TAKEN: dict[str, tuple[Labels, Labels]] = {
    "all but the first page": (PROXY, site(redir="/?* https://stolen.test")),
    "all but the first page, by a pattern": (
        PROXY,
        {**site(redir="@m https://stolen.test"), "caddy.@m.path_regexp": "^/.+"},
    ),
    "all below a path": (site(handle="/a/*", handle__respond="a"), site(redir="/a/?* /stolen")),
    "one of many hosts": (
        {"caddy": MANY_HOSTS, "caddy.respond": "a"},
        {"caddy": MANY_HOSTS, "caddy.@m.host": "h17.test", "caddy.redir": "@m /stolen"},
    ),
    "one of many paths": (
        {**site(respond="@m a"), "caddy.@m.path": " ".join(f"/p{n}/*" for n in range(20))},
        site(redir="/p17/* /stolen"),
    ),
    "a variable that an older one asks for": (
        {"caddy": "x.test", "caddy.vars": "tier gold", "caddy.@g.vars": "tier gold"}
        | {"caddy.handle": "@g", "caddy.handle.respond": "a"},
        site(vars="tier none"),
    ),
    "a field that an older one asks for": (
        {**site(handle="@m", handle__respond="a"), "caddy.@m.header": "X-Tenant a"},
        site(request_header="-X-Tenant"),
    ),
    "a page of errors": (
        {"caddy": "x.test", "caddy.error": "500", "caddy.handle_errors.respond": "a"},
        {"caddy": "x.test", "caddy.handle_errors": "5xx", "caddy.handle_errors.respond": "0"},
    ),
    "the responses of an older one": (PROXY, site(intercept__handle_response__respond="stolen")),
    "the prefix of an older one": (site(handle="/a/*", handle__respond="a"), site(uri="strip_prefix /a")),
}


@pytest.mark.parametrize("case", TAKEN)
def test_a_newer_one_takes_nothing_that_an_older_one_answers(told: Told, case: str) -> None:
    older, newer = TAKEN[case]
    (conflict,) = told(older, newer)
    assert conflict.startswith("container b: label caddy") and "container a" in conflict
    assert told(older) == told(newer) == []


LATE = {
    "behind files of one page": (
        {"caddy": "x.test", "caddy.root": "* /srv", "caddy.try_files": "{path} /index.html", "caddy.file_server": ""},
        site(handle="/api/*", handle__reverse_proxy="api:80"),
        "put try_files of container a into a handle block",
    ),
    "behind a rewrite": (
        {"caddy": "x.test", "caddy.rewrite": "* /index.html", "caddy.file_server": ""},
        site(handle="/api/*", handle__respond="api"),
        "put rewrite of container a into a handle block",
    ),
    "behind a response": (
        site(respond="all"),
        PROXY,
        "use handle or handle_path with a path of its own",
    ),
    "behind another block": (
        site(handle="/a/*", handle__respond="a"),
        site(handle_path="/a/*", handle_path__respond="b"),
        "use handle or handle_path with a path of its own",
    ),
}


@pytest.mark.parametrize("case", LATE)
def test_what_no_request_comes_to_is_told_with_the_remedy(told: Told, case: str) -> None:
    older, newer, remedy = LATE[case]
    assert told(older, newer) == []
    (warning,) = told.warnings(older, newer)
    assert warning.startswith("container b: label caddy.") and "no request comes to" in warning
    assert "of container a (label caddy." in warning and warning.endswith(remedy)
    assert told.warnings(newer) == told.warnings(older, older) == []


def test_what_no_request_comes_to_is_told_apart_from_other_warnings(told: Told) -> None:
    sites = SharedSites(SiteAdapter(told.adapt))
    sites.conflicts_in(told.assembly(*LATE[next(iter(LATE))][:2]))
    assert [type(each) for each in sites.warnings] == [Unreached]


SHARED = {
    "paths in handles": (site(reverse_proxy="app:80"), site(handle="/api/*", handle__reverse_proxy="api:80")),
    "two handles": (
        site(handle_1="/a/*", handle_1__respond="a"),
        site(handle_2="/b/*", handle_2__respond="b"),
    ),
    "files of one page in a handle": (
        site(handle__root="* /srv", handle__try_files="{path} /index.html", handle__file_server=""),
        site(handle_1="/api/*", handle_1__reverse_proxy="api:80"),
    ),
    "a redirection of the first page": (site(handle="/app/*", handle__respond="a"), site(redir="/ /app/")),
    "a header for all": (PROXY, site(header="X-A b")),
    "variables of its own": (PROXY, site(vars="tier none")),
    "what goes to php": (
        {"caddy": "x.test", "caddy.root": "* /srv", "caddy.php_fastcgi": "php:9000", "caddy.file_server": ""},
        site(handle="/api/*", handle__reverse_proxy="api:80"),
    ),
}


@pytest.mark.parametrize("case", [each for each in SHARED if each != "what goes to php"])
@pytest.mark.parametrize("is_reversed", [False, True])
def test_what_people_share_is_no_conflict_and_no_warning(told: Told, case: str, is_reversed: bool) -> None:
    both = SHARED[case][::-1] if is_reversed else SHARED[case]
    assert told(*both) == [] == told.warnings(*both)


def asked(adapt: Adapt) -> tuple[SharedSites, list[str]]:
    """What keeps shared sites, and what it asks Caddy."""
    texts: list[str] = []

    def counted(text: str) -> bytes:
        texts.append(text)
        return adapt(text)

    return SharedSites(SiteAdapter(counted)), texts


def pair(n: int, path: str = "/api/*") -> list[Labels]:
    """Two containers that share a site."""
    address = {"caddy": f"x{n}.test"}
    return [
        address | {"caddy.reverse_proxy": f"app{n}:80"},
        address | {"caddy.handle": path, "caddy.handle.reverse_proxy": f"api{n}:80"},
    ]


def test_many_shared_sites_are_asked_for_together_and_one_that_changed_alone(adapt: Adapt) -> None:
    sites, texts = asked(adapt)
    labels = [each for n in range(200) for each in pair(n)]
    pipeline = Pipeline(REGISTRY)

    def assembly(*labels: Labels) -> Assembly:
        return pipeline.build(inventory_of(*labels)).assembly

    assert sites.conflicts_in(assembly(*labels)) == ()
    assert len(texts) <= 3 * len(labels) // limits.MAX_ADAPTED_TOGETHER + 1
    texts.clear()
    assert sites.conflicts_in(assembly(*labels)) == ()
    assert texts == []
    labels[-2:] = pair(199, "/other/*")
    assert sites.conflicts_in(assembly(*labels)) == ()
    # the whole, and the part that is new
    assert len(texts) == 2 and all(text.count("https://site-") == 1 for text in texts)


def test_sites_of_one_container_and_replicas_cost_nothing(adapt: Adapt) -> None:
    sites, texts = asked(adapt)
    alone = [{"caddy": f"x{n}.test", "caddy.respond": "x"} for n in range(20)]
    replicas = [
        {"caddy": "y.test", "caddy.handle": "/a/*", "caddy.handle.reverse_proxy": f"app{n}:80"} for n in range(20)
    ]
    assert sites.conflicts_in(Pipeline(REGISTRY).build(inventory_of(*alone, *replicas)).assembly) == ()
    assert texts == []


def test_nothing_is_forgotten_while_caddy_does_not_answer(adapt: Adapt) -> None:
    answers = [False]

    def at_times(text: str) -> bytes:
        if not answers[0]:
            raise CaddyUnreachable("no caddy")
        return adapt(text)

    sites = SharedSites(SiteAdapter(at_times))
    made = Pipeline(REGISTRY).build(inventory_of(PROXY, site(respond="stolen"))).assembly
    for _ in range(2):
        with pytest.raises(CaddyUnreachable):
            sites.conflicts_in(made)
    answers[0] = True
    assert len(sites.conflicts_in(made)) == len(sites.conflicts_in(made)) == 1


def test_the_operators_own_text_is_never_left_out(told: Told, adapt: Adapt) -> None:
    base = "x.test {\n\tredir /a/* /elsewhere\n}\n"
    assert told(site(handle="/a/*", handle__respond="a"), base=base) == []
    assembly = Pipeline(REGISTRY).build(inventory_of(PROXY), BaseCaddyfile("Caddyfile", base)).assembly
    assert SharedSites(SiteAdapter(adapt)).conflicts_in(assembly) == ()


def test_a_site_that_caddy_refuses_only_as_a_whole_costs_the_newer_one(told: Told) -> None:
    older = {**site(respond="@q a"), "caddy.@q.path": "/a"}
    newer = {"caddy_0": "x.test", "caddy_0.import": "s", "caddy_1": "(s)", "caddy_1.@q.path": "/b"}
    (conflict,) = told(older, PROXY, newer)
    assert conflict.startswith("container c: label caddy_0: caddy refuses its site together with that of container a")
