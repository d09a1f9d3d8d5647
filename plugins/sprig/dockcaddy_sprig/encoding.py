"""Base64 and base32; a text that cannot be decoded gives the error as text, as sprig does."""

import base64
from collections.abc import Callable

from dockcaddy import Context
from dockcaddy.gotemplate import go_bytes, go_string

from dockcaddy_sprig.go import warned

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
        return warned(context, str(error))


def b32enc(context: Context, text: str) -> str:
    """The text in base32."""
    return base64.b32encode(go_bytes(text)).decode()


def b32dec(context: Context, text: str) -> str:
    """What the base32 text says."""
    try:
        return go_string(_from_base32(text))
    except ValueError as error:
        return warned(context, str(error))


def from_base64(text: str) -> bytes:
    """The bytes. Raises ValueError with Go's words."""
    data, made, at = go_bytes(text), bytearray(), 0
    digits = {ord(letter): value for value, letter in enumerate(_BASE64)}
    while at < len(data):
        group, at = _four(data, at, digits)
        made += _bytes_of(group, 6)
        if at < len(data) and len(group) < 4:
            raise _corrupt("base64", at)
    return bytes(made)


def _four(data: bytes, at: int, digits: dict[int, int]) -> tuple[list[int], int]:
    """The digits of one group, fewer before padding, and where the next begins."""
    group: list[int] = []
    while len(group) < 4:
        if at == len(data):
            if group:
                raise _corrupt("base64", at - len(group))
            break
        byte = data[at]
        at += 1
        if byte in digits:
            group.append(digits[byte])
        elif byte == ord("="):
            return group, _padded(data, at, len(group))
        elif byte not in b"\r\n":
            raise _corrupt("base64", at - 1)
    return group, at


def _padded(data: bytes, at: int, count: int) -> int:
    """Where the padding ends whose first sign was read."""
    if count < 2:
        raise _corrupt("base64", at - 1)
    if count == 2:
        at = _past_line_breaks(data, at)
        if at == len(data):
            raise _corrupt("base64", at)
        if data[at] != ord("="):
            raise _corrupt("base64", at - 1)
        at += 1
    return _past_line_breaks(data, at)


def _past_line_breaks(data: bytes, at: int) -> int:
    while at < len(data) and data[at] in b"\r\n":
        at += 1
    return at


def _from_base32(text: str) -> bytes:
    data = go_bytes(text).replace(b"\r", b"").replace(b"\n", b"")
    digits = {ord(letter): value for value, letter in enumerate(_BASE32)}
    made, group = bytearray(), list[int]()
    for at, byte in enumerate(data):
        left = len(data) - at - 1
        if byte == ord("=") and len(group) >= 2 and left < 8:
            _check_padding(data, at, len(group))
            return bytes(made + _bytes_of(group, 5))
        if byte not in digits:
            raise _corrupt("base32", at)
        group.append(digits[byte])
        if len(group) == 8:
            made += _bytes_of(group, 5)
            group = []
    if group:
        raise _corrupt("base32", len(data) - len(group))
    return bytes(made)


def _check_padding(data: bytes, at: int, count: int) -> None:
    """Refuse padding that is too short, is none, or stands behind a number of digits that says nothing."""
    if len(data) - at - 1 + count < 7:
        raise _corrupt("base32", len(data))
    for place in range(at + 1, min(at + 8 - count, len(data))):
        if data[place] != ord("="):
            raise _corrupt("base32", place - 1)
    if count in (3, 6):
        raise _corrupt("base32", at)


def _corrupt(name: str, place: int) -> ValueError:
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
