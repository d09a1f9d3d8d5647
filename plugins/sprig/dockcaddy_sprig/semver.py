"""Semantic versions."""

from collections.abc import Callable
from typing import Annotated

from attrs import evolve
from dockcaddy import Context
from dockcaddy.gotemplate import (
    BOOL,
    ERROR,
    INT,
    STRING,
    UINT64,
    Field,
    FunctionError,
    Method,
    Type,
    Value,
    function_type,
    pointer_to,
)

from dockcaddy_sprig.constraints import satisfies
from dockcaddy_sprig.versions import Version, metadata, parse, prerelease


def _type() -> Type:
    """`semver.Version`, with the methods that templates call."""
    methods: dict[str, Method] = {}
    fields = {
        "major": Field(UINT64, lambda version: version.major, exported=False),
        "minor": Field(UINT64, lambda version: version.minor, exported=False),
        "patch": Field(UINT64, lambda version: version.patch, exported=False),
        "pre": Field(STRING, lambda version: version.pre, exported=False),
        "metadata": Field(STRING, lambda version: version.metadata, exported=False),
        "original": Field(STRING, lambda version: version.original, exported=False),
    }
    made = Type("struct", "semver.Version", fields=fields, methods=methods)
    pointer = pointer_to(made)

    def add(name: str, result: Type, call: Callable[..., object], *parameters: Type, on_pointer: bool = False) -> None:
        methods[name] = Method(function_type(parameters, [result]), call, on_pointer)

    add("String", STRING, str)
    add("MarshalJSON", STRING, str)
    add("Original", STRING, lambda version: version.original, on_pointer=True)
    add("Major", UINT64, lambda version: version.major)
    add("Minor", UINT64, lambda version: version.minor)
    add("Patch", UINT64, lambda version: version.patch)
    add("Prerelease", STRING, lambda version: version.pre)
    add("Metadata", STRING, lambda version: version.metadata)
    add("Compare", INT, lambda version, other: version.compared(_given(other)), pointer, on_pointer=True)
    add("Equal", BOOL, lambda version, other: version.compared(_given(other)) == 0, pointer, on_pointer=True)
    add("LessThan", BOOL, lambda version, other: version.compared(_given(other)) < 0, pointer, on_pointer=True)
    add("LessThanEqual", BOOL, lambda version, other: version.compared(_given(other)) <= 0, pointer, on_pointer=True)
    add("GreaterThan", BOOL, lambda version, other: version.compared(_given(other)) > 0, pointer, on_pointer=True)
    add("GreaterThanEqual", BOOL, lambda version, other: version.compared(_given(other)) >= 0, pointer, on_pointer=True)
    add("IncMajor", made, lambda version: _next(version, major=version.major + 1, minor=0, patch=0))
    add("IncMinor", made, lambda version: _next(version, minor=version.minor + 1, patch=0))
    add("IncPatch", made, lambda version: _next(version, patch=version.patch + (not version.pre)))
    setter = function_type([STRING], [made, ERROR])
    methods["SetPrerelease"] = Method(setter, lambda version, text: _changed(version, pre=prerelease(text.data)))
    methods["SetMetadata"] = Method(setter, lambda version, text: _changed(version, metadata=metadata(text.data)))
    return made


def _given(version: Value) -> Version:
    if version.data is None:
        raise FunctionError("runtime error: invalid memory address or nil pointer dereference")
    found: Version = version.data
    return found


def _next(version: Version, **numbers: int) -> Version:
    return _changed(version, pre="", metadata="", **numbers)


def _changed(version: Version, **parts: int | str) -> Version:
    following = evolve(version, **parts)  # type: ignore[arg-type]
    return evolve(following, original="v" * version.original.startswith("v") + str(following))


_POINTER = pointer_to(_type())
SemanticVersion = Annotated[Value, _POINTER]


def semver(context: Context, text: str) -> SemanticVersion:
    """The version that the text is; its parts are .Major, .Minor, .Patch, .Prerelease and .Metadata."""
    return Value(_POINTER, parse(text))


def semver_compare(context: Context, constraint: str, version: str) -> bool:
    """Whether the version meets the constraint (`>=1.2, <2`, `~1.2`, `^1`)."""
    context.spend((len(constraint) + len(version)) // 8)
    return satisfies(constraint, version)


FUNCTIONS: dict[str, Callable[..., object]] = {"semver": semver, "semverCompare": semver_compare}
