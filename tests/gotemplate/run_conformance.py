"""Run another set of template conformance cases: `run_conformance.py DIR [--kinds FILE] [-v]`.

DIR holds cases.json and expected.json, and kinds.json unless --kinds names another. The last line printed is
`A/B outputs, C/D error phases, E/F error messages`. The project's own set is run by test_conformance.py.
"""

import argparse
from collections import Counter
from pathlib import Path
from typing import Any

from conformance_cases import made, read, wanted


def attempted(case: dict[str, Any], kinds: dict[str, Any]) -> dict[str, Any]:
    """What is made of a case; a fault of the engine fails this case, not the run."""
    try:
        return made(case, kinds)
    except Exception as fault:
        return {"error": {"phase": "", "message": f"fault: {type(fault).__name__}: {fault}"}}


def main() -> None:
    """Run the set and print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kinds", type=Path)
    parser.add_argument("-v", "--verbose", action="store_true")
    options = parser.parse_args()
    kinds = read(options.kinds.parent, options.kinds.stem) if options.kinds else read(options.folder, "kinds")
    right: Counter[str] = Counter()
    expectations = list(map(wanted, read(options.folder, "expected")))
    for case, go in zip(read(options.folder, "cases"), expectations, strict=True):
        got = attempted(case, kinds)
        right["outputs"] += "output" in go and got == go
        right["phases"] += "error" in go and got.get("error", {}).get("phase") == go["error"]["phase"]
        right["messages"] += "error" in go and got.get("error", {}).get("message") == go["error"]["message"]
        if options.verbose and got != go:
            print(case["name"], repr(case["template"][:200]), "\n   want", str(go)[:400], "\n   got ", str(got)[:400])
    errors = sum("error" in go for go in expectations)
    print(
        f"{right['outputs']}/{len(expectations) - errors} outputs, "
        f"{right['phases']}/{errors} error phases, {right['messages']}/{errors} error messages"
    )


if __name__ == "__main__":
    main()
