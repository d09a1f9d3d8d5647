"""Where notifications go: `KIND=URL`. A URL may have `{env:NAME}` and `{file:/path}` in place of a secret."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from attrs import frozen

KINDS = ("webhook", "ntfy", "gotify", "slack", "discord")
_SECRET = re.compile(r"\{(env|file):([^{}]+)\}")


class NoSecret(Exception):
    """A secret that cannot be read."""


@frozen
class Target:
    """A target; `url` may have secrets in it, and is never shown."""

    kind: str
    url: str

    def __str__(self) -> str:
        """Kind and host, as messages name it: `ntfy ntfy.example.org`."""
        return f"{self.kind} {_SECRET.sub('...', urlsplit(_SECRET.sub('x', self.url)).hostname or '')}"

    def address(self, environment: Mapping[str, str] | None = None) -> tuple[str, tuple[str, str]]:
        """The URL without a login, and the login. Read anew each time, so that a secret can be replaced. Raises NoSecret."""
        variables = os.environ if environment is None else environment

        def secret(found: "re.Match[str]") -> str:
            kind, name = found.groups()
            if kind == "env":
                if name not in variables:
                    raise NoSecret(f"the variable {name} is not set")
                return variables[name]
            try:
                return Path(name).read_text().strip()
            except (OSError, UnicodeDecodeError) as error:
                raise NoSecret(f"{name} cannot be read: {getattr(error, 'strerror', None) or 'not UTF-8'}") from error

        parts = urlsplit(_SECRET.sub(secret, self.url))
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit(parts._replace(netloc=host)), (parts.username or "", parts.password or "")


def parsed(text: str) -> Target:
    """The target of a setting. Raises ValueError; the message does not have the URL, which may be a secret."""
    kind, sign, url = text.partition("=")
    if not sign or kind.strip() not in KINDS:
        raise ValueError(f"expected KIND=URL with KIND one of {', '.join(KINDS)}")
    without_secrets = _SECRET.sub("x", url.strip())
    # a whole URL may be a secret
    if without_secrets != "x" and not re.match(r"https?://[^/\s]+", without_secrets):
        raise ValueError(f"{kind}: expected a URL that begins with https:// or http://")
    return Target(kind.strip(), url.strip())
