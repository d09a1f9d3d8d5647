"""Hashes, passwords and AES. What needs randomness is made once, and kept as long as label and resource are the same."""

import base64
import hashlib
import hmac
import secrets
import zlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated

from dockcaddy import Context, gotemplate
from dockcaddy.gotemplate import UINT32, FunctionError, go_bytes, go_string

from dockcaddy_sprig.encoding import from_base64
from dockcaddy_sprig.go import warned

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers import Cipher, modes

# what a hash takes in steps of a template: a resource gets a handful
BCRYPT_STEPS, SCRYPT_STEPS = 6_000, 12_000
_LONGEST_PASSWORD = 72
_SEED = b"com.lyndir.masterpassword"
_BLOCK = 16

_LONG = (
    "CvcvnoCvcvCvcv CvcvCvcvnoCvcv CvcvCvcvCvcvno CvccnoCvcvCvcv CvccCvcvnoCvcv CvccCvcvCvcvno CvcvnoCvccCvcv "
    "CvcvCvccnoCvcv CvcvCvccCvcvno CvcvnoCvcvCvcc CvcvCvcvnoCvcc CvcvCvcvCvccno CvccnoCvccCvcv CvccCvccnoCvcv "
    "CvccCvccCvcvno CvcvnoCvccCvcc CvcvCvccnoCvcc CvcvCvccCvccno CvccnoCvcvCvcc CvccCvcvnoCvcc CvccCvcvCvccno"
)
_TEMPLATES: Mapping[str, tuple[str, ...]] = {
    "maximum": ("anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"),
    "long": tuple(_LONG.split()),
    "medium": ("CvcnoCvc", "CvcCvcno"),
    "short": ("Cvcn",),
    "basic": ("aaanaaan", "aannaaan", "aaannaaa"),
    "pin": ("nnnn",),
}
_CHARACTERS: Mapping[str, str] = {
    "V": "AEIOU",
    "C": "BCDFGHJKLMNPQRSTVWXYZ",
    "v": "aeiou",
    "c": "bcdfghjklmnpqrstvwxyz",
    "A": "AEIOUBCDFGHJKLMNPQRSTVWXYZ",
    "a": "AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
    "n": "0123456789",
    "o": "@&%?,=[]_:-+*$#!'^~;()/.",
    "x": "AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
}


def sha1sum(context: Context, text: str) -> str:
    """The SHA-1 hash, in hexadecimal."""
    return hashlib.sha1(go_bytes(text), usedforsecurity=False).hexdigest()


def sha256sum(context: Context, text: str) -> str:
    """The SHA-256 hash, in hexadecimal."""
    return hashlib.sha256(go_bytes(text)).hexdigest()


def sha512sum(context: Context, text: str) -> str:
    """The SHA-512 hash, in hexadecimal."""
    return hashlib.sha512(go_bytes(text)).hexdigest()


def adler32sum(context: Context, text: str) -> str:
    """The Adler-32 checksum, in decimal."""
    return str(zlib.adler32(go_bytes(text)))


def bcrypt(context: Context, password: str) -> str:
    """The password's bcrypt hash, as basic_auth takes it."""
    data = go_bytes(password)
    if len(data) > _LONGEST_PASSWORD:
        problem = f"bcrypt: password length exceeds {_LONGEST_PASSWORD} bytes"
        return warned(context, f"failed to encrypt string with bcrypt: {problem}")
    _spend(context, BCRYPT_STEPS, "bcrypt")
    return context.keep(lambda: _hashed(data), data)


def _hashed(data: bytes) -> str:
    import bcrypt as library  # noqa: PLC0415  few labels need it

    return library.hashpw(data, library.gensalt(10, b"2a")).decode()


def _spend(context: Context, steps: int, kind: str) -> None:
    """Count one hash. Raises FunctionError where the labels make too many of them."""
    try:
        context.spend(steps)
    except FunctionError as error:
        most = gotemplate.DEFAULT.steps // steps
        raise FunctionError(f"{error}, which are at most {most} {kind} hashes for all labels together") from None


def htpasswd(context: Context, user: str, password: str) -> str:
    """A line of an htpasswd file: the user and the password's bcrypt hash."""
    if ":" in user:
        return warned(context, f"invalid username: {user}")
    return f"{user}:{bcrypt(context, password)}"


def derive_password(
    context: Context, counter: Annotated[int, UINT32], kind: str, password: str, user: str, site: str
) -> str:
    """The password of a site by the Master Password algorithm; KIND is maximum, long, medium, short, basic or pin."""
    templates = _TEMPLATES.get(kind)
    if templates is None:
        return warned(context, f"cannot find password template {kind}")
    _spend(context, SCRYPT_STEPS, "scrypt")
    salt = _SEED + _sized(user)
    key = hashlib.scrypt(go_bytes(password), salt=salt, n=32768, r=8, p=2, dklen=64, maxmem=64 * 1024 * 1024)
    seed = hmac.digest(key, _SEED + _sized(site) + counter.to_bytes(4, "big"), "sha256")
    template = templates[seed[0] % len(templates)]
    characters = (_CHARACTERS[each] for each in template)
    return "".join(each[byte % len(each)] for each, byte in zip(characters, seed[1:], strict=False))


def _sized(text: str) -> bytes:
    data = go_bytes(text)
    return len(data).to_bytes(4, "big") + data


def _cipher(password: str, start: bytes) -> "Cipher[modes.CBC]":
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # noqa: PLC0415  slow to import

    key = go_bytes(password)[:32].ljust(32, b"\0")
    return Cipher(algorithms.AES(key), modes.CBC(start))


def encrypt_aes(context: Context, password: str, text: str) -> str:
    """The text encrypted with AES-256 in CBC mode, in base64."""
    if not text:
        return ""
    data = go_bytes(text)
    padding = _BLOCK - len(data) % _BLOCK
    start = context.keep(lambda: secrets.token_bytes(_BLOCK), password, text)
    encryptor = _cipher(password, start).encryptor()
    made = encryptor.update(data + bytes((padding,)) * padding) + encryptor.finalize()
    return base64.b64encode(start + made).decode()


def decrypt_aes(context: Context, password: str, encrypted: str) -> str:
    """What encryptAES encrypted."""
    if not encrypted:
        return ""
    try:
        data = from_base64(encrypted)
    except ValueError as error:
        raise FunctionError(str(error)) from None
    if len(data) < _BLOCK:
        raise FunctionError(f"runtime error: slice bounds out of range [:{_BLOCK}] with capacity {len(data)}")
    if len(data) % _BLOCK:
        raise FunctionError("crypto/cipher: input not full blocks")
    if len(data) == _BLOCK:
        raise FunctionError("runtime error: index out of range [-1]")
    decryptor = _cipher(password, data[:_BLOCK]).decryptor()
    made = decryptor.update(data[_BLOCK:]) + decryptor.finalize()
    end = len(made) - made[-1]
    if end < 0:
        raise FunctionError(f"runtime error: slice bounds out of range [:{end}]")
    return go_string(made[:end])


FUNCTIONS: dict[str, Callable[..., object]] = {
    "adler32sum": adler32sum,
    "bcrypt": bcrypt,
    "decryptAES": decrypt_aes,
    "derivePassword": derive_password,
    "encryptAES": encrypt_aes,
    "htpasswd": htpasswd,
    "sha1sum": sha1sum,
    "sha256sum": sha256sum,
    "sha512sum": sha512sum,
}
