"""What people write wrong, and what `dockcaddy check` tells them, in plain words.

`status` is the exit status, `base` a base Caddyfile, `arguments` are further ones. Where Caddy's own words would stand,
`tests/cli` looks for ours among them instead.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from golden import Case, Golden, cases


@pytest.mark.parametrize("case", cases(Path(__file__).parent / "messages"))
def test_what_is_wrong_is_told_with_the_place_the_cause_and_what_to_do(
    case: Case, golden: Golden, on_case: Callable
) -> None:
    result = on_case("check", case)
    assert result.status == case.settings["status"]
    assert "Traceback" not in result.err
    golden(case.expected, result.out + result.err)
