"""Caddy's log within ours: once per cause, whatever Caddy repeats."""

import json
import logging

import pytest
from dockcaddy.caddy.log import CaddyLog, entry_of

NO_DNS = "HTTP 400 urn:ietf:params:acme:error:dns - DNS problem: NXDOMAIN looking up A for shop.example.org"


def line(level: str, msg: str, **more: object) -> str:
    return json.dumps({"level": level, "ts": 1.5, "msg": msg, **more})


def attempt(name: str, error: str, number: int, authority: str = "acme-v02.api.letsencrypt.org") -> list[str]:
    """What Caddy 2.11 logs of one attempt to get a certificate."""
    tried = f"[{name}] Obtain: {error}"
    client, obtain = {"logger": "http.acme_client", "identifier": name}, {"logger": "tls.obtain"}
    return [
        line("info", "obtaining certificate", identifier=name, **obtain),
        line("error", "challenge failed", challenge_type="http-01", problem={"detail": error}, **client),
        line("error", "validating authorization", problem={"detail": error}, attempt=number, **client),
        line("warn", "HTTP request failed; retrying", logger="http.acme_client", error=f"performing request: {error}"),
        line(
            "error", "could not get certificate from issuer", identifier=name, issuer=authority, error=error, **obtain
        ),
        line("error", "will retry", error=tried, attempt=number, retrying_in=60 * number, **obtain),
    ]


def shown(log: CaddyLog, lines: list[str], level: int = logging.INFO) -> list[str]:
    told = [log.record_of(entry_of(each)) for each in lines]
    return [each[1] for each in told if each is not None and each[0] >= level]


def test_a_name_without_dns_is_one_line_however_often_it_is_tried() -> None:
    log = CaddyLog()
    lines = [each for number in range(1, 6) for each in attempt("shop.example.org", NO_DNS, number)]
    assert shown(log, lines) == [f"no certificate for shop.example.org yet, caddy tries again: {NO_DNS}"]


def test_the_authoritys_rehearsal_fails_for_the_same_cause() -> None:
    log = CaddyLog()
    dial = 'performing request: Get "https://{}/directory": dial tcp: lookup {}: no such host'
    causes = [
        dial.format(name, name) for name in ("acme-v02.api.letsencrypt.org", "acme-staging-v02.api.letsencrypt.org")
    ]
    assert len(shown(log, [each for cause in causes for each in attempt("a.test", cause, 1)])) == 1


@pytest.mark.parametrize(
    ("error", "addresses"),
    [
        ("dial tcp 172.18.0.2:80: connect: connection refused", {"172.18.0.2:80"}),
        ("dial tcp 172.18.0.2:80: i/o timeout", {"172.18.0.2:80"}),
        ("dialing backend: dial tcp [fd00::2]:9000: connect: no route to host", {"[fd00::2]:9000"}),
        ("dial tcp: lookup web on 127.0.0.11:53: no such host", set()),
        ("dial unix /run/app.sock: connect: no such file or directory", set()),
        ("EOF", set()),
    ],
)
def test_the_addresses_that_caddy_could_not_connect_to_are_told_once(error: str, addresses: set[str]) -> None:
    log, request = CaddyLog(), {"method": "GET", "host": "a.test", "uri": "/dial tcp 10.0.0.1:80: x"}
    shown(log, [line("error", error, logger="http.log.error", request=request, status=502)])
    shown(log, [line("info", error, logger="http.handlers.reverse_proxy.health_checker.active")])
    assert (log.take_unconnected(), log.take_unconnected()) == (addresses, set())


def test_an_attempt_that_a_reload_cancelled_is_no_news() -> None:
    cause = "registering account [] with server: provisioning client: context canceled"
    assert shown(CaddyLog(), attempt("shop.example.org", cause, 1)) == []


def test_another_cause_and_another_name_are_told() -> None:
    log = CaddyLog()
    shown(log, attempt("shop.example.org", NO_DNS, 1))
    assert len(shown(log, attempt("shop.example.org", "rate limited", 2))) == 1
    assert len(shown(log, attempt("blog.example.org", NO_DNS.replace("shop", "blog"), 1))) == 1


