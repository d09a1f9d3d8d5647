"""Names by what they belong to: the sites of a resource, or of an address. Pure."""

from attrs import define, field


@define
class Index:
    """The names of each key, each once, in the order in which they came."""

    # mostly one, and a tuple takes a fourth of the memory of a set
    _names: dict[str, tuple[str, ...]] = field(factory=dict)

    def at(self, key: str) -> tuple[str, ...]:
        """The names of a key; none where there are none."""
        return self._names.get(key, ())

    def add(self, key: str, name: str) -> None:
        """Note a name."""
        there = self.at(key)
        if name not in there:
            self._names[key] = (*there, name)

    def remove(self, key: str, name: str) -> None:
        """Forget a name, if it is there."""
        left = tuple(each for each in self.at(key) if each != name)
        if left:
            self._names[key] = left
        else:
            self._names.pop(key, None)
