"""`dockcaddy explain`: what is shown of a snapshot's site or resource, and what is told on standard error.

`subject` is what is asked for, `base` a base Caddyfile, `arguments` are further ones.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from golden import Case, Golden, cases


@pytest.mark.parametrize("case", cases(Path(__file__).parent / "explain"))
def test_explain_shows_who_made_which_line(case: Case, golden: Golden, on_case: Callable) -> None:
    result = on_case("explain", case, case.settings["subject"])
    assert result.status == case.settings.get("status", 0)
    golden(case.expected, result.out + result.err)
