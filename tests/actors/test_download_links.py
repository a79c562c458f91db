"""What is asked of a source no second time: what it has just said, and anything while it is shut."""

from __future__ import annotations

import anyio
import attrs
import pytest
from fetch_fakes import EASY, FakeSource, web

from ryzen.actors.gate import Gate
from ryzen.errors import SourceAway, SourceTrouble, TrackError, TrackTrouble
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


async def test_who_is_turned_away_from_a_shut_gate_has_not_used_up_a_turn() -> None:
    source = FakeSource("tube")
    gate = Gate(source, attrs.evolve(EASY, rate=0.01, burst=2, queue_within=0.0))
    source.trouble = SourceAway("tube", SourceTrouble.BOT_CHECK)
    for _ in range(5):
        with pytest.raises(SourceAway) as away:
            await gate.resolve(web("song"))
        assert away.value.trouble is SourceTrouble.BOT_CHECK, "and not for having asked too often"
    assert len(source.asked) == 1
