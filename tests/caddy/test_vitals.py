"""What Caddy's metrics say about its configuration."""

import pytest
from attrs import define
from dockcaddy.caddy.vitals import Vitals, vitals_of

STARTED = "process_start_time_seconds 1.79588602493e+09\n"
RELOADED = "caddy_config_last_reload_success_timestamp_seconds 1.7958861e+09\n"


@define
class Metrics:
    """An admin client that only has metrics."""

    text: str

    def metrics(self, method: str = "GET") -> str:
        return self.text


@pytest.mark.parametrize("text", ["", STARTED], ids=["no metrics", "an older Caddy"])
def test_a_caddy_that_does_not_say_when_it_was_configured_says_nothing(text: str) -> None:
    assert vitals_of(Metrics(text)) == Vitals()  # type: ignore[arg-type]


def test_a_new_configuration_and_a_new_process_both_count() -> None:
    first = vitals_of(Metrics(STARTED + RELOADED)).since  # type: ignore[arg-type]
    other = vitals_of(Metrics(STARTED + RELOADED.replace("861", "862"))).since  # type: ignore[arg-type]
    process = vitals_of(Metrics(STARTED.replace("602", "603") + RELOADED)).since  # type: ignore[arg-type]
    assert len({first, other, process}) == 3
    assert all((first, other, process))
