"""Random words and numbers: made once for a label, and kept as long as it and its resource are the same."""

import base64
import secrets
import string
import uuid
from collections.abc import Callable

from dockcaddy import Context
from dockcaddy.gotemplate import FunctionError

from dockcaddy_sprig.go import CHARACTERS_PER_STEP, bounded
from dockcaddy_sprig.strings import runes

_ASCII = "".join(map(chr, range(32, 127)))


def _word(context: Context, count: int, letters: str) -> str:
    bounded(count)
    context.spend(max(count, 0) // CHARACTERS_PER_STEP * 8)
    return context.keep(lambda: "".join(secrets.choice(letters) for _ in range(count)), count, letters)


def rand_alpha_num(context: Context, count: int) -> str:
    """COUNT random letters and digits."""
    return _word(context, count, string.ascii_letters + string.digits)


def rand_alpha(context: Context, count: int) -> str:
    """COUNT random letters."""
    return _word(context, count, string.ascii_letters)


def rand_numeric(context: Context, count: int) -> str:
    """COUNT random digits."""
    return _word(context, count, string.digits)


def rand_ascii(context: Context, count: int) -> str:
    """COUNT random characters of ASCII that can be printed."""
    return _word(context, count, _ASCII)


def rand_bytes(context: Context, count: int) -> str:
    """COUNT random bytes, in base64."""
    if count < 0:
        raise FunctionError("runtime error: makeslice: len out of range")
    bounded(count)
    return context.keep(lambda: base64.b64encode(secrets.token_bytes(count)).decode(), count)


def rand_int(context: Context, least: int, beyond: int) -> int:
    """A random number from LEAST up to BEYOND, without it."""
    if beyond <= least:
        raise FunctionError("invalid argument to Intn")
    return context.keep(lambda: least + secrets.randbelow(beyond - least), least, beyond)


def shuffle(context: Context, text: str) -> str:
    """The letters of the text in a random order."""
    letters = list(runes(text))
    bounded(len(letters))
    context.spend(len(letters) // CHARACTERS_PER_STEP * 8)

    def shuffled() -> str:
        secrets.SystemRandom().shuffle(letters)
        return "".join(letters)

    return context.keep(shuffled, text)


def uuidv4(context: Context) -> str:
    """A random UUID."""
    return context.keep(lambda: str(uuid.uuid4()))


FUNCTIONS: dict[str, Callable[..., object]] = {
    "randAlpha": rand_alpha,
    "randAlphaNum": rand_alpha_num,
    "randAscii": rand_ascii,
    "randBytes": rand_bytes,
    "randInt": rand_int,
    "randNumeric": rand_numeric,
    "shuffle": shuffle,
    "uuidv4": uuidv4,
}
