from collections.abc import Iterator

import pytest
from real_engine_fixtures import start_dockcaddy
from real_podman import RealPodman

__all__ = ["start_dockcaddy"]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealPodman]:
    made = RealPodman(tmp_path_factory.mktemp("podman"))
    try:
        made.start()
        yield made
    finally:
        made.leave_nothing()


@pytest.fixture
def podman(service: RealPodman) -> Iterator[RealPodman]:
    yield service
    service.remove_containers()
