"""Changes of plain sites that Caddy follows at once, without a load, until they are part of the configuration that it has.

They become part of it with the next load that is needed anyway, or when no site has been added for a while. Only then
Caddy is asked whether it accepts them, and a site that it refuses is left out as always.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial

from attrs import define, field

from dockcaddy.caddyjson.express import Answer, AnswerChanges, Loaded, Place, answers_of
from dockcaddy.errors import CaddyRefusal, CaddyUnreachable
from dockcaddy.files import check_shared
from dockcaddy.hookspecs import Adapter
from dockcaddy.merge.configuration import Configuration
from dockcaddy.model import Problem
from dockcaddy.reconcile.express_folder import ExpressFolder
from dockcaddy.settings import limits

# what no site answers
_NOTHING = Answer("")
# characters of a path that have a meaning of their own in a pattern or a placeholder
_UNUSABLE = re.compile(r"[{}\\*?\[\]\"`\s]")


@define(eq=False)
class ExpressSites:
    """The sites in a folder; without a folder there are none, and `unavailable` says why where they are wanted.

    `left` is the folder of an earlier run, which is removed once Caddy has a configuration without it.

    `clock` gives seconds, `readers` are the Caddys that are not dockcaddy's own. `greet` makes a first handshake with each of
    some hosts at a port. `running` is the configuration that Caddy
    runs; while it `is_serving`, the accepted one has sites beyond that, which Caddy finds in the folder.
    """

    folder: ExpressFolder | None = None
    clock: Callable[[], float] = lambda: 0.0
    readers: Mapping[str, Adapter] = field(factory=dict)
    unavailable: str = ""
    left: ExpressFolder | None = None
    greet: Callable[[Sequence[str], int], None] = lambda hosts, port: None
    is_serving: bool = False
    running: Configuration | None = None
    _loaded: Loaded | None = None
    _answers: Mapping[Place, Answer] = field(factory=dict)
    _is_moving: bool = False
    _moves_at: float | None = None
    # what a request that has begun may still need: sites that Caddy has by now, and sites with older addresses too
    _moved: dict[Place, float] = field(factory=dict)
    _older: dict[Place, float] = field(factory=dict)
    # sites that have ended, and until when another container may take their place
    _ended: dict[Place, float] = field(factory=dict)
    _failure: str = ""
    _is_prepared: bool = False

    def begin_pass(self) -> None:
        """A pass begins. What has been in the folder for long enough becomes part of the configuration in it."""
        self._is_moving = any(self.clock() >= at for at in self._due)
        if self._is_moving:
            # the next time, where that fails
            self._moves_at, self._ended = self.clock() + limits.EXPRESS_CALM, {}

    @property
    def _due(self) -> Iterator[float]:
        return iter([*([] if self._moves_at is None else [self._moves_at]), *self._ended.values()])

    def was_refused(self) -> None:
        """Caddy refused to load something: from now on in this pass it is asked about every site."""
        self._is_moving = True

    def serves(self, configuration: Configuration, *, is_running: bool) -> bool:
        """Have Caddy serve what this configuration has beyond the one that it runs; False where that needs a load.

        `is_running` is whether it is known that Caddy runs it.
        """
        self.is_serving = False
        document = configuration.document
        if document is None or self.folder is None:
            return False
        self._take_up(configuration)
        # in front of a site that changes, Caddy would find the old one
        wanted = answers_of(document, self._moved, configuration.placeholders)
        self._remove([each for each in self._moved if wanted.get(each) != self.folder.answer(each)])
        if self._loaded is None or self._is_moving or not is_running:
            return False
        found = self._loaded.changes(document, configuration.placeholders)
        if not found or not 0 < len(found.answers) <= limits.MAX_EXPRESS_SITES:
            return False
        if not self._write(self.folder, found.answers):
            return False
        self._note(self._loaded, found)
        return True

    def _take_up(self, configuration: Configuration) -> None:
        """Put right what an earlier run left, before a load has Caddy find it: an address may be another container's by now."""
        if self._is_prepared or not self._attempt(self._prepare):
            return
        assert self.folder is not None and configuration.document is not None
        left = self.folder.places
        wanted = answers_of(configuration.document, left, configuration.placeholders)
        for place in left:
            if answer := wanted.get(place):
                self._attempt(partial(ExpressFolder.write, place=place, answer=answer))
            else:
                self._remove([place])

    def _note(self, loaded: Loaded, found: AnswerChanges) -> None:
        """Note what is in the folder now."""
        new = found.answers.keys() - found.ended - (self._answers.keys() - self._ended.keys())
        if new:
            self._moves_at = self.clock() + limits.EXPRESS_CALM
        self._ended = self._dated(self._ended, found.ended, limits.EXPRESS_ENDED)
        self._begin_handshakes(loaded, new)
        self.is_serving, self._answers = True, found.answers

    def has_loaded(self, configuration: Configuration) -> None:
        """Caddy runs this configuration."""
        if configuration.document is None or self.folder is None:
            return
        self.running = configuration
        if self._loaded is None or self._loaded.document is not configuration.document:
            self._loaded = Loaded(configuration.document)
            if not self._is_prepared:
                self._attempt(self._prepare)

    def after_accepted(self, configuration: Configuration) -> None:
        """This is the configuration of the pass: remove what Caddy no longer needs for it."""
        if self.left is not None:
            with suppress(OSError):
                self.left.clear()
            self.left = None
        is_loaded = self.running is not None and self.running.document is configuration.document
        if self.folder is None or self._loaded is None or not (self.is_serving or is_loaded):
            return
        if is_loaded and not self.is_serving:
            self._answers, self._moves_at, self._ended = {}, None, {}
        others = [each for each in self.folder.places if each not in self._answers]
        loaded = answers_of(self._loaded.document, others, configuration.placeholders)
        moved = [each for each in others if self.folder.answer(each) == loaded.get(each, _NOTHING)]
        self._remove(set(others).difference(moved))
        self._moved = self._dated(self._moved, moved, limits.EXPRESS_KEPT)
        older = [each for each in self.folder.older if each in self._answers]
        self._older = self._dated(self._older, older, limits.EXPRESS_KEPT)
        self._remove([each for each, at in self._moved.items() if self.clock() >= at])
        for each in [each for each, at in self._older.items() if self.clock() >= at]:
            self._attempt(partial(ExpressFolder.trim, place=each))
            del self._older[each]

    def hold(self) -> bool:
        """Whether nobody else has changed what is in the folder."""
        return self.folder is None or not self.is_serving or all(map(self.folder.has, self._answers))

    def retries(self) -> Iterator[float]:
        """When there is something to do, in seconds of the clock."""
        return iter([*self._due, *self._moved.values(), *self._older.values()])

    @property
    def problems(self) -> list[Problem]:
        """Why new sites need loads although they should not."""
        reason = self.unavailable or self._failure
        return [Problem("express", "", f"{reason}, so each new site is a load", "warning")] if reason else []

    def _begin_handshakes(self, loaded: Loaded, new: Collection[Place]) -> None:
        by_port: dict[int, list[str]] = {}
        for place in new:
            by_port.setdefault(loaded.handshake(place), []).append(place.host)
        for port, hosts in by_port.items():
            if port:
                self.greet(hosts, port)

    def _dated(self, before: Mapping[Place, float], places: Iterable[Place], pause: float) -> dict[Place, float]:
        later = self.clock() + pause
        return {each: before.get(each, later) for each in places}

    def _write(self, folder: ExpressFolder, answers: Mapping[Place, Answer]) -> bool:
        def write(folder: ExpressFolder) -> None:
            for place, answer in answers.items():
                folder.write(place, answer)

        return self._attempt(self._prepare) and self._attempt(write)

    def _remove(self, places: Iterable[Place]) -> None:
        for each in places:
            self._attempt(partial(ExpressFolder.remove, place=each))
            self._moved.pop(each, None)

    def _prepare(self, folder: ExpressFolder) -> None:
        """Make the folder, have the readers see it, and read what an earlier run left in it."""
        if self._is_prepared:
            return
        if found := _UNUSABLE.search(str(folder.path)):
            raise OSError(0, f"a path that caddy is to read cannot have {found[0]!r}")
        folder.make()
        for name, reader in self.readers.items():
            check_shared(folder.path, name, reader)
        folder.read()
        self._is_prepared = True

    def _attempt(self, work: Callable[[ExpressFolder], object]) -> bool:
        """Whether this succeeds. Where it fails, the reason is a problem until something succeeds."""
        assert self.folder is not None
        try:
            work(self.folder)
        except (OSError, CaddyRefusal, CaddyUnreachable) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            self._failure, self._is_prepared = f"new sites cannot be in {self.folder.path}: {reason}", False
            return False
        self._failure = ""
        return True