def test_each_host_without_a_certificate_is_known_also_where_the_cause_is_the_same() -> None:
    log, cause = CaddyLog(), "dial tcp 192.0.2.1:443: connect: connection refused"
    assert len(shown(log, [*attempt("a.test", cause, 1), *attempt("b.test", cause, 1)])) == 1
    assert log.uncertified == {"a.test": cause, "b.test": cause}
    shown(log, [line("info", "certificate obtained successfully", logger="tls.obtain", identifier="a.test")])
    assert log.uncertified == {"b.test": cause}


def test_a_certificate_that_came_is_told_and_what_fails_later_is_new() -> None:
    log = CaddyLog()
    shown(log, attempt("shop.example.org", NO_DNS, 1))
    obtained = line("info", "certificate obtained successfully", logger="tls.obtain", identifier="shop.example.org")
    assert shown(log, [obtained]) == ["certificate for shop.example.org obtained"]
    assert len(shown(log, attempt("shop.example.org", NO_DNS, 1))) == 1


@pytest.mark.parametrize(
    "said",
    [
        line(
            "warn",
            "server is listening only on the HTTP port, so no automatic HTTPS will be applied to this server",
            logger="http.auto_https",
            server_name="srv0",
        ),
        line("info", "received request", logger="admin.api", method="GET", uri="/config/"),
        line("info", "received request", logger="admin.api", method="GET", uri="/config/admin"),
    ],
)
def test_what_is_said_at_every_reload_or_look_is_said_once_at_debug_level_and_never_above(said: str) -> None:
    log = CaddyLog()
    assert shown(log, [said] * 5) == []
    assert shown(CaddyLog(), [said] * 5, logging.DEBUG) == [entry_of(said).message]


def test_other_requests_to_the_admin_api_stay_at_debug_level() -> None:
    loads = [line("info", "received request", logger="admin.api", method="POST", uri="/load")] * 3
    assert len(shown(CaddyLog(), loads, logging.DEBUG)) == 3


def test_the_same_error_again_is_told_after_a_while_with_how_often_it_came() -> None:
    now = [0.0]
    log = CaddyLog(lambda: now[0])
    error = line("error", "dial tcp 172.17.0.2:80: connection refused", logger="http.log.error", duration=0.1)
    assert len(shown(log, [error] * 100)) == 1
    now[0] = 61.0
    assert shown(log, [error]) == [f"{entry_of(error).message} (repeated 99 times since the last line)"]


def test_text_that_is_no_json_is_told_as_it_is() -> None:
    assert shown(CaddyLog(), ["panic: oh no", "panic: oh no", "[1]"]) == ["panic: oh no", "panic: oh no", "[1]"]


def test_an_attempt_that_ends_as_caddy_takes_another_configuration_is_no_failure() -> None:
    assert shown(CaddyLog(), attempt("shop.example.org", "registering account: context canceled", 1)) == []


def failed(host: str, uri: str) -> str:
    """What Caddy 2.11 logs of a request whose upstream does not answer."""
    request = {"remote_ip": "192.0.2.1", "proto": "HTTP/2.0", "method": "GET", "host": host, "uri": uri, "headers": {}}
    said = "dial tcp 10.0.0.9:80: i/o timeout"
    return line("error", said, logger="http.log.error", request=request, duration=3.0, status=502, err_id="x")


def test_a_failed_request_is_named_with_host_method_uri_and_status() -> None:
    assert shown(CaddyLog(), [failed("a.test", "/x?y=1")]) == [
        "http.log.error: dial tcp 10.0.0.9:80: i/o timeout (GET a.test/x?y=1, status 502)"
    ]


def test_requests_that_fail_alike_are_one_line_for_each_host() -> None:
    log = CaddyLog()
    lines = [failed(host, f"/{number}") for number in range(50) for host in ("a.test", "b.test")]
    assert len(shown(log, lines)) == 2


def test_the_uri_of_a_failed_request_makes_no_line_of_its_own() -> None:
    assert "\n" not in shown(CaddyLog(), [failed("a.test", "/\nerror: x" + "y" * 10_000)])[0]


def test_what_caddy_says_of_a_caddyfile_each_time_it_reads_it_is_one_line() -> None:
    now = [0.0]
    log = CaddyLog(lambda: now[0])
    said = "the 'basicauth' directive is deprecated, please use 'basic_auth' instead!"
    warnings = [line("warn", said, logger="config.adapter.caddyfile")]
    assert len(shown(log, warnings * 50)) == 1
    now[0] = 61.0
    assert shown(log, warnings) == []
    assert len(shown(log, [line("warn", "another one", logger="config.adapter.caddyfile")])) == 1
