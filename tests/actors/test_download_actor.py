"""The shared download actor: one resolve for everybody, and one bad track hurts only those who asked."""

from __future__ import annotations

import anyio
import pytest
from chat_fakes import FakeWorld, track

from ryzen.actors.download import DownloadActor
from ryzen.errors import TrackError, TrackTrouble
from ryzen.messages import Fetch, Find, Warm
from ryzen.origins import Listing
from ryzen.player.state import Track
from ryzen.supervisor import supervise

pytestmark = pytest.mark.anyio


async def test_three_chats_that_want_one_track_cause_one_resolve() -> None:
    world = FakeWorld()
    async with supervise("s") as sup, anyio.create_task_group() as chats:
        download = await sup.start("download", lambda *_: DownloadActor({"fake": world}))
        got: list[str] = []

        async def chat() -> None:
            got.append((await download.ask(Fetch(track("song"), 1), within=5)).path)

        for _ in range(3):
            chats.start_soon(chat)
        await anyio.sleep(1)
        assert got == ["song"] * 3
        assert world.resolved == ["song"]


async def test_a_bad_track_is_an_answer_and_the_actor_lives() -> None:
    world = FakeWorld()
    async with supervise("s") as sup:
        download = await sup.start("download", lambda *_: DownloadActor({"fake": world}))
        download.tell(Warm(track("bad"), 2))
        with pytest.raises(TrackError) as failed:
            await download.ask(Fetch(track("bad"), 1), within=5)
        assert failed.value.trouble is TrackTrouble.BROKEN
        with pytest.raises(TrackError):
            await download.ask(Fetch(Track("gone:1", "x", "gone", "x"), 1), within=5)
        assert (await download.ask(Fetch(track("good"), 1), within=5)).path == "good"
        assert sup.health()[0].restarts == 0


async def test_one_who_gives_up_does_not_spoil_it_for_the_others() -> None:
    world = FakeWorld()
    world.resolve_takes = 2.0
    async with supervise("s") as sup, anyio.create_task_group() as chats:
        download = await sup.start("download", lambda *_: DownloadActor({"fake": world}))
        got: list[str] = []

        async def patient() -> None:
            got.append((await download.ask(Fetch(track("song"), 1), within=5)).path)

        async def hasty() -> None:
            with anyio.move_on_after(0.5):
                await download.ask(Fetch(track("song"), 1), within=5)

        chats.start_soon(hasty)
        await anyio.sleep(0.1)
        chats.start_soon(patient)
        await anyio.sleep(3)
        assert got == ["song"]
        assert world.resolved == ["song"]


async def test_what_is_not_found_is_an_empty_answer() -> None:
    world = FakeWorld()
    async with supervise("s") as sup:
        download = await sup.start("download", lambda *_: DownloadActor({"fake": world}))
        assert await download.ask(Find("nothing"), within=5) == Listing(())
        assert [found.title for found in (await download.ask(Find("song"), within=5)).tracks] == ["song"]
