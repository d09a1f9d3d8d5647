"""Run a set of template conformance vectors: `run_conformance.py DIR [--kinds FILE] [-v]`.

DIR holds cases.json and expected.json, and kinds.json unless --kinds names another. The last line printed is
`A/B outputs, C/D error phases, E/F error messages`.
"""

import argparse
import base64
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from conformance_functions import function_sets
from conformance_values import json_value, kind_value
from dockcaddy import gotemplate
from dockcaddy.gotemplate.values import go_bytes


def run_case(case: dict[str, Any], kinds: dict[str, Any]) -> dict[str, Any]:
    """What this engine makes of a case: `output` bytes, or `error` with phase and message."""
    functions: dict[str, Any] = {}
    for name in case.get("funcs", ["test"]):
        functions |= function_sets()[name]
    data = kind_value(kinds[case["data_kind"]]["typed"]) if case.get("data_kind") else json_value(case.get("data"))
    try:
        template = gotemplate.compile(case["template"], gotemplate.FunctionTable(functions))
    except gotemplate.TemplateError as error:
        return {"error": {"phase": "parse", "message": error.message}}
    try:
        return {"output": go_bytes(template.execute(data))}
    except gotemplate.TemplateError as error:
        return {"error": {"phase": "exec", "message": error.message}}


def wanted_output(expected: dict[str, Any]) -> bytes:
    """The output of an expectation, in bytes."""
    if "output_base64" in expected:
        return base64.b64decode(expected["output_base64"])
    return go_bytes(expected["output"])


def main() -> int:
    """Run the set and print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kinds", type=Path)
    parser.add_argument("-v", "--verbose", action="store_true")
    options = parser.parse_args()
    cases = json.loads((options.folder / "cases.json").read_text())
    results = json.loads((options.folder / "expected.json").read_text())
    kinds = json.loads((options.kinds or options.folder / "kinds.json").read_text())
    right = {"outputs": 0, "phases": 0, "messages": 0}
    outputs = errors = 0
    for case, expected in zip(cases, results, strict=True):
        try:
            got = run_case(case, kinds)
        except KeyError as missing:
            got = {"error": {"phase": "", "message": f"no function set {missing}"}}
        except Exception as fault:  # a fault of the engine is a failed case, not the end of the run
            got = {"error": {"phase": "", "message": f"fault: {type(fault).__name__}: {fault}"}}
        if "error" in expected:
            errors += 1
            found = got.get("error", {})
            right["phases"] += found.get("phase") == expected["error"]["phase"]
            good = found.get("message") == expected["error"]["message"]
            right["messages"] += good
        else:
            outputs += 1
            good = got.get("output") == wanted_output(expected)
            right["outputs"] += good
        if options.verbose and not good:
            print(
                case["name"],
                repr(case["template"][:200]),
                "\n   want",
                str(expected)[:400],
                "\n   got ",
                str(got)[:400],
            )
    print(
        f"{right['outputs']}/{outputs} outputs, {right['phases']}/{errors} error phases, {right['messages']}/{errors} error messages"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
