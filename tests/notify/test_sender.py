"""Notifications: when they are sent, in which form, and what a target can do to anybody."""

import base64
import json
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from attrs import define, evolve, field
from clock import Clock
from dockcaddy import Event, ServiceContext
from dockcaddy.model import Proxy
from dockcaddy_notify import ALL, NotifySettings, listener
from dockcaddy_notify.filter import Filter
from dockcaddy_notify.formats import Request, request_for, title_of
from dockcaddy_notify.sender import FIRST_PAUSE, WAITING, Failed, Post, Sender, posted
from dockcaddy_notify.targets import NoSecret, parsed
from status_server import HANGING, eventually

DOWN = Event(
    1_700_000_000.0,
    "SiteDown",
    "site http://a.test",
    "Unhealthy",
    "web fails <!channel> & @everyone",
    ("http://a.test",),
)


@define
class Target:
    """Takes requests, or answers as a test wants."""

    answers: list[int | Exception] = field(factory=list)
    taken: list[Request] = field(factory=list)

    def __call__(self, request: Request) -> int:
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, Exception):
            raise answer
        if answer < 300:
            self.taken.append(request)
        return answer


def sender(target: Target, clock: Clock, **more: object) -> Sender:
    return Sender(parsed("webhook=https://hook.test/x"), clock=clock, post=target, **more)  # type: ignore[arg-type]


def run(made: Sender, clock: Clock, seconds: float) -> None:
    """Do what is due, second by second."""
    for _ in range(int(seconds)):
        for _ in range(200):
            due = made.due
            if due is None or due > clock.now:
                break
            made.step()
        clock.advance(1)


def test_an_event_is_sent_once() -> None:
    clock, target = Clock(), Target()
    made = sender(target, clock)
    made.put(DOWN)
    run(made, clock, 10)
    assert len(target.taken) == 1
    body = json.loads(target.taken[0].body)
    assert (body["kind"], body["subject"], body["title"]) == (
        "SiteDown",
        "site http://a.test",
        "site http://a.test: down",
    )
    assert body["time"] == "2023-11-14T22:13:20Z"


def test_what_fails_is_tried_again_with_growing_pauses(caplog: pytest.LogCaptureFixture) -> None:
    clock, target = Clock(), Target([Failed("it cannot be reached"), 503, 429])
    made = sender(target, clock)
    made.put(DOWN)
    times = []
    while not target.taken:
        assert made.due is not None
        clock.now = max(clock.now, made.due)
        times.append(clock.now - 1000)
        made.step()
    assert times == [0, 1, 3, 7]
    assert "notify webhook hook.test: it cannot be reached, it is tried again" in caplog.text


def test_what_will_never_be_taken_is_given_up_and_the_next_is_sent(caplog: pytest.LogCaptureFixture) -> None:
    clock, target = Clock(), Target([404])
    made = sender(target, clock)
    made.put(DOWN)
    made.put(evolve(DOWN, kind="SiteRecovered"))
    run(made, clock, 3)
    assert [json.loads(each.body)["kind"] for each in target.taken] == ["SiteRecovered"]
    assert "it answered with status 404, so it is not sent" in caplog.text


def test_a_redirect_says_at_once_what_to_do(caplog: pytest.LogCaptureFixture) -> None:
    clock, target = Clock(), Target([302])
    made = sender(target, clock)
    made.put(DOWN)
    made.step()
    assert "it redirects (status 302): name the URL that it leads to" in caplog.text


def test_a_pause_begins_when_the_target_has_failed() -> None:
    clock = Clock()

    def slow(request: Request) -> int:
        clock.advance(10)
        raise Failed("it does not answer in time")

    made = Sender(parsed("webhook=https://hook.test/x"), clock=clock, post=slow)
    made.put(DOWN)
    made.step()
    assert made.due == clock.now + FIRST_PAUSE


