"""What is found out about keys once: nothing of a container with keys of megabytes stays when it is gone."""

import pytest
from dockcaddy.engine.records.label_keys import Keys, once, under
from dockcaddy.settings import limits


@pytest.mark.parametrize(
    ("keys", "calls"),
    [(("caddy", "caddy.respond"), 1), (("caddy", "caddy." + "x" * limits.MAX_KEPT_KEYS), 2), ((), 1)],
)
def test_only_keys_of_a_usual_length_are_kept(keys: Keys, calls: int) -> None:
    asked: list[Keys] = []

    @once
    def found(keys: Keys, prefix: str) -> int:
        asked.append(keys)
        return len(keys)

    assert [found(keys, "caddy") for _ in range(2)] == [len(keys)] * 2
    assert len(asked) == calls


def test_the_keys_under_a_prefix_are_sorted() -> None:
    keys = ("my.x_2.tls", "my.x", "my.xy", "my.x_a", "my.x.tls", "my.x_1", "my.x_1.", "other")
    assert list(under(keys, "my.x")) == ["my.x", "my.x.tls", "my.x_1", "my.x_1.", "my.x_2.tls"]
