"""The certificates in Caddy's storage (https://caddyserver.com/docs/conventions#data-directory)."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from attrs import define, field

from dockcaddy.settings import limits
from dockcaddy.status.model import Certificate


@define
class StoredCertificates:
    """Reads the certificates in a folder. A file that has not changed is not read again."""

    folder: Path
    _known: dict[Path, tuple[int, Certificate | None]] = field(factory=dict)

    def read(self) -> tuple[Certificate, ...]:
        """All that can be read, the one that ends first in front."""
        current = dict(self._entries())
        self._known = current
        found = [each for _, each in current.values() if each is not None]
        return tuple(sorted(found, key=lambda each: (each.not_after, each.names)))

    def _entries(self) -> Iterator[tuple[Path, tuple[int, Certificate | None]]]:
        for path in islice(self.folder.glob("certificates/*/*/*.crt"), limits.MAX_CERTIFICATES):
            try:
                stamp = path.stat().st_mtime_ns
                kept = self._known.get(path)
                yield path, kept if kept is not None and kept[0] == stamp else (stamp, _certificate(path.read_bytes()))
            except OSError:
                # Caddy has just replaced it, or it is closed to us
                continue


def _certificate(data: bytes) -> Certificate | None:
    """The first certificate of a file; None where it is none."""
    from cryptography import x509  # noqa: PLC0415  it is slow to import, and many have no certificates

    try:
        made = x509.load_pem_x509_certificate(data)
        issuer = made.issuer.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME) or list(made.issuer)
        names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        return None
    listed = [*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))]
    issued_by = str(issuer[0].value) if issuer else ""
    ends = made.not_valid_before_utc.timestamp(), made.not_valid_after_utc.timestamp()
    return Certificate(tuple(map(str, listed)), issued_by, *ends)
