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

    def since(self) -> object:
        return self.apps

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


def test_a_caddy_that_has_taken_nothing_since_is_not_asked_for_its_configuration() -> None:
    caddy = Counting()
    output = AdminOutput(caddy)
    output.write(configuration("one"))
    assert caddy.asked == 0
    assert all(output.holds(configuration("one")) for _ in range(5))
    assert caddy.asked == 1
    caddy.apps = b'{"apps":{"http":"somebody else\'s"}}'
    assert not output.holds(configuration("one"))
    caddy.apps = configuration("one").json
    assert output.holds(configuration("one"))


def test_a_caddy_that_has_taken_nothing_but_ours_is_never_asked_for_its_configuration() -> None:
    caddy = Telling()
    output = AdminOutput(caddy)
    for name in ("one", "two"):
        output.write(configuration(name))
        assert all(output.holds(configuration(name)) for _ in range(3))
    assert caddy.asked == 0
    caddy.apps = b'{"apps":{"http":"somebody else\'s"}}'
    assert not output.holds(configuration("two"))
    output.write(configuration("two"))
    assert output.holds(configuration("two"))
    assert caddy.asked == 1
    caddy.before = CaddyRefusal("no")
    with pytest.raises(CaddyRefusal):
        output.write(configuration("three"))
    assert output.holds(configuration("two"))
    assert caddy.asked == 1


def test_a_caddy_that_does_not_say_since_when_is_asked_for_its_configuration() -> None:
    caddy = Counting(says_since=False)
    output = AdminOutput(caddy)
    output.write(configuration("one"))
    asked = caddy.asked
    assert output.holds(configuration("one")) and output.holds(configuration("one"))
    assert caddy.asked == asked + 2


@define
class Counting(Caddy):
    """Counts how often it is asked for its configuration."""

    says_since: bool = True
    asked: int = 0

    def config(self) -> bytes:
        self.asked += 1
        return super().config()

    def since(self) -> object:
        return super().since() if self.says_since else ()


@define
class Telling(Counting):
    """Says that it has taken nothing else meanwhile."""

    def load(self, config: bytes) -> object:
        super().load(config)
        return self.since()
