"""Keys and certificates: made once, and kept as long as label and resource are the same."""

import ipaddress
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Annotated

from dockcaddy import Context
from dockcaddy.gotemplate import STRING, Field, FunctionError, Type, Value, go_string

from dockcaddy_sprig.encoding import from_base64
from dockcaddy_sprig.go import List, dynamic, shown, warned
from dockcaddy_sprig.subject import Pair, Subject

# what making a key takes in steps of a template
_STEPS: Mapping[str, int] = {"": 20_000, "rsa": 20_000, "dsa": 20_000, "ecdsa": 200, "ed25519": 200}
# the same of a key of 2048 bits, and of signing
_KEY_STEPS, _SIGN_STEPS = 5_000, 500
_MOST_NAMES = 100

_CERTIFICATE = Type(
    "struct",
    "sprig.certificate",
    fields={"Cert": Field(STRING, lambda pair: pair.cert), "Key": Field(STRING, lambda pair: pair.key)},
)
Certificate = Annotated[Value, _CERTIFICATE]


def gen_private_key(context: Context, kind: str) -> str:
    """A private key; KIND is rsa, dsa, ecdsa or ed25519."""
    if kind not in _STEPS:
        return warned(context, f"Unknown type {kind}")
    context.spend(_STEPS[kind])
    return context.keep(lambda: str(_signing().new_key(kind)), kind)


def gen_ca(context: Context, name: str, days: int) -> Certificate:
    """A certificate authority: its .Cert and its .Key."""
    return _certificate(context, lambda: Subject(name, (), (), days, is_authority=True))


def gen_ca_with_key(context: Context, name: str, days: int, key: str) -> Certificate:
    """A certificate authority with a key of yours: its .Cert and its .Key."""
    return _certificate(context, lambda: Subject(name, (), (), days, is_authority=True), key)


def gen_self_signed(context: Context, name: str, addresses: List, names: List, days: int) -> Certificate:
    """A certificate that it signs itself: its .Cert and its .Key."""
    return _certificate(context, lambda: _subject(context, name, addresses, names, days))


def gen_self_signed_with_key(
    context: Context, name: str, addresses: List, names: List, days: int, key: str
) -> Certificate:
    """A certificate with a key of yours that it signs itself: its .Cert and its .Key."""
    return _certificate(context, lambda: _subject(context, name, addresses, names, days), key)


def gen_signed(context: Context, name: str, addresses: List, names: List, days: int, ca: Certificate) -> Certificate:
    """A certificate that an authority signs: its .Cert and its .Key."""
    return _certificate(context, lambda: _subject(context, name, addresses, names, days), authority=ca.data)


def gen_signed_with_key(
    context: Context, name: str, addresses: List, names: List, days: int, ca: Certificate, key: str
) -> Certificate:
    """A certificate with a key of yours that an authority signs: its .Cert and its .Key."""
    return _certificate(context, lambda: _subject(context, name, addresses, names, days), key, ca.data)


def build_custom_cert(context: Context, certificate: str, key: str) -> Certificate:
    """A certificate of base64 texts: its .Cert and its .Key."""
    try:
        cert = go_string(from_base64(certificate))
    except ValueError:
        raise FunctionError("unable to decode base64 certificate") from None
    try:
        private = go_string(from_base64(key))
    except ValueError:
        raise FunctionError("unable to decode base64 private key") from None
    _signing().read_pair(Pair(cert, private), "decodedCert.Bytes")
    return Value(_CERTIFICATE, Pair(cert, private))


def _signing() -> ModuleType:
    from dockcaddy_sprig import signing  # noqa: PLC0415  cryptography is slow to import

    return signing


def _certificate(
    context: Context, subject_of: Callable[[], Subject], key: str | None = None, authority: Pair | None = None
) -> Value:
    """A certificate with a key, a new one by default; it signs itself without an authority. Errors come in sprig's order."""
    signing = _signing()
    own = None if key is None else signing.own_key(key)
    signer = None if authority is None else signing.signer_of(authority)
    subject = subject_of()
    context.spend(_SIGN_STEPS if own else _KEY_STEPS + _SIGN_STEPS)
    return Value(_CERTIFICATE, context.keep(lambda: signing.signed(subject, own, signer), subject, key, authority))


def _subject(context: Context, name: str, addresses: Value, names: Value, days: int) -> Subject:
    if addresses.length() + names.length() > _MOST_NAMES:
        raise FunctionError(f"the certificate exceeds the limit of {_MOST_NAMES} names")
    read = []
    for each in map(dynamic, addresses.data or ()):
        if each is None or each.type is not STRING:
            raise FunctionError(f"error parsing ip: {shown(context, each)} is not a string")
        try:
            read.append(ipaddress.ip_address(each.data))
        except ValueError:
            raise FunctionError(f"error parsing ip: {each.data}") from None
    own_names = []
    for each in map(dynamic, names.data or ()):
        if each is None or each.type is not STRING:
            raise FunctionError(f"error processing alternate dns name: {shown(context, each)} is not a string")
        own_names.append(each.data)
    return Subject(name, tuple(read), tuple(own_names), days)


FUNCTIONS: dict[str, Callable[..., object]] = {
    "buildCustomCert": build_custom_cert,
    "genCA": gen_ca,
    "genCAWithKey": gen_ca_with_key,
    "genPrivateKey": gen_private_key,
    "genSelfSignedCert": gen_self_signed,
    "genSelfSignedCertWithKey": gen_self_signed_with_key,
    "genSignedCert": gen_signed,
    "genSignedCertWithKey": gen_signed_with_key,
}
