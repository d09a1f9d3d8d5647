"""Which resource has an address, kept from pass to pass. Pure."""

from collections.abc import Collection, Iterable

from attrs import define, field

from dockcaddy.model import Resource
from dockcaddy.status.index import Index


@define
class Places:
    """Resources by the addresses at which Caddy reaches them, and by name. Those that share a network share an address."""

    by_owner: dict[str, Resource] = field(factory=dict)
    _by_key: dict[str, Resource] = field(factory=dict)
    _by_address: Index = field(factory=Index)

    def at(self, addresses: Iterable[str], makers: Collection[str]) -> Resource | None:
        """The resource at the first address that any has. Of several, one of the site's `makers`."""
        for address in addresses:
            there = [self._by_key[key] for key in self._by_address.at(address)]
            if there:
                return min(there, key=lambda each: (str(each) not in makers, each.key))
        return None

    def put(self, before: Resource | None, now: Resource | None) -> Iterable[str]:
        """Replace a resource. Returns the addresses that it had or has."""
        touched: set[str] = set()
        if before is not None:
            touched.update(_addresses(before))
            for address in touched:
                self._by_address.remove(address, before.key)
            self._by_key.pop(before.key, None)
            if self.by_owner.get(str(before)) is before:
                del self.by_owner[str(before)]
        if now is not None:
            for address in _addresses(now):
                self._by_address.add(address, now.key)
                touched.add(address)
            self._by_key[now.key] = self.by_owner[str(now)] = now
        return touched


def _addresses(resource: Resource) -> tuple[str, ...]:
    return (*resource.targets, *resource.published_addresses)
