"""The image, built once, and containers of it."""

import pytest
from own_image import built_image
from real_engine_fixtures import containers

__all__ = ["containers", "image"]


@pytest.fixture(scope="session")
def image() -> str:
    """The name of the image."""
    return built_image()
