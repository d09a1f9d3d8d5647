"""How long the site of a resource that is gone waits for it."""

from attrs import evolve
from dockcaddy import testing
from dockcaddy.caddyfile import Block
from dockcaddy.fragment import Fragment
from dockcaddy.model import EngineInventory, Inventory, Resource
from dockcaddy.reconcile.grace import GracePeriod

WEB = testing.container("web")
OTHER = testing.container("other")


def inventory(*resources: Resource) -> Inventory:
    return Inventory((EngineInventory("local", resources),))


def names(given: Inventory) -> list[str]:
    return [f"{each.name} {each.state}" for engine in given.engines for each in engine.resources]


def fragment(resource: Resource, *sites: str) -> Fragment:
    return Fragment(f"local/{resource.id}", str(resource), 0, tuple(Block((site,)) for site in sites))


def grace() -> GracePeriod:
    """As it is when the fragment of WEB has a grace period of 15 seconds, and others have none."""
    return GracePeriod({f"local/{WEB.id}": 15.0})


def test_it_stays_for_its_time_as_a_stopped_one_without_addresses() -> None:
    period = grace()
    period.apply(inventory(WEB, OTHER), 100.0)
    kept = period.apply(inventory(), 101.0)
    (gone,) = kept.engines[0].resources
    assert (gone.name, gone.running, gone.stopping, gone.targets) == ("web", False, True, ())
    assert [each.ipv4 for each in gone.attachments] == [""]
    assert period.due == 116.0
    assert names(period.apply(inventory(), 115.9)) == ["web exited"]
    assert names(period.apply(inventory(), 116.0)) == [] and period.due is None


def test_it_is_the_same_resource_as_long_as_it_lasts_so_that_it_is_rendered_once() -> None:
    period = grace()
    period.apply(inventory(WEB), 100.0)
    one, two = (period.apply(inventory(), now).engines[0].resources[0] for now in (101.0, 102.0))
    assert one is two


def test_what_is_back_is_itself_again() -> None:
    period = grace()
    period.apply(inventory(WEB), 100.0)
    period.apply(inventory(), 101.0)
    back = inventory(evolve(WEB, created=7))
    assert period.apply(back, 102.0) is back and period.due is None


def test_it_waits_no_longer_once_another_has_its_sites() -> None:
    period = grace()
    period.apply(inventory(WEB), 100.0)
    period.apply(inventory(OTHER), 101.0)
    gone, other = fragment(WEB, "a.test"), fragment(OTHER, "b.test")
    assert period.needed((other, gone)) == (other, gone)
    other = fragment(OTHER, "b.test", "A.test")
    assert period.needed((other, gone)) == (other,) and period.due is None
