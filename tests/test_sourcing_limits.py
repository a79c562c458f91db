"""What the bot asks of the system before it fetches."""

import resource
from collections.abc import Iterator

import pytest

from ryzen import sourcing


@pytest.fixture
def limits() -> Iterator[tuple[int, int]]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield before
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_it_takes_the_descriptors_that_it_may_have(limits: tuple[int, int]) -> None:
    soft, hard = limits
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 1024), hard))
    sourcing._have_descriptors()
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (min(hard, 65_536) if hard > 0 else 65_536, hard)


def test_it_gives_back_none(limits: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sourcing, "_DESCRIPTORS", 100)
    sourcing._have_descriptors()
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == limits
