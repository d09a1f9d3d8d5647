"""Golden pairs of the transforms: in each file Caddy's JSON before and after, or `the same` for the same document.

The input is what Caddy made of a Caddyfile.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dockcaddy.caddyjson import Document, with_isolated_sites
from dockcaddy.caddyjson.certificates import with_own_certificates
from dockcaddy.caddyjson.connections import with_own_connections
from dockcaddy.caddyjson.error_pages import with_own_errors
from dockcaddy.caddyjson.log_servers import with_dial_timeouts
from dockcaddy.caddyjson.redirects import with_own_redirects
from dockcaddy.caddyjson.retries import Retries
from dockcaddy.caddyjson.streams import LongStreams
from dockcaddy.caddyjson.trust import without_installed_trust

HERE = Path(__file__).parent
CASES = sorted(HERE.glob("*/*.json"))


def _streams(document: Document, delay: float) -> Document:
    return LongStreams(delay).applied(document)


def _retries(document: Document, retried: list[str], watched: list[str] | None = None) -> Document:
    return Retries(True, 5.0).applied(document, frozenset(retried), frozenset(watched or ()))


TRANSFORMS: dict[str, Callable[..., Document]] = {
    "certificates": with_own_certificates,
    "connections": with_own_connections,
    "error_pages": with_own_errors,
    "isolated": with_isolated_sites,
    "log_servers": with_dial_timeouts,
    "redirects": with_own_redirects,
    "retries": _retries,
    "streams": _streams,
    "trust": without_installed_trust,
}


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_document_becomes_what_the_file_says_and_stays_as_it_was(path: Path) -> None:
    case: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    document = Document.decode(json.dumps(case["input"]).encode())
    made = TRANSFORMS[path.parent.name](document, **case["arguments"])
    if case["output"] == "the same":
        assert made is document
    else:
        assert json.loads(made.encode()) == case["output"]
    # what documents share is never edited, neither a route nor anything else
    untouched = Document.decode(json.dumps(case["input"]).encode())
    assert [each.value for each in document.every_route] == [each.value for each in untouched.every_route]
    assert document.encode() == untouched.encode()


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_decoding_and_encoding_changes_nothing(path: Path) -> None:
    given = json.loads(path.read_text(encoding="utf-8"))["input"]
    document = Document.decode(json.dumps(given).encode())
    assert json.loads(document.encode()) == given
    assert Document.decode(document.encode()).encode() == document.encode()


def test_every_transform_has_pairs() -> None:
    assert {path.parent.name for path in CASES} == TRANSFORMS.keys()