def test_an_old_event_is_no_longer_news() -> None:
    clock, target = Clock(), Target([Failed("x")] * 200)
    made = sender(target, clock)
    made.put(DOWN)
    run(made, clock, 3000)
    assert made.due is None and target.taken == []
    target.answers.clear()
    made.put(DOWN)
    run(made, clock, 200)
    assert "(and 1 more events)" in json.loads(target.taken[0].body)["text"]


def test_no_more_than_so_many_a_minute() -> None:
    clock, target = Clock(), Target()
    made = sender(target, clock, limit=3)
    for _ in range(7):
        made.put(DOWN)
    run(made, clock, 30)
    assert len(target.taken) == 3
    run(made, clock, 40)
    assert len(target.taken) == 6
    run(made, clock, 60)
    assert len(target.taken) == 7


def test_what_waits_is_bounded_and_the_rest_counted() -> None:
    clock, target = Clock(), Target()
    made = sender(target, clock, limit=10_000)
    for _ in range(WAITING + 50):
        made.put(DOWN)
    run(made, clock, 5)
    assert len(target.taken) == WAITING
    assert "(and 50 more events)" in json.loads(target.taken[0].body)["text"]


# --- formats


def test_each_kind_has_its_format() -> None:
    ntfy = request_for("ntfy", "https://n.test/topic", ("", "tk"), DOWN)
    assert base64.b64decode(ntfy.headers["Title"].split("?")[3]).decode() == title_of(DOWN)
    assert (ntfy.headers["Priority"], ntfy.headers["Authorization"]) == ("4", "Bearer tk")
    gotify = request_for("gotify", "https://g.test?token=abc", ("", ""), DOWN)
    assert (gotify.url, gotify.headers["X-Gotify-Key"]) == ("https://g.test/message", "abc")
    assert json.loads(gotify.body)["priority"] == 8
    slack = json.loads(request_for("slack", "https://s.test", ("", ""), DOWN).body)
    assert "&lt;!channel&gt; &amp;" in slack["text"]
    discord = json.loads(request_for("discord", "https://d.test", ("", ""), DOWN).body)
    assert discord["allowed_mentions"] == {"parse": []} and len(discord["content"]) < 2000
    basic = request_for("ntfy", "https://n.test/t", ("me", "pw"), DOWN).headers["Authorization"]
    assert basic == "Basic " + base64.b64encode(b"me:pw").decode()


@pytest.mark.parametrize("kind", ["webhook", "ntfy", "gotify", "slack", "discord"])
def test_a_long_or_odd_message_can_be_sent(kind: str) -> None:
    odd = evolve(DOWN, subject="site \u202e\n\r\x00ü", message="é" * 10_000)
    made = request_for(kind, "https://x.test", ("", ""), odd)
    assert all(value.isprintable() and value.isascii() for value in made.headers.values())
    if kind == "discord":
        assert len(json.loads(made.body)["content"]) <= 2000


def test_a_template_makes_the_text_and_the_whole_body_of_a_webhook() -> None:
    template = '{"m": {{printf "%q" .Title}}, "n": {{len .Sites}}}'
    made = request_for("webhook", "https://x.test", ("", ""), DOWN, template)
    assert json.loads(made.body) == {"m": "site http://a.test: down", "n": 1}
    assert made.headers["Content-Type"] == "application/json"
    assert request_for("ntfy", "https://x.test", ("", ""), DOWN, "{{.Reason}}").body == b"Unhealthy"


