"""Keys and certificates of X.509: made, signed and read with `cryptography`, which takes long to import."""

import secrets
from datetime import UTC, datetime, timedelta

from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from dockcaddy.gotemplate import FunctionError

from dockcaddy_sprig.private_keys import PrivateKey, as_pem, new_key, pem_block, read_key, rsa_2048
from dockcaddy_sprig.subject import Pair, Subject

__all__ = ["new_key", "own_key", "read_pair", "signed", "signer_of"]

_MOST_DAYS = 365 * 290


@frozen
class Signer:
    """Who signs: its name, its key, what its key is known by; None is the subject itself."""

    name: x509.Name
    key: PrivateKey
    identifier: x509.SubjectKeyIdentifier | None


def own_key(text: str) -> PrivateKey:
    """The key that a label gives. Raises FunctionError with sprig's words."""
    try:
        return read_key(text)
    except FunctionError as error:
        raise FunctionError(f"parsing private key: {error}") from None


def read_pair(pair: Pair, what: str) -> tuple[x509.Certificate, PrivateKey]:
    """The pair's certificate and key. Raises FunctionError with sprig's words, which call the certificate `what`."""
    block = pem_block(pair.cert)
    if block is None:
        raise FunctionError("unable to decode certificate")
    try:
        certificate = x509.load_der_x509_certificate(block[1])
    except ValueError:
        raise FunctionError(f"error parsing certificate: {what}: the certificate cannot be read") from None
    try:
        return certificate, read_key(pair.key)
    except FunctionError as error:
        raise FunctionError(f"error parsing private key: {error}") from None


def signer_of(ca: Pair) -> Signer:
    """The authority. Raises FunctionError with sprig's words."""
    certificate, key = read_pair(ca, "decodedSignerCert.Bytes")
    found = [each.value for each in certificate.extensions if isinstance(each.value, x509.SubjectKeyIdentifier)]
    return Signer(certificate.subject, key, found[0] if found else None)


def signed(subject: Subject, key: PrivateKey | None = None, signer: Signer | None = None) -> Pair:
    """A certificate of the subject with its key, a new one by default; it signs itself without a signer."""
    key = key or rsa_2048()
    if isinstance(key, dsa.DSAPrivateKey) or (signer and isinstance(signer.key, dsa.DSAPrivateKey)):
        raise FunctionError(f"error creating certificate: {_no_dsa(isinstance(key, dsa.DSAPrivateKey), signer)}")
    try:
        certificate = _built(subject, key, signer)
    except (ValueError, TypeError) as error:
        raise FunctionError(f"error creating certificate: {error}") from None
    return Pair(certificate.public_bytes(Encoding.PEM).decode(), as_pem(key))


def _no_dsa(own: bool, signer: Signer | None) -> str:
    if own and signer:
        return "x509: unsupported public key type: *dsa.PublicKey"
    return "x509: certificate private key does not implement crypto.Signer"


def _built(subject: Subject, key: PrivateKey, signer: Signer | None) -> x509.Certificate:
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
    builder: x509.CertificateBuilder, subject: Subject, key: PrivateKey, signer: Signer | None
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
