"""The requests that tell of an event, in the format of each kind of target. Pure."""

import base64
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit, urlunsplit

from attrs import frozen
from dockcaddy import Event, as_document, gotemplate
from dockcaddy.gotemplate import FunctionTable

_BAD = frozenset(
    ("SiteDown", "SiteRefused", "EngineLost", "CaddyLost", "CaddyCrashed", "CertificateFailed", "CertificateNearEnd")
)
_TITLES = {
    "SiteUp": "up",
    "SiteDown": "down",
    "SiteGone": "gone",
    "SiteRefused": "refused",
    "SiteRecovered": "is well again",
    "LastKnownGood": "an earlier version is served",
    "EngineLost": "does not answer",
    "EngineBack": "answers again",
    "CaddyLost": "does not answer",
    "CaddyBack": "answers again",
    "CaddyCrashed": "crashed",
    "CertificateFailed": "cannot be had",
    "CertificateNearEnd": "ends soon",
}
# https://discord.com/developers/docs/resources/message#create-message, the smallest of all
LONGEST = 1900


@frozen
class Request:
    """A request to be sent with POST."""

    url: str
    body: bytes
    headers: Mapping[str, str]


def request_for(
    kind: str, url: str, login: tuple[str, str], event: Event, template: str = "", more: int = 0
) -> Request:
    """The request. `more` is how many other events were not sent. Raises what the template raises."""
    headers = _login(*login)
    text = _text(event, template)[:LONGEST] + (f"\n(and {more} more events)" if more else "")
    return _FORMATS[kind](url, headers, title_of(event), text, event, bool(template))


def title_of(event: Event) -> str:
    """`site http://a.test: down`."""
    return f"{event.subject}: {_TITLES.get(event.kind, event.kind)}"


def _text(event: Event, template: str) -> str:
    if not template:
        reason = f"{event.reason}: " if event.reason and event.message else event.reason
        sites = ", ".join(each for each in event.sites if each not in event.subject)
        return (f"{reason}{event.message}" or title_of(event)) + (f" (sites: {sites})" if sites else "")
    data = {
        "Kind": event.kind,
        "Subject": event.subject,
        "Title": title_of(event),
        "Reason": event.reason,
        "Message": event.message,
        "Sites": list(event.sites),
        "Time": f"{datetime.fromtimestamp(event.time, UTC):%Y-%m-%dT%H:%M:%SZ}",
    }
    return gotemplate.compile(template, FunctionTable({})).execute(data)


def _login(user: str, password: str) -> dict[str, str]:
    """A password without a user is a token."""
    if not password:
        return {}
    if not user:
        return {"Authorization": f"Bearer {password}"}
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def _webhook(url: str, headers: dict[str, str], title: str, text: str, event: Event, is_own: bool) -> Request:
    if is_own:
        return Request(url, text.encode(), {**headers, "Content-Type": _type_of(text)})
    return _json(url, headers, {**as_document(event), "title": title, "text": text})


def _type_of(text: str) -> str:
    try:
        json.loads(text)
    except ValueError:
        return "text/plain; charset=utf-8"
    return "application/json"


def _ntfy(url: str, headers: dict[str, str], title: str, text: str, event: Event, is_own: bool) -> Request:
    """See https://docs.ntfy.sh/publish/."""
    encoded = f"=?UTF-8?B?{base64.b64encode(title.encode()).decode()}?="
    is_bad = event.kind in _BAD
    own = {"Title": encoded, "Priority": "4" if is_bad else "3", "Tags": "warning" if is_bad else "white_check_mark"}
    return Request(url, text.encode(), {**headers, **own, "Content-Type": "text/plain; charset=utf-8"})


def _gotify(url: str, headers: dict[str, str], title: str, text: str, event: Event, is_own: bool) -> Request:
    """See https://gotify.net/docs/pushmsg. The token of the URL goes into a header, which logs do not have."""
    parts = urlsplit(url)
    token = parse_qs(parts.query).get("token", [""])[0]
    path = parts.path if parts.path.rstrip("/").endswith("/message") else parts.path.rstrip("/") + "/message"
    given = {**headers, **({"X-Gotify-Key": token} if token else {})}
    message = {"title": title, "message": text, "priority": 8 if event.kind in _BAD else 4}
    return _json(urlunsplit(parts._replace(path=path, query="")), given, message)


def _slack(url: str, headers: dict[str, str], title: str, text: str, event: Event, is_own: bool) -> Request:
    """See https://docs.slack.dev/messaging/formatting-message-text: text of labels can mention nobody."""
    shown = f"*{title}*\n{text}".replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _json(url, headers, {"text": shown})


def _discord(url: str, headers: dict[str, str], title: str, text: str, event: Event, is_own: bool) -> Request:
    """See https://discord.com/developers/docs/resources/webhook#execute-webhook."""
    return _json(url, headers, {"content": f"**{title[:90]}**\n{text}", "allowed_mentions": {"parse": []}})


def _json(url: str, headers: Mapping[str, str], content: object) -> Request:
    body = json.dumps(content, ensure_ascii=False).encode()
    return Request(url, body, {**headers, "Content-Type": "application/json"})


_FORMATS: Mapping[str, Callable[[str, dict[str, str], str, str, Event, bool], Request]] = {
    "webhook": _webhook,
    "ntfy": _ntfy,
    "gotify": _gotify,
    "slack": _slack,
    "discord": _discord,
}
