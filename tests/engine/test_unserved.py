"""What is known of containers and services that are not read."""

import pytest
from dockcaddy.engine.records.resources import EngineOptions
from dockcaddy.engine.records.unserved import unserved_containers, unserved_services
from dockcaddy.settings.constraint import Constraint


@pytest.mark.parametrize(
    ("labels", "sites"),
    [
        ({"caddy": "a.test", "caddy.respond": "x"}, ("a.test",)),
        ({"caddy": "a.test, b.test", "caddy_1": "https://c.test/x"}, ("a.test", "b.test", "https://c.test/x")),
        ({"caddy": '{{env "HOST"}}', "caddy_1": "(common)", "caddy_2": "&(named)", "caddy.tls": "internal"}, ()),
        (
            {"caddy": " ".join(f"{number}.test" for number in range(12))},
            tuple(f"{number}.test" for number in range(10)),
        ),
    ],
)
def test_the_sites_of_a_stopped_container_are_those_of_its_labels(
    labels: dict[str, str], sites: tuple[str, ...]
) -> None:
    item = {"Id": "a", "Names": ["/a"], "State": "exited", "Labels": labels}
    (found,) = unserved_containers([item], EngineOptions())
    assert found.why == "Stopped" and found.sites == sites


def test_a_service_that_the_constraint_excludes_names_its_sites() -> None:
    service = {"ID": "s", "Spec": {"Name": "shop", "Labels": {"caddy": "a.test"}}}
    options = EngineOptions(constraint=Constraint.parse("Label(`app`, `other`)"))
    (found,) = unserved_services([service], options, {})
    assert found.sites == ("a.test",)
