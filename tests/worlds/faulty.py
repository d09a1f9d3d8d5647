"""A plugin whose contributions do wrong what they are told to: a container's label `fault` says what, as do an output's
target and the beginning of a site's name.

`fault: gate raises` is a gate that raises. Each fault is a function of what the contribution was given.
"""

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
import time
import warnings

import dockcaddy
from attrs import evolve, frozen
from dockcaddy import (
    AdmissionRule,
    Block,
    Gate,
    Label,
    LabelError,
    LabelTransformer,
    OutputError,
    OutputType,
    ServiceType,
    SiteTransformer,
    Stage,
)


class Wicked(BaseException):
    """No Exception, so that nothing catches it by chance."""


class Unspeakable(Exception):
    def __str__(self):
        raise RuntimeError("no words")

    __repr__ = __str__


class Thing:
    """An object like any other."""


class Mute:
    def __str__(self):
        raise RuntimeError("no words")


class Wordless:
    def __str__(self):
        return 5  # noqa: PLE0307


class Strange:
    """Whatever is done with it fails."""

    def _fail(self, *_):
        raise AttributeError("not with me")

    __eq__ = __hash__ = __iter__ = __len__ = __bool__ = __str__ = __repr__ = __getitem__ = __call__ = _fail


class StrangeText(str):
    def _fail(self, *_):
        raise AttributeError("not with me")

    __eq__ = __iter__ = __len__ = __str__ = __repr__ = __getitem__ = split = strip = encode = __contains__ = _fail

    def __hash__(self):
        raise AttributeError("not with me")


class StrangeList(list):
    def __iter__(self):
        raise AttributeError("not with me")


class Endless(list):
    def __iter__(self):
        while True:
            yield "x"


def raises(*given):
    raise ZeroDivisionError("division by zero")


def recurses(*given):
    return recurses(*given)


def recurses_in_c(*given):
    class Deep:
        def __str__(self):
            return str(Deep())

    return str(Deep())


def exits(*given):
    sys.exit(3)


def is_wicked(*given):
    raise Wicked("nobody catches me")


def interrupts(*given):
    raise KeyboardInterrupt


def is_cancelled(*given):
    raise asyncio.CancelledError


def is_unspeakable(*given):
    raise Unspeakable


def refuses_with_junk(*given):
    raise LabelError(Strange(), None)


def itself(given):
    made = [1]
    made.append(made)
    return made


def failing_generator(*given):
    yield from ()
    raise ZeroDivisionError("division by zero")


def changes_arguments(context, *_):
    context.resource.labels["caddy"] = "http://stolen.test"


def in_a_context(*given):
    with contextlib.suppress(ValueError):
        raises()


ALWAYS = {
    "raises": raises,
    "recurses": recurses,
    "recurses-in-c": recurses_in_c,
    "exits": exits,
    "wicked": is_wicked,
    "interrupts": interrupts,
    "cancelled": is_cancelled,
    "unspeakable": is_unspeakable,
    "in-a-context": in_a_context,
}

FUNCTION = ALWAYS | {
    "junk-error": refuses_with_junk,
    "changes-arguments": changes_arguments,
    "object": lambda context: Thing(),
    "mute": lambda context: Mute(),
    "wordless": lambda context: Wordless(),
    "strange": lambda context: Strange(),
    "strange-list": lambda context: StrangeList(["a"]),
    "endless": lambda context: Endless(["a"]),
    "itself": itself,
    "set": lambda context: {"a"},
    "bytes": lambda context: b"a",
    "generator": failing_generator,
    "class": lambda context: Thing,
    "function": lambda context: raises,
    "lock": lambda context: threading.Lock(),
    "coroutine": lambda context: asyncio.sleep(0),
    "huge-text": lambda context: "x" * 2_000_000,
    "huge-number": lambda context: 10**5000,
    "objects-in-list": lambda context: [Thing()],
    "object-as-key": lambda context: {Thing(): 1},
}

LABELS = ALWAYS | {
    "junk-error": refuses_with_junk,
    "changes-arguments": changes_arguments,
    "none": lambda context, labels: None,
    "number": lambda context, labels: 5,
    "text": lambda context, labels: "caddy",
    "numbers": lambda context, labels: [1],
    "nones": lambda context, labels: [None],
    "generator": failing_generator,
    "endless": lambda context, labels: Endless(),
    "value-none": lambda context, labels: [evolve(each, value=None) for each in labels],
    "key-none": lambda context, labels: [evolve(each, key=None) for each in labels],
    "origin-none": lambda context, labels: [evolve(each, origin=None) for each in labels],
    "strange-text": lambda context, labels: [evolve(each, value=StrangeText("a")) for each in labels],
    "strange": lambda context, labels: Strange(),
    "empty-key": lambda context, labels: [*labels, Label("", "x", "caddy.x")],
    "nul": lambda context, labels: [*labels, Label("caddy.header\0", "X", "caddy.header")],
}

GATE = ALWAYS | {
    "none": lambda context: None,
    "text": lambda context: "no",
    "number": lambda context: 1,
    "strange": lambda context: Strange(),
    "changes-arguments": changes_arguments,
}

RULE = ALWAYS | {
    "junk-error": refuses_with_junk,
    "false": lambda context, blocks: False,
    "error-given": lambda context, blocks: LabelError("caddy", "no"),
    "changes-arguments": changes_arguments,
}

