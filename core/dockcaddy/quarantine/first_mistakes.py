"""Common mistakes in the first labels that people write, and what to write instead. Pure."""

import re
from collections.abc import Iterator

_LEVELS = "debug, info, warn, error, panic, fatal"
_HASH = "write the hash of the password, as caddy hash-password prints it, and in Compose files $$ for each $"
_SUBJECT = re.compile(r"subject does not qualify for certificate: '([^']*)'")
_UNREPLACED = re.compile(r"\$\{?(\w+)")
_OF_CADDY = re.compile(r"\{env\.([^{}]+)\}")
_READ_BY_CADDY = re.compile(r"\{\$([^{}:]+)\}")
_BY_WORDS = (
    (re.compile(r"unrecognized log level: "), f"there are {_LEVELS}"),
    (re.compile(r"conflicting scheme \(https://\)"), "leave out https://, or name the port that answers HTTPS"),
    (re.compile(r"Not a supported redir code"), "write permanent, temporary, html, or a status such as 301"),
    (re.compile(r"unrecognized hash algorithm"), "each user has a label of its own, like caddy.basic_auth.alice: HASH"),
    (re.compile(r"base64-decoding password|username and password cannot be empty"), _HASH),
)


def further_remedy(words: str, content: str) -> str:
    """`, ` and what to do about this message of Caddy's for labels with this content; `""` where that is unknown."""
    found = next((remedy for pattern, remedy in _BY_WORDS if pattern.search(words)), "")
    subject = _SUBJECT.search(words)
    found = found or (next(_of_address(subject[1], content), "") if subject else "")
    return f", {found}" if found else ""


def _of_address(address: str, content: str) -> Iterator[str]:
    """What is wrong with a site's address for which no certificate can be obtained."""
    if address.startswith("<no"):
        yield "its template reads something that does not exist"
    if of_caddy := _OF_CADDY.search(address):
        yield f"in an address write {{${of_caddy[1]}}}"
    if unreplaced := _UNREPLACED.search(address):
        name = unreplaced[1].upper()
        yield f'write {{{{env "{name}"}}}} for a variable of the container, {{${name}}} for one of Caddy\'s'
    if unset := _READ_BY_CADDY.search(content):
        yield f"{{${unset[1]}}} is a variable of Caddy's: is it set, or in the --envfile"
    if address.endswith("."):
        yield "leave out the dot at its end"
