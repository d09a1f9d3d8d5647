"""What functions made once in a label and is not made again while the label and its resource are the same."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from typing import Any, TypeVar

from attrs import define, field

from dockcaddy.gotemplate import FunctionError
from dockcaddy.settings import limits

T = TypeVar("T")
# the label's key and text, which of its calls, and the inputs of that
_Place = tuple[str, str, int, tuple[Hashable, ...]]


@define
class KeptValues:
    """The values of one resource: those of the rendering before, and those that this rendering used."""

    before: Mapping[_Place, Any] = field(factory=dict)
    used: dict[_Place, Any] = field(factory=dict)
    calls: dict[str, int] = field(factory=dict)

    def get(self, label: str, text: str, make: Callable[[], T], inputs: tuple[Hashable, ...] = ()) -> T:
        """The value of the label's next call, made where there is none yet. Raises FunctionError where there are too many."""
        number = self.calls.get(label, 0)
        place, self.calls[label] = (label, text, number, inputs), number + 1
        if len(self.used) >= limits.MAX_KEPT_VALUES:
            raise FunctionError(f"the labels take more than {limits.MAX_KEPT_VALUES} random values and times")
        value: T = self.before[place] if place in self.before else make()
        self.used[place] = value
        return value


@define
class KeptOfResources:
    """The values of every resource, by its key."""

    kept: OrderedDict[str, Mapping[_Place, Any]] = field(factory=OrderedDict)

    def of(self, key: str) -> KeptValues:
        """What is kept of the resource, for a rendering to use."""
        return KeptValues(self.kept.get(key, {}))

    def put(self, key: str, values: KeptValues) -> None:
        """Keep what the rendering used, and nothing else of the resource."""
        self.kept.pop(key, None)
        if values.used:
            self.kept[key] = values.used
        if len(self.kept) > limits.MAX_KEPT_RESOURCES:
            self.kept.popitem(last=False)
