"""Keys and certificates: made once, and kept as long as label and resource are the same."""

import ipaddress
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated

from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from dockcaddy import Context, gotemplate
from dockcaddy.gotemplate import STRING, Field, FunctionError, Type, Value, go_string

from dockcaddy_sprig.encoding import from_base64
from dockcaddy_sprig.go import LONGEST, List, dynamic
from dockcaddy_sprig.private_keys import MAKERS, STEPS, PrivateKey, as_pem, pem_block, read_key, rsa_2048

# what making a key of 2048 bits and what signing take, in steps of a template
_KEY_STEPS, _SIGN_STEPS = 5_000, 500
_MOST_DAYS, _MOST_NAMES = 365 * 290, 100


@frozen
class Pair:
    """A certificate and its key, as PEM text."""

    cert: str
    key: str


_CERTIFICATE = Type(
    "struct",
    "sprig.certificate",
    fields={"Cert": Field(STRING, lambda pair: pair.cert), "Key": Field(STRING, lambda pair: pair.key)},
)
Certificate = Annotated[Value, _CERTIFICATE]


@frozen
class _Signer:
    """Who signs: its name, its key, what its key is known by; None is the subject itself."""

    name: x509.Name
    key: PrivateKey
    identifier: x509.SubjectKeyIdentifier | None


@frozen
class _Subject:
    """The subject of a certificate."""

    name: str
    addresses: tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, ...]
    names: tuple[str, ...]
    days: int
    is_authority: bool = False


def gen_private_key(context: Context, kind: str) -> str:
    """A private key; KIND is rsa, dsa, ecdsa or ed25519."""
    if kind not in MAKERS:
        return f"Unknown type {kind}"
    context.spend(STEPS[kind])
    return context.keep(lambda: as_pem(MAKERS[kind]()))


def gen_ca(context: Context, name: str, days: int) -> Certificate:
    """A certificate authority: its .Cert and its .Key."""
    context.spend(_KEY_STEPS)
    return _kept(context, lambda: _self_signed(_Subject(name, (), (), days, is_authority=True), rsa_2048()))


def gen_ca_with_key(context: Context, name: str, days: int, key: str) -> Certificate:
    """A certificate authority with a key of yours: its .Cert and its .Key."""
    read = _own_key(key)
    return _kept(context, lambda: _self_signed(_Subject(name, (), (), days, is_authority=True), read))


def gen_self_signed(context: Context, name: str, addresses: List, names: List, days: int) -> Certificate:
    """A certificate that it signs itself: its .Cert and its .Key."""
    subject = _subject(name, addresses, names, days)
    context.spend(_KEY_STEPS)
    return _kept(context, lambda: _self_signed(subject, rsa_2048()))


def gen_self_signed_with_key(
    context: Context, name: str, addresses: List, names: List, days: int, key: str
) -> Certificate:
    """A certificate with a key of yours that it signs itself: its .Cert and its .Key."""
    read = _own_key(key)
    subject = _subject(name, addresses, names, days)
    return _kept(context, lambda: _self_signed(subject, read))


def gen_signed(context: Context, name: str, addresses: List, names: List, days: int, ca: Certificate) -> Certificate:
    """A certificate that an authority signs: its .Cert and its .Key."""
    signer = _signer(ca.data)
    subject = _subject(name, addresses, names, days)
    context.spend(_KEY_STEPS)
    return _kept(context, lambda: _signed(subject, rsa_2048(), signer))


def gen_signed_with_key(
    context: Context, name: str, addresses: List, names: List, days: int, ca: Certificate, key: str
) -> Certificate:
    """A certificate with a key of yours that an authority signs: its .Cert and its .Key."""
    read = _own_key(key)
    signer = _signer(ca.data)
    subject = _subject(name, addresses, names, days)
    return _kept(context, lambda: _signed(subject, read, signer))


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
    _read_certificate(cert, "decodedCert.Bytes")
    try:
        read_key(private)
    except FunctionError as error:
        raise FunctionError(f"error parsing private key: {error}") from None
    return Value(_CERTIFICATE, Pair(cert, private))


def _kept(context: Context, make: Callable[[], Pair]) -> Value:
    context.spend(_SIGN_STEPS)
    return Value(_CERTIFICATE, context.keep(make))


def _own_key(text: str) -> PrivateKey:
    try:
        return read_key(text)
    except FunctionError as error:
        raise FunctionError(f"parsing private key: {error}") from None


