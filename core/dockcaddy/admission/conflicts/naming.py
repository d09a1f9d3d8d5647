"""The line of a Caddyfile that a handler in Caddy's JSON came from, for messages. Pure."""

from collections.abc import Iterable, Iterator, Sequence

from dockcaddy.admission.conflicts.walk import ASK, BLOCK, Event
from dockcaddy.caddyfile import Block, all_blocks
from dockcaddy.caddyjson.document import encoded
from dockcaddy.caddyjson.handlers import DIRECTIVES


def line_of(event: Event, blocks: Iterable[Block]) -> Block | None:
    """The line among blocks that a handler came from, or the import that brought it; None where there is none."""
    text = b"".join(event.chain).decode() + encoded(event.handler).decode()
    names = _names_of(event)
    lines = [line for line in all_blocks(blocks) if line.keys]
    found = [line for line in lines if line.keys[0] in names]
    if not found:
        return next((line for line in lines if line.keys[0] in ("import", "invoke")), None)
    return max(found, key=lambda line: _likeness(line, text, names))


def directive_of(event: Event) -> str:
    """The directive that usually becomes this handler."""
    handler = event.handler
    if handler.get("abort"):
        return "abort"
    if "Location" in (handler.get("headers") or {}) and handler["handler"] == "static_response":
        return "redir"
    if event.is_of_files and handler["handler"] == "reverse_proxy":
        return "php_fastcgi"
    if event.kind == ASK:
        return "forward_auth"
    if event.kind == BLOCK:
        return "handle"
    return DIRECTIVES.get(handler["handler"], (str(handler["handler"]),))[0]


def _names_of(event: Event) -> Sequence[str]:
    usual = directive_of(event)
    return usual, *DIRECTIVES.get(event.handler["handler"], ())


def _likeness(line: Block, text: str, names: Sequence[str]) -> tuple[int, int]:
    words = list(_words(line))
    found = sum(word in text for word in words)
    return 2 * found - len(words), -names.index(line.keys[0])


def _words(line: Block) -> Iterator[str]:
    return (encoded(key.rstrip("*")).decode()[1:-1] for key in line.keys[1:] if not key.startswith(("@", "{")))
