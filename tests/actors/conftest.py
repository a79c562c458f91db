"""Here nothing touches the outside, so time is free on both backends."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from loguru import logger


@pytest.fixture
def anyio_backend(jumping_backend: object) -> object:
    return jumping_backend


@pytest.fixture
def log() -> Iterator[Callable[[str], list[str]]]:
    """``log("WARNING")``: the lines written at that level so far."""
    lines: list[tuple[str, str]] = []
    sink = logger.add(lambda line: lines.append((line.record["level"].name, line.record["message"])))
    yield lambda level: [text for at, text in lines if at == level]
    logger.remove(sink)
