"""Which resource has an address, kept from pass to pass. Pure."""

from collections.abc import Iterable

from attrs import define, field

from dockcaddy.model import Resource


@define
class Places:
    """Resources by the addresses at which Caddy reaches them, and by name."""

    by_address: dict[str, Resource] = field(factory=dict)
    by_owner: dict[str, Resource] = field(factory=dict)

    def put(self, before: Resource | None, now: Resource | None) -> Iterable[str]:
        """Replace a resource. Returns the addresses whose resource is another one now."""
        if before is not None:
            for address in _addresses(before):
                if self.by_address.get(address) is before:
                    del self.by_address[address]
            if self.by_owner.get(str(before)) is before:
                del self.by_owner[str(before)]
        if now is not None:
            self.by_address.update(dict.fromkeys(_addresses(now), now))
            self.by_owner[str(now)] = now
        return {*(_addresses(before) if before is not None else ()), *(_addresses(now) if now is not None else ())}


def _addresses(resource: Resource) -> tuple[str, ...]:
    return (*resource.targets, *resource.published_addresses)
