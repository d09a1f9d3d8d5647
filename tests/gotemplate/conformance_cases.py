"""Cases of a template, its data and functions: what this engine makes of each, and what Go made."""

import base64
import json
from functools import cache
from pathlib import Path
from typing import Any

from conformance_functions import context, function_sets
from conformance_values import json_value, kind_value
from dockcaddy import gotemplate
from dockcaddy.gotemplate.values import go_bytes


def read(folder: Path, name: str) -> Any:
    """A file of a set: `cases`, `expected` or `kinds`, the data that JSON cannot spell."""
    return json.loads((folder / f"{name}.json").read_text())


@cache
def table(names: tuple[str, ...]) -> gotemplate.FunctionTable:
    """The functions of these sets; a later set wins."""
    return gotemplate.FunctionTable({key: call for name in names for key, call in function_sets()[name].items()})


def made(case: dict[str, Any], kinds: dict[str, Any]) -> dict[str, Any]:
    """The `output` in bytes, or the `error` with its phase and message."""
    data = kind_value(case["data_kind"], kinds) if case.get("data_kind") else json_value(case.get("data"))
    try:
        template = gotemplate.compile(case["template"], table(tuple(case.get("funcs", ["test"]))))
    except gotemplate.TemplateError as error:
        return {"error": {"phase": "parse", "message": error.message}}
    try:
        return {"output": go_bytes(template.execute(data, context()))}
    except gotemplate.TemplateError as error:
        return {"error": {"phase": "exec", "message": error.message}}


def wanted(expected: dict[str, Any]) -> dict[str, Any]:
    """What Go made, in the same form."""
    if "error" in expected:
        return {"error": {name: expected["error"][name] for name in ("phase", "message")}}
    if "output_base64" in expected:
        return {"output": base64.b64decode(expected["output_base64"])}
    return {"output": go_bytes(expected["output"])}
