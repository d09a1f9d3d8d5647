"""Case of identifiers: snake_case, kebab-case, PascalCase, as the Go library xstrings makes them."""

import re
import unicodedata
from collections.abc import Callable

from dockcaddy import Context
from dockcaddy.gotemplate import lower_letter, upper_letter

from dockcaddy_sprig.strings import SPACES, is_upper, runes

Word = tuple[str, str]
# what xstrings passes over: bytes that are no UTF-8, and the character that stands for them
_NO_LETTER = re.compile("[\ufffd\udc80-\udcff]+")
_PIECE = re.compile("[\ufffd\udc80-\udcff]*[^\ufffd\udc80-\udcff]")
_CJK = (("\u4e00", "\u9fcc"), ("\u3400", "\u4d85"), ("\U00020000", "\U0002b81d"))
# where a word ends that nothing follows
_END = ("", "")
# looking at a character takes longer than elsewhere
_CHARACTERS_PER_STEP = 2


def snakecase(context: Context, text: str) -> str:
    """`readTimeout` as `read_timeout`."""
    return _Lower(_words(context, text), "_").whole()


def kebabcase(context: Context, text: str) -> str:
    """`readTimeout` as `read-timeout`."""
    return _Lower(_words(context, text), "-").whole()


def camelcase(context: Context, text: str) -> str:
    """`read_timeout` as `ReadTimeout`."""
    text = runes(text)
    start = next((place for place, letter in enumerate(text) if not _connects(letter)), len(text))
    if start >= len(text) - 1:
        return text[:start] + upper_letter(text[start]) if start < len(text) else text + text[-1:]
    made = list(text[:start])
    letter, was_upper = upper_letter(text[start]), is_upper(text[start])
    for following in text[start + 1 :]:
        before, letter = letter, following
        if _connects(letter) and _connects(before):
            made.append(before)
        elif _connects(before):
            was_upper = is_upper(letter)
            letter = upper_letter(letter)
        else:
            if was_upper:
                was_upper = is_upper(letter)
                letter = lower_letter(letter) if was_upper else letter
            made.append(before)
    return "".join((*made, letter))


def _connects(letter: str) -> bool:
    return letter in "-_" or letter in SPACES


def _is_number(letter: str) -> bool:
    return unicodedata.category(letter).startswith("N")


def _is_punctuation(letter: str) -> bool:
    return unicodedata.category(letter).startswith("P")


def _is_alphabet(letter: str) -> bool:
    return unicodedata.category(letter).startswith("L") and not any(first <= letter <= last for first, last in _CJK)


def _words(context: Context, text: str) -> list[Word]:
    words, at = [], 0
    context.spend(len(text) // _CHARACTERS_PER_STEP)
    letters, pieces = _letters(text)
    while at < len(letters):
        kind, end = _word(letters, at)
        words.append((kind, "".join(pieces[at:end])))
        at = end
    return words or [("invalid", text)]


def _letters(text: str) -> tuple[str, list[str]]:
    """The letters of a text, and each with the bytes before it that are no UTF-8, the last one also with those behind it."""
    pieces = _PIECE.findall(text)
    if pieces:
        pieces[-1] += text[sum(map(len, pieces)) :]
    return _NO_LETTER.sub("", text), pieces


def _run(text: str, at: int, belongs: Callable[[str], bool]) -> int:
    while at < len(text) and belongs(text[at]):
        at += 1
    return at


def _word(text: str, at: int) -> tuple[str, int]:
    """The kind of the word that begins here, and where it ends."""
    letter = text[at]
    small: Callable[[str], bool] = lambda each: _is_alphabet(each) and not is_upper(each)  # noqa: E731
    if _connects(letter):
        return "connector", _run(text, at + 1, _connects)
    if _is_punctuation(letter):
        return "punctuation", _run(text, at + 1, _is_punctuation)
    if is_upper(letter):
        end = _run(text, at + 1, is_upper)
        if end == at + 1:
            return "upper", _run(text, end, small)
        return "upper", end - 1 if end < len(text) and _is_alphabet(text[end]) else end
    if _is_alphabet(letter):
        return "alphabet", _run(text, at + 1, small)
    if _is_number(letter):
        return "number", _run(text, at + 1, _is_number)

    def other(each: str) -> bool:
        return not (_connects(each) or _is_alphabet(each) or _is_number(each) or _is_punctuation(each))

    return "other", _run(text, at + 1, other)


class _Lower:
    """Words joined by a connector, in lower case."""

    def __init__(self, words: list[Word], connector: str) -> None:
        self.words, self.connector, self.at = words, connector, 0
        self.made: list[str] = []

    def next(self) -> Word:
        self.at += 1
        return self.words[self.at - 1] if self.at <= len(self.words) else _END

    def write(self, word: Word) -> None:
        kind, text = word
        if kind == "upper":
            text = "".join([lower_letter(each) if is_upper(each) else each for each in runes(text)])
        elif kind == "connector":
            text = "".join([self.connector if _connects(each) else each for each in runes(text)])
        self.made.append(text)

    def joined(self, word: Word) -> Word:
        """Letters and digits that follow digits, and what comes then."""
        while word[0] in ("alphabet", "number"):
            self.write(word)
            word = self.next()
        if word[0] not in ("", "connector", "punctuation"):
            self.made.append(self.connector)
        return word

    def whole(self) -> str:
        word = self.next()
        while self.at < len(self.words):
            if word[0] != "connector":
                self.write(word)
            before, word = word, self.next()
            if before[0] == "number":
                word = self.joined(word)
            elif before[0] == "connector":
                self.write(before)
            elif before[0] != "punctuation":
                word = self.after_letters(word)
        self.write(word)
        return "".join(self.made)

    def after_letters(self, word: Word) -> Word:
        if word[0] != "number":
            if word[0] not in ("connector", "punctuation"):
                self.made.append(self.connector)
            return word
        if self.at >= len(self.words):
            return word
        digits, word = word, self.next()
        if word[0] != "alphabet":
            self.write(digits)
            if word[0] not in ("connector", "punctuation"):
                self.made.append(self.connector)
            return word
        self.made.append(self.connector)
        self.write(digits)
        return self.joined(word)


FUNCTIONS: dict[str, Callable[..., object]] = {
    "camelcase": camelcase,
    "kebabcase": kebabcase,
    "snakecase": snakecase,
}
