"""The one way into the code of plugins: whatever goes wrong there becomes one clear error that costs no more than the call.

    error: container web-1: label caddy.respond: function "greet" of plugin site failed:
    KeyError: 'NAME' (/etc/dockcaddy/site.py:9)

Any exception, `SystemExit` included, and any result that cannot be used becomes such an error. `--log-level debug` adds the
traceback. What it costs:

| fails | then |
| --- | --- |
| function, label transformer, gate, admission rule | the resource is left out, or stays as Caddy accepted it last |
| document rule | the same for the resource of the route; if it fails for all routes, nothing new is served |
| site transformer | the site stays as it was before this transformer |
| output | it is tried again after a pause, other outputs go on |
| service | its state is None, it is called again after a pause |

What a plugin must return:

- a function: text, a number, a boolean, None, a list or a mapping of these, or an object with its own `__str__` (an
  address, a path, a date); it must match the function's return annotation;
- a label transformer: labels; a site transformer: a block; a gate: `True` or `False`; an admission rule: nothing;
- `find` of a document rule: findings; its `check`: nothing;
- `create` of an output: an object with `write`, `holds` (returns `True` or `False`) and `close`;
- `create` of a service: an object with all members of `Service`.

Signatures, stages, orders and names are checked at start. A call that takes longer than a second is reported, because
nothing else is done in the meantime. Arguments are copies, and a context cannot be changed. What a plugin prints goes to
standard error.
"""

import functools
import inspect
import logging
import os
import signal
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Generic, TypeVar

from attrs import define, field, frozen

from dockcaddy.errors import MESSAGE_LENGTH, CaddyRefusal, DockcaddyError, LabelError, PluginFault, one_line
from dockcaddy.settings import limits

logger = logging.getLogger("dockcaddy")

BUNDLED_SOURCE = "bundled"
# seconds between two lines about one slow contribution
REPORTED_AGAIN = 60.0
_DEEP = 500
# above this the recursion limit was raised for a deeply nested template
_RAISED = 50_000

# code of no plugin: the interpreter, its library, and the core
_NOT_PLUGINS = ("<", sysconfig.get_path("stdlib") + os.sep, os.path.dirname(os.path.dirname(__file__)) + os.sep)  # noqa: PTH120

T = TypeVar("T")
R = TypeVar("R")


class Unfit(Exception):
    """A result of a plugin that cannot be used; the message continues "gate x of plugin y"."""


@define(eq=False)
class CallTimer:
    """Times the calls, so that one that blocks everything is reported. `clock` gives seconds.

    `present` are the innermost calls in progress, by thread.
    """

    clock: Callable[[], float] = time.monotonic
    present: "dict[int, Call]" = field(factory=dict)
    _reported: dict[str, float] = field(factory=dict)
    _hanging: "dict[int, Call]" = field(factory=dict)

    def look(self) -> None:
        """Report a call that has not returned. May be called from any thread."""
        for thread, call in tuple(self.present.items()):
            if call is not self._hanging.get(thread) and self.clock() >= call.began + limits.SLOW_PLUGIN_CALL:
                self._hanging[thread] = call
                self._report(call, "has not returned yet: nothing else is done until then")

    def is_waiting(self) -> bool:
        """Whether a plugin is being called."""
        return bool(self.present)

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Within, a thread looks for calls that do not return."""
        ended = threading.Event()

        def look() -> None:
            while not ended.wait(limits.SLOW_PLUGIN_CALL / 2):
                self.look()

        threading.Thread(target=look, name="plugins", daemon=True).start()
        try:
            yield
        finally:
            ended.set()

    def begin(self, contribution: "Contribution[Any]", about: object) -> "Call":
        """A call begins. Pass the result to `end`."""
        thread = threading.get_ident()
        call = self.present[thread] = Call(contribution, about, self.clock(), thread, self.present.get(thread))
        return call

    def end(self, call: "Call") -> None:
        """The call has returned."""
        took = self.clock() - call.began
        if call.outer is None:
            del self.present[call.thread]
        else:
            self.present[call.thread] = call.outer
            call.outer.began += took
        if took >= limits.SLOW_PLUGIN_CALL:
            self._report(call, f"took {took:.1f} s: nothing else was done in the meantime")

    def _report(self, call: "Call", message: str) -> None:
        contribution = call.contribution
        now, key = self.clock(), f"{contribution} {message.partition(' ')[0]}"
        if now >= self._reported.get(key, float("-inf")) + REPORTED_AGAIN:
            self._reported[key] = now
            level = logging.DEBUG if contribution.source == BUNDLED_SOURCE else logging.WARNING
            concerned = words(call.about)
            logger.log(
                level, "%s", f"{concerned}: {contribution} {message}" if concerned else f"{contribution} {message}"
            )


@frozen(eq=False)
class Contribution(Generic[T]):
    """Something that a plugin contributed, with its owner: `item` is called `name` and comes from `source`."""

    kind: str
    name: str
    item: T
    plugin: str = ""
    source: str = ""
    timer: CallTimer = field(factory=CallTimer)

    def __str__(self) -> str:
        """As errors name it: `gate "health" of plugin health`."""
        return f'{self.kind} "{self.name}"' + (f" of plugin {self.plugin}" if self.plugin else "")

    @property
    def _code(self) -> Callable[..., Any] | None:
        """The plugin's own function, for the place in errors; None if only the call itself is known."""
        return self.item if callable(self.item) else getattr(self.item, "create", None)

    def run(
        self,
        call: Callable[..., Any],
        *arguments: object,
        about: object = "",
        check: Callable[[Any], R],
        promised: tuple[type[DockcaddyError], ...] = (),
        passing: tuple[type[Exception], ...] = (),
    ) -> R:
        """The checked result of the call. `about` is what it is called for, as errors name it.

        Raises PluginFault for any error except the `promised` ones, and the `passing` ones, which stay as they are.
        """
        timed = self.timer.begin(self, about)
        try:
            if sys.getrecursionlimit() < _RAISED:
                return check(call(*arguments))
            with _usual_room():
                return check(call(*arguments))
        except PluginFault:
            raise
        except passing:
            raise
        except promised as error:
            raise _in_words(error, promised) from error
        except BaseException as error:
            if comes_from_outside(error) or _lacked_room(error):
                raise
            reason = reason_of(error, self._code or call)
            fault = PluginFault(f"{self} {reason}" if isinstance(error, Unfit) else f"{self} failed: {reason}")
            logger.debug("%s", fault, exc_info=error)
            raise fault from error
        finally:
            self.timer.end(timed)


