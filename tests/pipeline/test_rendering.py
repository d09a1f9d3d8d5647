"""What one resource may cost, whatever its labels say: time, memory, and what people have to read about it."""

import pytest
from dockcaddy import testing
from dockcaddy.errors import MESSAGE_LENGTH
from dockcaddy.fragment import Fragment
from dockcaddy.settings.limits import MAX_LABEL_WARNINGS, MAX_TEMPLATE_TEXT


def rendered(labels: dict[str, str]) -> Fragment:
    """The fragment of a container with a site and these labels."""
    return testing.fragment(testing.container(labels={"caddy": "x.org", **labels}))


def test_the_templates_of_one_resource_share_their_limits() -> None:
    one = {"caddy.0_respond": "{{range 30000}}{{end}}ok"}
    assert rendered(one).problems == ()
    (problem,) = rendered(one | {"caddy.1_respond": "{{range 30000}}{{end}}ok"}).problems
    assert "the limit of 50000 steps" in problem.message


def test_the_text_of_one_resources_templates_is_bounded() -> None:
    half = "{{1}}" * (MAX_TEMPLATE_TEXT // 9)
    assert rendered({"caddy.0_respond": half}).problems == ()
    (problem,) = rendered({"caddy.0_respond": half, "caddy.1_respond": half + " "}).problems
    assert (problem.label, problem.message) == (
        "caddy.1_respond",
        f"the templates are longer than {MAX_TEMPLATE_TEXT} characters together",
    )


def test_warnings_in_a_loop_are_told_a_few_times() -> None:
    fragment = rendered({"caddy.respond": "{{range $i := 5000}}{{$x := env (print $i)}}{{end}}ok"})
    assert len(fragment.problems) == MAX_LABEL_WARNINGS
    assert fragment.blocks


def test_what_is_told_is_short_however_long_the_text_is_that_it_is_about() -> None:
    long = "a" * 30_000
    told = [
        *rendered({"caddy.respond": '{{env "' + long + '"}}'}).problems,
        *rendered({"caddy.respond": "{{" + long + "}}"}).problems,
        *rendered({"caddy": '{{print "' + long + '."}}'}).problems,
    ]
    assert len(told) == 3
    assert [each for each in told if len(each.message) > MESSAGE_LENGTH] == []


def test_what_is_told_is_one_line_whatever_the_text_is_that_it_is_about() -> None:
    (problem,) = rendered({"caddy": '{{print "x\\n\\x1b[2J."}}'}).problems
    assert problem.message.isprintable()
    (problem,) = rendered({"caddy.a\nb": "x"}).problems
    assert str(problem).isprintable()


@pytest.mark.parametrize(
    "labels",
    [
        {"caddy.tls": "/dev/zero /dev/zero"},
        {"caddy.tls": "/srv/../dev/zero key.pem"},
        {"caddy.tls": "../../../dev/zero key.pem"},
        {"caddy.tls": "//proc/kmsg key.pem"},
        {"caddy.tls": "{system.slash}dev{system.slash}zero key.pem"},
        {"caddy.tls.load": "/proc"},
        {"caddy.tls.issuer": "acme", "caddy.tls.issuer.trusted_roots": "/dev/zero"},
        {"caddy.tls.client_auth.trust_pool": "file", "caddy.tls.client_auth.trust_pool.pem_file": "/dev/zero"},
        {"caddy.tls.client_auth.trusted_leaf_cert_file": "/dev/zero"},
        {
            "caddy.reverse_proxy.transport": "http",
            "caddy.reverse_proxy.transport.tls_client_auth": "/dev/zero /dev/zero",
        },
        {"caddy.import": "certificate /dev/zero"},
        {"caddy_1.acme_ca_root": "/dev/zero"},
        {"caddy_1.pki.ca.root.cert": "/dev/zero"},
    ],
)
def test_a_file_without_an_end_is_refused_before_caddy_reads_it(labels: dict[str, str]) -> None:
    (problem,) = rendered(labels).problems
    assert problem.label in labels
    assert "caddy would never finish reading" in problem.message


@pytest.mark.parametrize(
    "labels",
    [
        {"caddy.tls": "/srv/dev/cert.pem /srv/proc/key.pem"},
        {"caddy.tls": "/devices/cert.pem key.pem"},
        {"caddy.tls": "dev@example.org"},
        {"caddy.handle_path": "/dev/*", "caddy.redir": "/sys/a /proc/b"},
        {"caddy.import": "proxy dev.example.org"},
    ],
)
def test_what_only_looks_like_a_device_is_taken(labels: dict[str, str]) -> None:
    assert rendered(labels).problems == ()


@pytest.mark.parametrize(
    "labels",
    [
        {"caddy.tls.client_auth.trust_pool": "http https://evil.example"},
        {"caddy.reverse_proxy.transport": "http", "caddy.reverse_proxy.transport.tls_trust_pool": "http https://x.org"},
    ],
)
def test_a_server_that_caddy_would_wait_for_while_it_loads_is_refused(labels: dict[str, str]) -> None:
    assert "while it loads" in rendered(labels).problems[0].message


def test_no_resource_is_older_than_what_the_operator_wrote() -> None:
    assert not testing.fragment(testing.container(labels={"caddy": "x.org"}, created=-5)).is_operators