SITE = ALWAYS | {
    "none": lambda context, site: None,
    "text": lambda context, site: "http://stolen.test",
    "list": lambda context, site: [site],
    "children-none": lambda context, site: evolve(site, children=None),
    "children-text": lambda context, site: evolve(site, children=("respond",)),
    "keys-none": lambda context, site: evolve(site, keys=(None,)),
    "origins-text": lambda context, site: evolve(site, origins=("me",)),
    "order-none": lambda context, site: evolve(site, order=None),
    "half-a-character": lambda context, site: evolve(site, children=(Block(("respond", "\ud800")),)),
    "notes-no-placeholder": lambda context, site: context.note_placeholder("name", "127.0.0.1"),
    "notes-several-words": lambda context, site: context.note_placeholder("{file./x}", "not a word"),
    "changes-site": lambda context, site: site.children.append(1),
}


def asked(context, contribution):
    """What the resource wants to go wrong here."""
    wanted, _, fault = context.resource.labels.get("fault", "").partition(" ")
    return fault if wanted == contribution else ""


@dockcaddy.hook
def dockcaddy_functions():
    return {
        "faulty": faulty,
        "text": annotated_text,
        "number": annotated_number,
        "texts": annotated_texts,
        "deep": deep,
        "half": half,
        "prints": prints,
        "slow": slow,
        "sly": sly,
        "swallows": swallows,
    }


def faulty(context):
    return FUNCTION[asked(context, "function")](context)


def annotated_text(context) -> str:
    return None


def annotated_number(context) -> int:
    return "one"


def annotated_texts(context) -> list[str]:
    return ["a", 1]


def deep(context, *given):
    """Whether there is room for what everybody may do."""
    return nested(200)


def half(context):
    """Half a character."""
    return "a\ud800b"


def nested(levels):
    return levels if levels == 0 else nested(levels - 1)


def prints(context):
    """Says a lot, on all ways."""
    print("printed by a plugin")
    sys.stdout.write("written by a plugin\n")
    sys.stdout.flush()
    os.write(1, b"written by a plugin, to the descriptor\n")
    subprocess.run(["echo", "said by a program of a plugin"], check=True)
    warnings.warn("a plugin warns", stacklevel=1)
    return "fine"


def slow(context, seconds: float):
    time.sleep(seconds)
    return "late"


def sly(context):
    """Asks a gate and does not care what goes wrong there."""
    try:
        return str(context.admitted)
    except Exception:
        return "whatever"


def swallows(context, times: int):
    """Waits for long, whoever wants it to end."""
    for _ in range(times):
        try:
            time.sleep(600)
        except BaseException:
            print("swallowed by a plugin", flush=True)
    return "at last"


def transforms(contribution):
    def apply(context, labels):
        fault = asked(context, contribution)
        return LABELS[fault](context, labels) if fault else labels

    return apply


@dockcaddy.hook
def dockcaddy_label_transformers():
    return [
        LabelTransformer("raw", transforms("raw"), Stage.RAW),
        LabelTransformer("rendered", transforms("rendered"), Stage.RENDERED),
    ]


@dockcaddy.hook
def dockcaddy_gates():
    return [Gate("closed", admits)]


def admits(context):
    fault = asked(context, "gate")
    return GATE[fault](context) if fault else True


@dockcaddy.hook
def dockcaddy_admission_rules():
    return [AdmissionRule("refusing", check), AdmissionRule("shown-rule", check_shown, shows_refused=True)]


def check(context, blocks):
    fault = asked(context, "rule")
    return RULE[fault](context, blocks) if fault else None


def check_shown(context, blocks):
    fault = asked(context, "shown-rule")
    return RULE[fault](context, blocks) if fault else None


@dockcaddy.hook
def dockcaddy_site_transformers():
    return [SiteTransformer("finishing", finish)]


def finish(context, site):
    name = site.keys[0].removeprefix("http://") if site.keys else ""
    if not name.startswith("site-"):
        return site
    return SITE[name.removeprefix("site-").partition(".test")[0]](context, site)


@frozen
class FaultyOutput:
    """Does one thing wrong."""

    fault: str

    def _do(self, method):
        wanted, _, fault = self.fault.partition("-")
        return ALWAYS[fault]() if wanted == method and fault in ALWAYS else fault if wanted == method else None

    def write(self, configuration):
        if self.fault == "write-changes":
            configuration.text = ""
        if self.fault == "write-refuses":
            raise OutputError(Strange())
        self._do("write")

    def holds(self, configuration):
        return {"": True, "none": None, "text": "yes", "strange": Strange()}.get(self._do("holds") or "")

    def close(self):
        self._do("close")


class Half:
    """No whole output."""

    def write(self, configuration):
        pass


class WithoutClose(Half):
    def holds(self, configuration):
        return True


class Hidden:
    @property
    def write(self):
        raise ZeroDivisionError("division by zero")

    holds = close = write


@dockcaddy.hook
def dockcaddy_outputs():
    return {"faulty": OutputType(faulty_output)}


def faulty_output(context):
    target = context.options["target"]
    wanted, _, fault = target.partition("-")
    if wanted == "factory":
        return ALWAYS[fault](context)
    made = {"none": None, "half": Half(), "without": WithoutClose(), "hidden": Hidden(), "strange": Strange()}
    return made[wanted] if wanted in made else FaultyOutput(target)


@frozen
class FaultyService:
    """Fails whenever a configuration is to be offered."""

    state = "running"
    retry_at = None

    def start(self):
        pass

    def before_offer(self, configuration):
        raise Wicked("not today")

    def after_accepted(self, configuration):
        pass

    def holds(self):
        return True

    def problems(self):
        return ()

    def stop(self):
        raise Wicked("not today either")


@dockcaddy.hook
def dockcaddy_services():
    return [ServiceType("faulty", lambda context: FaultyService())]


@frozen
class FaultySettings:
    """The section `[faulty]`."""

    word: str = "word"


@dockcaddy.hook
def dockcaddy_settings():
    return dockcaddy.SettingsSection("faulty", FaultySettings)
