"""Single letters in upper, lower and title case, as Go's package unicode changes them."""


def upper_letter(letter: str) -> str:
    """One letter for one letter, as Go's unicode.ToUpper."""
    upper = letter.upper()
    return upper if len(upper) == 1 else title_letter(letter)


def lower_letter(letter: str) -> str:
    """One letter for one letter, as Go's unicode.ToLower."""
    lower = letter.lower()
    return lower if len(lower) == 1 else lower[0] if letter == "\u0130" else letter


def title_letter(letter: str) -> str:
    """One letter for one letter, as Go's unicode.ToTitle."""
    title = letter.title()
    return title if len(title) == 1 else letter
