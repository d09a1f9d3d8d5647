"""Lines at which Caddy would block while it reads or loads a configuration, and never take another one. Pure."""

import posixpath
import re
from collections.abc import Iterable, Iterator

from dockcaddy.caddyfile import Block, all_blocks

# options that name files which Caddy reads at once, or may do so in a snippet
_READING = """
    tls load ca_root acme_ca_root trusted_roots cert key pem_file trusted_ca_cert_file trusted_leaf_cert_file verifier
    leaf_certs file folder tls_trusted_ca_certs tls_client_auth trust_pool browse import
"""
_READERS = frozenset(_READING.split())
# devices and the like, where reading may never end
_ENDLESS = re.compile(r"/*(?:\.\./)*/*(?:dev|proc|sys)(?:/|$)")
_TRUST_POOLS = frozenset(("trust_pool", "tls_trust_pool"))


def blocking_lines(blocks: Iterable[Block]) -> Iterator[tuple[Block, str]]:
    """The lines at which Caddy would block, each with the reason."""
    for block in all_blocks(blocks):
        reason = _endless_file(block) or _waiting(block) if block.keys else ""
        if reason:
            yield block, reason


def _endless_file(line: Block) -> str:
    for token in line.keys[1:] if line.keys[0] in _READERS else ():
        path = posixpath.normpath(token.replace("{system.slash}", "/"))
        if "/" in path and _ENDLESS.match(path):
            return f"{token} is a device or kernel file, which caddy would never finish reading: name a regular file"
    return ""


def _waiting(line: Block) -> str:
    kind = line.keys[1] if len(line.keys) > 1 else ""
    if line.keys[0] in _TRUST_POOLS and (kind == "http" or "{" in kind):
        return f"{line.keys[0]}: caddy would wait for this server while it loads: use a file"
    return ""
