"""What is behind a link is found once for all who ask within a minute."""

from __future__ import annotations

import anyio
import attrs
import pytest
from fetch_fakes import EASY, FakeSource, web

from ryzen.actors.gate import Gate
from ryzen.errors import TrackError, TrackTrouble
from ryzen.origins import Listing

pytestmark = pytest.mark.anyio

LINK = "https://tube.example/list"


async def test_what_is_behind_a_link_is_remembered_for_a_minute() -> None:
    """Whoever did not wait for the answer, and is told to try again, has it at once."""
    source = FakeSource("tube")
    gate = Gate(source, attrs.evolve(EASY, remembers_links=60.0))
    source.lists[LINK] = Listing((web("one"), web("two")))
    found = await gate.expand(LINK, 5)
    source.lists[LINK] = Listing((web("three"),))
    await anyio.sleep(59)
    assert await gate.expand(LINK, 5) == found
    assert len((await gate.expand(LINK, 1)).tracks) == 1, "more or less of it is another question"
    await anyio.sleep(2)
    assert (await gate.expand(LINK, 5)).tracks == (web("three"),)


async def test_a_link_that_leads_to_nothing_is_asked_for_again() -> None:
    source = FakeSource("tube")
    gate = Gate(source, EASY)
    source.trouble = TrackError(TrackTrouble.PRIVATE)
    with pytest.raises(TrackError):
        await gate.expand(LINK, 5)
    source.trouble = None
    source.lists[LINK] = Listing((web("one"),))
    assert (await gate.expand(LINK, 5)).tracks == (web("one"),)
