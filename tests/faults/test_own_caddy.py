"""Dockcaddy and its own Caddy keep in touch. Controlled servers have tests of their own."""

from collections.abc import Callable

import pytest
from world_fixtures import Newcomers, site


@pytest.mark.parametrize("option", ["admin off", "admin localhost:%FREE_PORT%", "admin unix//%FOLDER%/other.sock"])
def test_b42_the_operators_admin_option_locks_nobody_out(
    newcomers: Newcomers, add_to_base: Callable[[str], None], option: str
) -> None:
    add_to_base(f"{{\n\t{option}\n}}\n")
    for turn in ("one", "two"):
        newcomers.put(site("x", {"respond": turn}))
        assert newcomers.body("x") == turn
    assert newcomers.world.faults() == []
