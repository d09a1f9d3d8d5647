"""Private keys as PEM text."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
    load_pem_private_key,
)
from dockcaddy.gotemplate import FunctionError, go_bytes

PrivateKey = rsa.RSAPrivateKey | dsa.DSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
KINDS = (rsa.RSAPrivateKey, dsa.DSAPrivateKey, ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey)
_MAKERS: Mapping[str, Callable[[], PrivateKey]] = {
    "": lambda: rsa.generate_private_key(65537, 4096),
    "rsa": lambda: rsa.generate_private_key(65537, 4096),
    "dsa": lambda: dsa.generate_private_key(2048),
    "ecdsa": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
}
_BLOCK = re.compile(r"-----BEGIN ([^\n-]*)-----[ \t]*\r?\n(.*?)\n?-----END \1-----", re.DOTALL)


def rsa_2048() -> PrivateKey:
    """The key of a certificate that is given none."""
    return rsa.generate_private_key(65537, 2048)


def new_key(kind: str) -> str:
    """A new key as PEM text; the kind is rsa (the default), dsa, ecdsa or ed25519."""
    return as_pem(_MAKERS[kind]())


def as_pem(key: PrivateKey) -> str:
    """The key's own form where it has one, else PKCS #8."""
    own = not isinstance(key, ed25519.Ed25519PrivateKey)
    kind = PrivateFormat.TraditionalOpenSSL if own else PrivateFormat.PKCS8
    return key.private_bytes(Encoding.PEM, kind, NoEncryption()).decode()


def pem_block(text: str) -> tuple[str, bytes] | None:
    """The type and the bytes of the first block, None where there is none."""
    for found in _BLOCK.finditer(text):
        try:
            return found[1], base64.b64decode("".join(found[2].split()), validate=True)
        except binascii.Error:
            continue
    return None


def read_key(text: str) -> PrivateKey:
    """The key of PEM text. Raises FunctionError with sprig's words."""
    block = pem_block(text)
    if block is None:
        raise FunctionError("no PEM data in input")
    kind, data = block
    if kind == "PRIVATE KEY":
        return _loaded(lambda: load_der_private_key(data, None), "decoding PEM as PKCS#8")
    if not kind.endswith(" PRIVATE KEY"):
        raise FunctionError(f"no private key data in PEM block of type {kind}")
    name = kind.removesuffix(" PRIVATE KEY")
    if name not in ("RSA", "EC", "DSA"):
        raise FunctionError(f"invalid private key type {name}")
    return _loaded(lambda: load_pem_private_key(go_bytes(text), None), f"parsing {name} private key from PEM")


def _loaded(load: Callable[[], object], doing: str) -> PrivateKey:
    try:
        key = load()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise FunctionError(f"{doing}: the key cannot be read") from None
    if not isinstance(key, KINDS):
        raise FunctionError(f"{doing}: keys of this kind are not supported")
    return key
