"""What Caddy serves stays served during a search for what it refuses of that.

A configuration that Caddy refuses costs nothing: Caddy keeps the one it runs. A configuration that it accepts costs the
sites that are not in it. So each configuration that is tried here has everything that is served but for a few fragments.
"""

from collections.abc import Callable, Iterable, Sequence

from attrs import define

from dockcaddy.errors import CaddyRefusal
from dockcaddy.fragment import Fragment
from dockcaddy.merge.configuration import Configuration
from dockcaddy.quarantine.makers import MadeBy
from dockcaddy.quarantine.memory import Memory
from dockcaddy.quarantine.refusal import Refusal
from dockcaddy.settings import limits

# whether Caddy runs a configuration
Holds = Callable[[Configuration], bool]


def holds_nothing(configuration: Configuration) -> bool:
    """Where it is not known what Caddy runs."""
    return False


@define
class Served:
    """Tries what is served without a few fragments. `attempt` tries everything that is not set aside.

    `made_by` says which of some fragments a refusal is about.
    """

    attempt: Callable[[], Refusal | None]
    set_aside: Callable[[Iterable[Fragment]], None]
    put_back: Callable[[Iterable[Fragment]], None]
    is_over: Callable[[], bool]
    made_by: Callable[[Refusal, Sequence[Fragment]], MadeBy]

    def without(self, served: Sequence[Fragment], refused: Refusal, memory: Memory) -> list[Fragment]:
        """The fragments without which Caddy accepts all the others, and runs them.

        `refused` is what it says to all of `served`. Where it is not known who made that, each call tries others. Raises
        CaddyRefusal where they are not found.
        """
        found = self._without_named(served, refused) or self._without_one(served, memory.refused_times)
        if found is None:
            memory.refuses_what_it_serves()
            raise CaddyRefusal(refused.words)
        return found

    def _without_named(self, served: Sequence[Fragment], refused: Refusal | None) -> list[Fragment] | None:
        """Those that the refusals are about, as long as they are a few each time."""
        aside: list[Fragment] = []
        while refused is not None:
            few = self.made_by(refused, [each for each in served if each not in aside]).fragments
            if not 0 < len(few) <= limits.MAX_TRIED_ALONE or (aside and self.is_over()):
                self.put_back(aside)
                return None
            aside += few
            self.set_aside(few)
            refused = self.attempt()
        return aside

    def _without_one(self, served: Sequence[Fragment], turn: int) -> list[Fragment] | None:
        """One at a time, the newest first."""
        newest_first = sorted(served, key=lambda each: each.seniority, reverse=True)
        size = limits.MAX_LEFT_OUT_ALONE
        start = turn * size % max(len(served), 1)
        for each in newest_first[start : start + size]:
            self.set_aside([each])
            if self.attempt() is None:
                return [each]
            self.put_back([each])
            if self.is_over():
                break
        return None
