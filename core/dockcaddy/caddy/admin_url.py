"""The URLs of admin APIs, as Caddy and its documentation write them. Pure."""

from urllib.parse import urlsplit

from dockcaddy.errors import SettingsError


def address_of(url: str) -> tuple[str | None, str, int]:
    """Unix path, host and port of an admin URL. Raises SettingsError."""
    text = url.strip()
    if text.startswith("unix"):
        path = text.removeprefix("unix://" if text.startswith("unix://") else "unix/")
        if not path.startswith("/"):
            raise SettingsError(f'caddy admin URL "{url}" is not understood, write unix//PATH or http://HOST:PORT')
        return path.partition("|")[0], "", 0
    if text.startswith("tcp/"):
        text = text.removeprefix("tcp/")
    if "//" not in text:
        text = f"http://{text}"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "localhost", parts.port or 2019
    except ValueError as error:
        raise SettingsError(f'caddy admin URL "{url}": {error}') from None
    if parts.scheme not in ("http", "https"):
        raise SettingsError(
            f'caddy admin URL "{url}": scheme {parts.scheme} is not supported, use http, https or a unix socket'
        )
    return None, host, port