def _read_certificate(text: str, what: str) -> x509.Certificate:
    block = pem_block(text)
    if block is None:
        raise FunctionError("unable to decode certificate")
    try:
        return x509.load_der_x509_certificate(block[1])
    except ValueError:
        raise FunctionError(f"error parsing certificate: {what}: the certificate cannot be read") from None


def _signer(ca: Pair) -> _Signer:
    certificate = _read_certificate(ca.cert, "decodedSignerCert.Bytes")
    try:
        key = read_key(ca.key)
    except FunctionError as error:
        raise FunctionError(f"error parsing private key: {error}") from None
    found = [each.value for each in certificate.extensions if isinstance(each.value, x509.SubjectKeyIdentifier)]
    return _Signer(certificate.subject, key, found[0] if found else None)


def _subject(name: str, addresses: Value, names: Value, days: int) -> _Subject:
    if addresses.length() + names.length() > _MOST_NAMES:
        raise FunctionError(f"the certificate exceeds the limit of {_MOST_NAMES} names")
    read = []
    for each in map(dynamic, addresses.data or ()):
        if each is None or each.type is not STRING:
            raise FunctionError(f"error parsing ip: {gotemplate.sprintf('%v', [each], LONGEST)} is not a string")
        try:
            read.append(ipaddress.ip_address(each.data))
        except ValueError:
            raise FunctionError(f"error parsing ip: {each.data}") from None
    own_names = []
    for each in map(dynamic, names.data or ()):
        if each is None or each.type is not STRING:
            shown = gotemplate.sprintf("%v", [each], LONGEST)
            raise FunctionError(f"error processing alternate dns name: {shown} is not a string")
        own_names.append(each.data)
    return _Subject(name, tuple(read), tuple(own_names), days)


def _self_signed(subject: _Subject, key: PrivateKey) -> Pair:
    return _signed(subject, key, None)


def _signed(subject: _Subject, key: PrivateKey, signer: _Signer | None) -> Pair:
    if isinstance(key, dsa.DSAPrivateKey) or (signer and isinstance(signer.key, dsa.DSAPrivateKey)):
        raise FunctionError(f"error creating certificate: {_no_dsa(isinstance(key, dsa.DSAPrivateKey), signer)}")
    try:
        certificate = _built(subject, key, signer)
    except (ValueError, TypeError) as error:
        raise FunctionError(f"error creating certificate: {error}") from None
    return Pair(certificate.public_bytes(Encoding.PEM).decode(), as_pem(key))


def _no_dsa(own: bool, signer: _Signer | None) -> str:
    if own and signer:
        return "x509: unsupported public key type: *dsa.PublicKey"
    return "x509: certificate private key does not implement crypto.Signer"


def _built(subject: _Subject, key: PrivateKey, signer: _Signer | None) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject.name)] if subject.name else [])
    began = datetime.now(UTC)
    days = min(max(subject.days, -_MOST_DAYS), _MOST_DAYS)
    builder = x509.CertificateBuilder(
        issuer_name=signer.name if signer else name,
        subject_name=name,
        public_key=key.public_key(),
        serial_number=secrets.randbelow(2**127 - 1) + 1,
        not_valid_before=began,
        not_valid_after=max(began + timedelta(days=days), began),
    )
    builder = _with_uses(builder, subject, key, signer)
    signing = signer.key if signer else key
    assert isinstance(signing, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey)
    return builder.sign(signing, None if isinstance(signing, ed25519.Ed25519PrivateKey) else hashes.SHA256())


def _with_uses(
    builder: x509.CertificateBuilder, subject: _Subject, key: PrivateKey, signer: _Signer | None
) -> x509.CertificateBuilder:
    usage = x509.KeyUsage(
        digital_signature=True, key_encipherment=True, key_cert_sign=subject.is_authority, content_commitment=False,
        data_encipherment=False, key_agreement=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    builder = builder.add_extension(usage, critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(subject.is_authority, None), critical=True)
    if subject.is_authority:
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    if signer and signer.identifier:
        known = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(signer.identifier)
        builder = builder.add_extension(known, critical=False)
    others: list[x509.GeneralName] = [*map(x509.DNSName, subject.names), *map(x509.IPAddress, subject.addresses)]
    return builder.add_extension(x509.SubjectAlternativeName(others), critical=False) if others else builder


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
