"""A Caddy that stays says the same of a configuration as one that is started to validate it."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from attrs import define, field
from dockcaddy.caddy.limited import LimitedAdapter
from dockcaddy.caddy.quick_validation import QuickValidator
from dockcaddy.caddy.validation import CommandValidator
from dockcaddy.errors import CaddyRefusal

pytestmark = pytest.mark.process

SITES = {
    "a site": "http://a.test {\nrespond a\n}\n",
    "with certificates": "a.test {\ntls internal\nreverse_proxy 10.0.0.1:80 {\nhealth_uri /\n}\n}\n",
    "redirects": "a.test {\nredir https://b.test\n}\nb.test {\nlog\nrespond b\n}\n",
    "a pattern": "http://a.test {\n@m path_regexp [a\nrespond @m x\n}\n",
    "a network": "http://a.test {\n@m remote_ip 10.0.0.0/99\nrespond @m x\n}\n",
    "protocols": "a.test {\ntls {\nprotocols tls1.3 tls1.2\n}\n}\n",
    "a certificate": "a.test {\ntls /no/such/cert.pem /no/such/key.pem\n}\n",
    "a level": "a.test {\nlog {\nlevel warning\n}\n}\n",
    "an error page": "http://a.test {\nhandle_errors {\n@m path_regexp ((\nrespond @m x\n}\n}\n",
    "two servers": "http://a.test:8080 {\n}\nhttp://a.test:8081 {\n@m path_regexp ((\nrespond @m x\n}\n",
}


@pytest.fixture(scope="module")
def adapter(caddy: str) -> Iterator[LimitedAdapter]:
    made = LimitedAdapter(Path(caddy))
    yield made
    made.close()


def refusal(validator: CommandValidator | QuickValidator, config: bytes) -> str:
    """Why it is refused, without the steps that led to the module."""
    try:
        validator.validate(config, "")
    except CaddyRefusal as refused:
        # Caddy sets up the apps in any order
        way = r"^(loading config: |loading new config: |loading http app module: provision http: getting tls app: )+"
        return re.sub(way, "", str(refused))
    return ""


@pytest.mark.parametrize("name", SITES)
def test_it_says_the_same_as_caddy_validate(adapter: LimitedAdapter, name: str) -> None:
    config = adapter.adapt(SITES[name])
    command = CommandValidator(adapter.path)
    for _ in range(2):
        assert refusal(QuickValidator(command, adapter), config) == refusal(command, config)


@define
class Asked:
    """Counts what is validated by a program."""

    configs: list[bytes] = field(factory=list)
    elsewhere: bool = False

    def validate(self, config: bytes, caddyfile: str) -> None:
        self.configs.append(config)

    def raise_for(self, messages: list[str], caddyfile: str) -> None:
        assert messages == []


def test_what_it_does_not_come_to_the_end_of_is_validated_by_a_program(adapter: LimitedAdapter) -> None:
    asked = Asked()
    quick = QuickValidator(asked, adapter)  # type: ignore[arg-type]
    quick.validate(adapter.adapt(SITES["a site"]), "")
    assert asked.configs == []
    more = json.dumps({"apps": {"pki": {}, "http": {"servers": {"srv0": {"listen": [":80"]}}}}}).encode()
    for config in (b"{}", more):
        quick.validate(config, "")
    assert len(asked.configs) == 2


def test_nothing_of_it_listens(adapter: LimitedAdapter) -> None:
    QuickValidator(CommandValidator(adapter.path), adapter).validate(adapter.adapt(SITES["with certificates"]), "")
    process = Path(f"/proc/{adapter.running().popen.pid}")
    opened = set[str]()
    for each in (process / "fd").iterdir():
        # a connection may be closed meanwhile
        with suppress(FileNotFoundError):
            opened.add(str(each.readlink()))
    tables = [process / "net" / name for name in ("tcp", "tcp6", "udp", "udp6")]
    lines = [line.split() for table in tables if table.exists() for line in table.read_text().splitlines()[1:]]
    assert opened and not opened & {f"socket:[{line[9]}]" for line in lines}
