"""URLs taken apart and put together as Go's net/url does it."""

import ipaddress
import re
from urllib.parse import quote

from attrs import frozen
from dockcaddy import gotemplate
from dockcaddy.gotemplate import go_bytes, go_string

_USER = re.compile(r"[A-Za-z0-9\-._:~!$&'()*+,;=%@]*", re.ASCII)
# characters that each part has unescaped, beside letters, digits and -_.~
PATH, USER, HOST, FRAGMENT = "$&+,/:;=@", "$&+,;=", "!$&'()*+,;=:[]<>\"", "!$&()*+,/:;=?@"


class UrlError(Exception):
    """A text that is no URL; the message is Go's."""


@frozen
class Url:
    """The parts of a URL; `user` is escaped, None where there is none."""

    scheme: str = ""
    opaque: str = ""
    user: str | None = None
    host: str = ""
    path: str = ""
    query: str = ""
    fragment: str = ""
    has_query: bool = False

    @property
    def hostname(self) -> str:
        """The host without its port."""
        bracketed = re.match(r"\[(.*)\]", self.host, re.DOTALL)
        if bracketed:
            return bracketed[1]
        name, colon, port = self.host.rpartition(":")
        return name if colon and re.fullmatch(r"[0-9]*", port, re.ASCII) else self.host

    def __str__(self) -> str:
        """The whole URL."""
        made = f"{self.scheme}:" if self.scheme else ""
        made += self.opaque or self._place(bool(made))
        query = f"?{self.query}" if self.query or self.has_query else ""
        return made + query + (f"#{escaped(self.fragment, FRAGMENT)}" if self.fragment else "")

    def _place(self, has_scheme: bool) -> str:
        made = ""
        if self.host or self.user is not None or (self.scheme and self.path):
            user = f"{self.user}@" if self.user is not None else ""
            made = f"//{user}{escaped(self.host, HOST)}"
        path = "*" if self.path == "*" else escaped(self.path, PATH)
        if path and path[0] != "/" and self.host:
            made += "/"
        if not made and not has_scheme and ":" in path.partition("/")[0]:
            made = "./"
        return made + path


def escaped(text: str, kept: str) -> str:
    """The text with `%XX` for what does not stand in the part of a URL as it is."""
    return quote(go_bytes(text), safe=kept)


def parse(text: str) -> Url:
    """The URL. Raises UrlError with Go's words."""
    before, _, fragment = text.partition("#")
    try:
        made = _parsed(before)
    except UrlError as error:
        raise UrlError(f"parse {gotemplate.quote(before)}: {error}") from None
    try:
        fragment = unescaped(fragment)
    except UrlError as error:
        raise UrlError(f"parse {gotemplate.quote(text)}: {error}") from None
    return Url(made.scheme, made.opaque, made.user, made.host, made.path, made.query, fragment, made.has_query)


def _parsed(text: str) -> Url:
    if any(each < " " or each == "\x7f" for each in text):
        raise UrlError("net/url: invalid control character in URL")
    if text == "*":
        return Url(path="*")
    if text.startswith(":"):
        raise UrlError("missing protocol scheme")
    found = re.match(r"([A-Za-z][A-Za-z0-9+.\-]*):", text, re.ASCII)
    scheme = found[1].lower() if found else ""
    rest = text[found.end() :] if found else text
    has_query = rest.endswith("?") and rest.count("?") == 1
    rest, _, query = rest.partition("?")
    if not rest.startswith("/"):
        if scheme:
            return Url(scheme, opaque=rest, query=query, has_query=has_query)
        if ":" in rest.partition("/")[0]:
            raise UrlError("first path segment in URL cannot contain colon")
    user, host = None, ""
    if rest.startswith("//") and (scheme or not rest.startswith("///")):
        authority, slash, path = rest[2:].partition("/")
        rest = slash + path
        user, host = _authority(scheme, authority)
    return Url(scheme, "", user, host, unescaped(rest), query, "", has_query)


def _authority(scheme: str, authority: str) -> tuple[str | None, str]:
    user, at, host = authority.rpartition("@")
    host = _host(scheme, host)
    if not at:
        return None, host
    if not _USER.fullmatch(user):
        raise UrlError("net/url: invalid userinfo")
    name, colon, password = user.partition(":")
    return escaped(unescaped(name), USER) + colon + escaped(unescaped(password), USER), host


def _host(scheme: str, host: str) -> str:
    bracket = host.rfind("[")
    if bracket > 0:
        raise UrlError("invalid IP-literal")
    if bracket == 0:
        return _literal(host)
    if ":" in host:
        first = host.find(":") if scheme in ("http", "https") else host.rfind(":")
        _check_port(host[first:])
    return unescaped(host, in_host=True)


def _literal(host: str) -> str:
    inside, bracket, port = host[1:].rpartition("]")
    if not bracket:
        raise UrlError("missing ']' in host")
    _check_port(port)
    name, percent, zone = inside.partition("%25")
    name = unescaped(name, in_host=True) + (unescaped(percent + zone) if percent else "")
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        raise UrlError(f"invalid host: ParseAddr({gotemplate.quote(name)}): {_unreadable(name)}") from None
    if address.version == 4:
        raise UrlError("invalid IP-literal")
    return f"[{name}]{port}"


def _unreadable(name: str) -> str:
    return "unable to parse IP" if ":" not in name and "." not in name else "invalid address"


def _check_port(port: str) -> None:
    if port and not re.fullmatch(r":[0-9]*", port, re.ASCII):
        raise UrlError(f"invalid port {gotemplate.quote(port)} after host")


def unescaped(text: str, *, in_host: bool = False) -> str:
    """The text with each `%XX` replaced. Raises UrlError."""
    data, made, at = go_bytes(text), bytearray(), 0
    while at < len(data):
        byte = data[at : at + 1]
        if byte == b"%":
            code = data[at : at + 3]
            if not re.fullmatch(rb"%[0-9a-fA-F]{2}", code):
                raise UrlError(f"invalid URL escape {gotemplate.quote(go_string(code))}")
            if in_host and code[1:2] in b"01234567" and code != b"%25":
                raise UrlError(f"invalid URL escape {gotemplate.quote(go_string(code))}")
            made.append(int(code[1:], 16))
            at += 3
            continue
        if in_host and byte < b"\x80" and not (byte.isalnum() or byte.decode() in f"-_.~{HOST}"):
            raise UrlError(f"invalid character {gotemplate.quote(byte.decode())} in host name")
        made += byte
        at += 1
    return go_string(bytes(made))
