"""Sets of characters in Go's regular expressions: `[a-z]`, `\\d`, `[[:alpha:]]`, `\\pL`, with and without case."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Mapping

from attrs import define, field

from dockcaddy.gotemplate.letters import lower_letter, title_letter, upper_letter

Member = Callable[[str], bool]


def _folded(letter: str) -> str:
    return lower_letter(upper_letter(letter))


# letters that no upper or lower case of another leads to
_RARE = "\u212a\u017f\u212b\u00b5\u03d0\u03f5\u03d1\u03f4\u0345\u1fbe\u03f0\u03d6\u03f1\u03c2\u03d5\u2126\u1e9e\u1e9b\u1c80\u1c81\u1c82\u1c83\u1c84\u1c85\u1c86\u1c87\u1c88"


def _by_fold() -> Mapping[str, str]:
    found: dict[str, str] = defaultdict(str)
    for letter in _RARE:
        found[_folded(letter)] += letter
    return found


_RARE_OF = _by_fold()


def same_but_case(letter: str) -> set[str]:
    """The letters that differ in case alone."""
    if letter.isascii() and letter not in "kKsS":
        return {letter, letter.swapcase()}
    folded = _folded(letter)
    return {letter, folded, upper_letter(folded), title_letter(folded), *_RARE_OF.get(folded, "")}


def between(low: str, high: str) -> Member:
    """The characters from one to another."""
    return lambda each: low <= each <= high


def one_of(*ranges: str) -> Member:
    """ASCII characters by pairs of first and last."""
    return lambda each: any(pair[0] <= each <= pair[1] for pair in ranges)


PERL: Mapping[str, Member] = {
    "d": one_of("09"),
    "s": lambda each: each in "\t\n\f\r ",
    "w": one_of("09", "AZ", "__", "az"),
}
POSIX: Mapping[str, Member] = {
    "alnum": one_of("09", "AZ", "az"),
    "alpha": one_of("AZ", "az"),
    "ascii": one_of("\0\x7f"),
    "blank": one_of("\t\t", "  "),
    "cntrl": one_of("\0\x1f", "\x7f\x7f"),
    "digit": one_of("09"),
    "graph": one_of("!~"),
    "lower": one_of("az"),
    "print": one_of(" ~"),
    "punct": one_of("!/", ":@", "[`", "{~"),
    "space": one_of("\t\r", "  "),
    "upper": one_of("AZ"),
    "word": one_of("09", "AZ", "az", "__"),
    "xdigit": one_of("09", "AF", "af"),
}
_CATEGORIES = frozenset(
    re.findall(
        r"\w+",
        "C Cc Cf Cn Co Cs L Ll Lm Lo Lt Lu M Mc Me Mn N Nd Nl No P Pc Pd Pe Pf Pi Po Ps S Sc Sk Sm So Z Zl Zp Zs",
    )
)
# Python knows scripts by their letters' names alone: these words are what the names begin with
_SCRIPTS = frozenset(
    re.findall(
        r"\w+",
        "Arabic Armenian Bengali Bopomofo Braille Cherokee Coptic Cyrillic Devanagari Ethiopic Georgian Gothic Greek "
        "Gujarati Gurmukhi Hangul Hebrew Hiragana Kannada Katakana Khmer Lao Latin Malayalam Mongolian Myanmar Ogham "
        "Oriya Runic Sinhala Syriac Tamil Telugu Thaana Thai Tibetan",
    )
)


def unicode_group(name: str) -> Member | None:
    """`\\p{name}`: a general category or a script, None where there is none of that name."""
    if name in _CATEGORIES:
        return lambda each: unicodedata.category(each).startswith(name)
    if name == "Any":
        return lambda each: True
    if name == "Han":
        return lambda each: unicodedata.name(each, "").startswith("CJK ")
    if name in _SCRIPTS:
        return lambda each: unicodedata.name(each, "").startswith(f"{name.upper()} ")
    return None


@define(eq=False)
class CharacterClass:
    """A set of characters; what was asked is remembered."""

    members: list[Member] = field(factory=list)
    negated: bool = False
    known: dict[str, bool] = field(factory=dict)

    def add(self, member: Member, *, negated: bool = False, folds: bool = False) -> None:
        """Add a set, or all that is not in it; `folds` is whether case does not count."""
        if folds:
            plain = member
            member = lambda each: any(map(plain, same_but_case(each)))  # noqa: E731
        self.members.append((lambda each: not member(each)) if negated else member)

    def has(self, letter: str) -> bool:
        """Whether the character is in the set."""
        found = self.known.get(letter)
        if found is None:
            # a byte that is no UTF-8
            read = "\ufffd" if "\udc80" <= letter <= "\udcff" else letter
            found = self.known[letter] = any(member(read) for member in self.members) != self.negated
        return found
