"""The line of a Caddyfile that a handler in Caddy's JSON came from, for messages. Pure."""

from collections.abc import Iterable, Iterator, Sequence

from dockcaddy.admission.conflicts.conflict import Member, label_of
from dockcaddy.admission.conflicts.walk import Event
from dockcaddy.caddyfile import Block, all_blocks
from dockcaddy.caddyjson.definitions import used_key
from dockcaddy.caddyjson.document import encoded
from dockcaddy.caddyjson.handlers import DIRECTIVES


def described(member: Member, event: Event) -> tuple[str, str]:
    """The directive that a handler of a member came from, and its label, or that of the import that brought it."""
    line = line_of(event, member.blocks) or line_of(event, member.fragment.blocks)
    if line is not None:
        return line.keys[0], label_of(line)
    imported = next(filter(used_key, all_blocks(member.fragment.blocks)), None)
    return _directive_of(event), label_of(imported) if imported is not None else ""


def line_of(event: Event, blocks: Iterable[Block]) -> Block | None:
    """The line among blocks that a handler came from; None where there is none."""
    text = b"".join(event.chain).decode() + encoded(event.handler).decode()
    names = (_directive_of(event), *DIRECTIVES.get(event.handler["handler"], ()))
    found = [line for line in all_blocks(blocks) if line.keys and line.keys[0] in names]
    return max(found, key=lambda line: _likeness(line, text, names), default=None)


def _directive_of(event: Event) -> str:
    """The directive that usually becomes this handler."""
    handler = event.handler
    if handler.get("abort"):
        return "abort"
    if "Location" in (handler.get("headers") or {}) and handler["handler"] == "static_response":
        return "redir"
    if event.is_of_files and handler["handler"] == "reverse_proxy":
        return "php_fastcgi"
    if event.kind == "ask":
        return "forward_auth"
    if event.kind == "block":
        return "handle"
    return DIRECTIVES.get(handler["handler"], (str(handler["handler"]),))[0]


def _likeness(line: Block, text: str, names: Sequence[str]) -> tuple[int, int]:
    words = list(_words(line))
    found = sum(word in text for word in words)
    return 2 * found - len(words), -names.index(line.keys[0])


def _words(line: Block) -> Iterator[str]:
    return (encoded(key.rstrip("*")).decode()[1:-1] for key in line.keys[1:] if not key.startswith(("@", "{")))
