"""The limits of templates. Labels come from strangers: a template must end soon and must not fill the memory."""

from collections.abc import Callable

from attrs import frozen

# Characters of one template. Longer texts can be written as several labels.
MAX_TEMPLATE_TEXT = 64 * 1024
# Parentheses, branches and pipelines within each other. Go allows 10 000; each level takes Python frames here.
MAX_NESTING = 1000
# Variables in one scope. Each use of a variable searches all that are in scope.
MAX_VARIABLES = 1000
# Lists, mappings and structs within each other that `print` and `printf` follow; data that refers to itself has no end.
MAX_PRINT_DEPTH = 64
# Width and precision of a verb such as `%8d`, as in Go.
MAX_PRINT_WIDTH = 1_000_000
# Characters, groups within each other and instructions of a regular expression.
MAX_REGEXP_TEXT = 4_000
MAX_REGEXP_DEPTH = 200
MAX_REGEXP_INSTRUCTIONS = 20_000
# Repetitions of a part of a regular expression, as in Go.
MAX_REGEXP_REPETITIONS = 1_000
# Python frames for the deepest template within these limits: each level of a parenthesis or a template takes several.
FRAMES = 60_000

# Reading or making so many characters, or looking at so many elements, takes about as long as one step.
CHARACTERS_PER_STEP = 32
ELEMENTS_PER_STEP = 8
# Printing a list, mapping or struct takes so many, beside its elements.
COMPOSITE_STEPS = 4


@frozen
class Limits:
    """What executions may use: characters of output and of any text on the way, steps, nested templates."""

    output: int = 1024 * 1024
    steps: int = 50_000
    depth: int = 2_000


DEFAULT = Limits()


@frozen
class Room:
    """What making one text may take: characters of the result, and `spend` counts the steps of the way there."""

    characters: int
    spend: Callable[[int], None]