# --- settings


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"targets": ("https://hooks.test/secret",)}, "expected KIND=URL"),
        ({"targets": ("slack=ftp://x",)}, "slack: expected a URL"),
        ({"events": ("SiteUpp",)}, 'there is no event "SiteUpp"'),
        ({"template": "{{.Kind"}, "unclosed action"),
        ({"limit": 0}, "at least 1"),
    ],
)
def test_a_wrong_setting_is_named_without_the_secret(settings: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as refused:
        NotifySettings(**settings)  # type: ignore[arg-type]
    assert "secret" not in str(refused.value)


def test_secrets_come_from_variables_and_files(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("abc\n")
    target = parsed(f"ntfy=https://:{{file:{file}}}@n.test/{{env:TOPIC}}")
    assert target.address({"TOPIC": "t"}) == ("https://n.test/t", ("", "abc"))
    assert str(target) == "ntfy n.test"
    file.write_text("new")
    assert target.address({"TOPIC": "t"})[1] == ("", "new")
    with pytest.raises(NoSecret, match="TOPIC is not set"):
        target.address({})
    file.unlink()
    with pytest.raises(NoSecret, match="cannot be read: No such file"):
        target.address({"TOPIC": "t"})
    assert parsed("slack={env:HOOK}").address({"HOOK": "https://h.test/x"})[0] == "https://h.test/x"


def test_events_are_chosen_by_kind_and_pattern() -> None:
    assert Filter(frozenset(["SiteDown"])).wants(DOWN)
    assert not Filter(frozenset(["SiteUp"])).wants(DOWN)
    assert Filter(frozenset(ALL), ("*.test",)).wants(DOWN)
    assert not Filter(frozenset(ALL), ("b.*",)).wants(DOWN)
    assert Filter(frozenset(ALL), ("engine *",)).wants(Event(0.0, "EngineLost", "engine local"))


# --- over the network


@pytest.fixture
def server() -> Iterator[tuple[str, list[bytes]]]:
    taken: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(302 if self.path == "/elsewhere" else 200)
            self.send_header("Location", "/other")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{made.server_port}", taken
    made.shutdown()
    made.server_close()


def test_the_listener_sends_to_every_target(server: tuple[str, list[bytes]]) -> None:
    url, taken = server
    settings = NotifySettings(targets=(f"webhook={url}/a", f"slack={url}/b", "ntfy=http://127.0.0.1:1/dead"))
    receive = listener(ServiceContext(lambda section: settings, Proxy(), Clock()))
    receive(DOWN)
    receive(evolve(DOWN, kind="SiteUp"))
    assert eventually(lambda: len(taken) == 2)
    slack, webhook = sorted(map(json.loads, taken), key=len)
    assert slack == {"text": "*site http://a.test: down*\nUnhealthy: web fails &lt;!channel&gt; &amp; @everyone"}
    assert webhook["kind"] == "SiteDown"


def test_a_redirect_is_not_followed(server: tuple[str, list[bytes]]) -> None:
    url, taken = server
    assert posted(Request(f"{url}/elsewhere", b"x", {})) == 302
    assert len(taken) == 1


def test_a_target_that_never_ends_its_response_has_failed_and_is_not_asked_twice() -> None:
    asked: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            # until nobody listens any more
            with suppress(OSError):
                while True:
                    asked.append(listener.accept()[0])
                    asked[-1].sendall(b"HTTP/1.1 200 OK\r\n")
                    while len(asked) == 1 and not over.wait(0.05):
                        asked[-1].sendall(b"X-More: x\r\n")
                    asked[-1].sendall(b"\r\n")
                    asked[-1].close()

        over = threading.Event()
        threading.Thread(target=answer, daemon=True).start()
        post, request = Post(0.5), Request(f"http://127.0.0.1:{listener.getsockname()[1]}/x", b"x", {})
        for _ in range(3):
            with pytest.raises(Failed, match="does not answer in time"):
                post(request)
        assert len(asked) == 1
        over.set()
        post.seconds = HANGING

        def takes() -> bool:
            try:
                return post(request) == 200
            except Failed:
                return False

        assert eventually(takes)


def test_what_cannot_be_reached_says_so_without_the_url() -> None:
    with pytest.raises(Failed) as failed:
        posted(Request("http://127.0.0.1:1/secret", b"x", {}))
    assert "secret" not in str(failed.value)


def test_messages_of_the_log_have_no_url(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    clock, target = Clock(), Target([500, 404])
    made = Sender(parsed("slack=https://hooks.test/T0/secret"), clock=clock, post=target)
    made.put(DOWN)
    run(made, clock, 5)
    assert "slack hooks.test" in caplog.text and "secret" not in caplog.text