@define(eq=False)
class Call:
    """A call in progress, what it is called `about`, and the call that it is made within.

    It `began` so much later as calls within it took: their time does not count.
    """

    contribution: Contribution[Any]
    about: object
    began: float
    thread: int
    outer: "Call | None"


def _in_words(error: DockcaddyError, promised: tuple[type[DockcaddyError], ...]) -> DockcaddyError:
    """The same error with a message that can be shown."""
    if isinstance(error, LabelError):
        return LabelError(words(error.label), words(error.message))
    kind = next(kind for kind in promised if isinstance(error, kind))
    # Caddy's reason stands at the end, behind the modules through which it came to it
    return kind(words(error, limits.MAX_ERROR_TEXT if kind is CaddyRefusal else MESSAGE_LENGTH))


# --- messages about errors


def reason_of(error: BaseException, call: Callable[..., Any] | None = None) -> str:
    """The message and the place of an error: `ZeroDivisionError: division by zero (/etc/dockcaddy/site.py:9)`.

    `call` is the function that was called. A DockcaddyError is a message of the plugin, without a place.
    """
    if isinstance(error, DockcaddyError):
        return words(error)
    if isinstance(error, Unfit):
        message, place = words(error), _definition(call)
    else:
        message, place = cause_of(error), _place(error.__traceback__, call)
    return f"{message} ({place})" if place else message


def cause_of(error: BaseException) -> str:
    """`ZeroDivisionError: division by zero`."""
    text = words(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def words(thing: object, longest: int = MESSAGE_LENGTH) -> str:
    """An object of a plugin as one line of at most `longest` characters, also if its own `__str__` fails."""
    try:
        return one_line(" ".join(str(thing)[: 4 * longest].split()), longest)
    except BaseException as error:
        if comes_from_outside(error):
            raise
        return f"<{type(thing).__name__}>"


def comes_from_outside(error: BaseException) -> bool:
    """Whether ctrl-c or a signal handler raised it, and not a plugin."""
    if isinstance(error, Exception):
        return False
    if isinstance(error, KeyboardInterrupt) and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # it is unknown which; the command line has a handler of its own
        return True
    handlers = {getattr(signal.getsignal(number), "__code__", None) for number in signal.valid_signals()}
    return any(frame in handlers for frame in _codes(error.__traceback__))


def _codes(traceback: TracebackType | None) -> Iterator[object]:
    while traceback is not None:
        yield traceback.tb_frame.f_code
        traceback = traceback.tb_next


def _place(traceback: TracebackType | None, call: Callable[..., Any] | None) -> str:
    """The last line of the plugin's code in a traceback, or else where the plugin's function is defined."""
    definition = _definition(call)
    folder = os.path.dirname(definition.rpartition(":")[0])  # noqa: PTH120  of what may be no file
    place = ""
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if _is_in(file, folder) if folder else _may_be_plugins(file):
            place = f"{file}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return place or definition


def _is_in(file: str, folder: str) -> bool:
    return file.startswith(folder + os.sep) and "site-packages" not in file[len(folder) :]


def _may_be_plugins(file: str) -> bool:
    return not file.startswith(_NOT_PLUGINS) or "-packages" in file


def _definition(call: Callable[..., Any] | None) -> str:
    """`/etc/dockcaddy/site.py:4`, empty if Python does not know it."""
    with suppress(Exception):
        call = inspect.unwrap(call) if call is not None else None
        while isinstance(call, functools.partial):
            call = call.func
        if inspect.isclass(call):
            call = call.__init__
        code = getattr(call, "__code__", None) or getattr(type(call).__call__, "__code__", None)
        if code is not None:
            return f"{code.co_filename}:{code.co_firstlineno}"
    return ""


# --- depth of nested calls


def _lacked_room(error: BaseException) -> bool:
    """Whether the calling template is nested so deep that no frames were left. It is then executed again with more."""
    if not isinstance(error, RecursionError) or sys.getrecursionlimit() >= _RAISED:
        return False
    try:
        sys._getframe(_DEEP)
    except ValueError:
        return False
    return True


@contextmanager
def _usual_room() -> Iterator[None]:
    """Within, a plugin has the usual number of nested calls, however deep the calling template is nested.

    Not more either: endless recursion would overflow the interpreter's own stack where a template got more frames.
    """
    before = sys.getrecursionlimit()
    depth, frame = 0, sys._getframe()
    while frame.f_back is not None:
        depth, frame = depth + 1, frame.f_back
    # refused if C functions in between count too
    with suppress(RecursionError):
        sys.setrecursionlimit(depth + limits.MAX_PLUGIN_FRAMES)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
