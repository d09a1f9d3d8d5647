"""The output `admin`: what Caddy runs after a loading that came to an end, to another one, or to none."""

import pytest
from attrs import define
from dockcaddy import CaddyRefusal
from dockcaddy.merge.configuration import Configuration
from dockcaddy_admin import AdminOutput


@define
class Caddy:
    """Takes a configuration, unless it is to fail before or after it did; has its own admin endpoint beside it."""

    apps: bytes = b"{}"
    before: BaseException | None = None
    after: BaseException | None = None

    def adapt(self, caddyfile: str) -> bytes:
        raise NotImplementedError

    def load(self, config: bytes) -> None:
        if self.before is not None:
            raise self.before
        self.apps = config
        if self.after is not None:
            raise self.after

    def config(self) -> bytes:
        return b'{"admin":{"listen":"here"},' + self.apps.removeprefix(b"{")

    def close(self) -> None:
        pass


def configuration(name: str) -> Configuration:
    return Configuration(name, (), b'{"apps":{"http":"' + name.encode() + b'"}}')


@pytest.mark.parametrize("moment", ["before", "after"])
def test_whether_an_interrupted_loading_came_through_can_be_asked(moment: str) -> None:
    caddy = Caddy()
    output = AdminOutput(caddy)
    output.write(configuration("one"))
    setattr(caddy, moment, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        output.write(configuration("two"))
    assert output.holds(configuration("two")) == (moment == "after")


def test_after_a_refusal_what_ran_before_is_still_known() -> None:
    caddy = Caddy()
    output = AdminOutput(caddy)
    output.write(configuration("one"))
    caddy.before = CaddyRefusal("no")
    with pytest.raises(CaddyRefusal):
        output.write(configuration("two"))
    assert output.holds(configuration("one"))
    caddy.apps = b'{"apps":{"http":"somebody else\'s"}}'
    assert not output.holds(configuration("one"))
