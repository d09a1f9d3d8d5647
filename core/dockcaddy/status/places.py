"""Which resource has an address, kept from pass to pass. Pure."""

from collections.abc import Collection, Iterable

from attrs import define, field

from dockcaddy.model import Resource


@define
class Places:
    """Resources by the addresses at which Caddy reaches them, and by name. Those that share a network share an address."""

    by_owner: dict[str, Resource] = field(factory=dict)
    # mostly one, and a tuple takes a fourth of the memory of a set
    _by_address: dict[str, tuple[Resource, ...]] = field(factory=dict)

    def at(self, addresses: Iterable[str], makers: Collection[str]) -> Resource | None:
        """The resource at the first address that any has. Of several, one of the site's `makers`."""
        for address in addresses:
            there = self._by_address.get(address)
            if there:
                return min(there, key=lambda each: (str(each) not in makers, each.key))
        return None

    def put(self, before: Resource | None, now: Resource | None) -> Iterable[str]:
        """Replace a resource. Returns the addresses that it had or has."""
        touched: set[str] = set()
        if before is not None:
            touched.update(_addresses(before))
            for address in touched:
                self._put(address, [each for each in self._by_address.get(address, ()) if each.key != before.key])
            if self.by_owner.get(str(before)) is before:
                del self.by_owner[str(before)]
        if now is not None:
            for address in _addresses(now):
                others = (each for each in self._by_address.get(address, ()) if each.key != now.key)
                self._put(address, [*others, now])
                touched.add(address)
            self.by_owner[str(now)] = now
        return touched

    def _put(self, address: str, there: Collection[Resource]) -> None:
        if there:
            self._by_address[address] = tuple(there)
        else:
            self._by_address.pop(address, None)


def _addresses(resource: Resource) -> tuple[str, ...]:
    return (*resource.targets, *resource.published_addresses)
