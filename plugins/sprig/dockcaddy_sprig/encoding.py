"""Base64 and base32; a text that cannot be decoded gives the error as text, as sprig does."""

import base64
from collections.abc import Callable

from dockcaddy import Context
from dockcaddy.gotemplate import go_bytes, go_string

_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def b64enc(context: Context, text: str) -> str:
    """The text in base64."""
    return base64.b64encode(go_bytes(text)).decode()


def b64dec(context: Context, text: str) -> str:
    """What the base64 text says."""
    try:
        return go_string(from_base64(text))
    except ValueError as error:
        return str(error)


def b32enc(context: Context, text: str) -> str:
    """The text in base32."""
    return base64.b32encode(go_bytes(text)).decode()


def b32dec(context: Context, text: str) -> str:
    """What the base32 text says."""
    try:
        return go_string(_decoded(text, _BASE32, 5, "base32"))
    except ValueError as error:
        return str(error)


def from_base64(text: str) -> bytes:
    """The bytes. Raises ValueError with Go's words."""
    return _decoded(text, _BASE64, 6, "base64")


def _decoded(text: str, alphabet: str, bits: int, name: str) -> bytes:
    data = go_bytes(text)
    digits = {ord(letter): value for value, letter in enumerate(alphabet)}
    made, group, size = bytearray(), [], 4 if bits == 6 else 8
    at, last = 0, -1
    places = [place for place, byte in enumerate(data) if byte not in b"\r\n"]
    while at < len(places):
        byte = data[places[at]]
        if byte == ord("="):
            last = at
            break
        if byte not in digits:
            raise _corrupt(name, places[at], data, bits)
        group.append(digits[byte])
        at += 1
        if len(group) == size:
            made += _bytes_of(group, bits)
            group = []
    if last < 0 and not group:
        return bytes(made)
    return bytes(made + _last_group(data, places, last, group, bits, name))


def _last_group(data: bytes, places: list[int], last: int, group: list[int], bits: int, name: str) -> bytes:
    """What an unfinished group and its padding say."""
    size = 4 if bits == 6 else 8
    allowed = (2, 3) if bits == 6 else (2, 4, 5, 7)
    if last < 0:
        begin = places[len(places) - len(group)]
        raise _corrupt(name, begin if bits == 5 else _unfinished(data, places, len(group)), data, bits)
    if len(group) not in allowed:
        raise _corrupt(name, places[last], data, bits)
    for number in range(size - len(group)):
        if last + number >= len(places):
            raise _corrupt(name, len(data), data, bits)
        if data[places[last + number]] != ord("="):
            raise _corrupt(name, places[last + number], data, bits)
    after = last + size - len(group)
    if after < len(places):
        raise _corrupt(name, places[after], data, bits)
    return _bytes_of(group, bits)


def _unfinished(data: bytes, places: list[int], count: int) -> int:
    return places[len(places) - count]


def _corrupt(name: str, place: int, data: bytes, bits: int) -> ValueError:
    return ValueError(f"illegal {name} data at input byte {place}")


def _bytes_of(group: list[int], bits: int) -> bytes:
    number = 0
    for digit in group:
        number = number << bits | digit
    spare = len(group) * bits % 8
    return (number >> spare).to_bytes(len(group) * bits // 8, "big")


FUNCTIONS: dict[str, Callable[..., object]] = {
    "b32dec": b32dec,
    "b32enc": b32enc,
    "b64dec": b64dec,
    "b64enc": b64enc,
}
