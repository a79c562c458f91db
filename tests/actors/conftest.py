"""Here nothing touches the outside, so time is free on both backends."""

import pytest


@pytest.fixture
def anyio_backend(jumping_backend: object) -> object:
    return jumping_backend
