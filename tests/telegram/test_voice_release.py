"""Laws of going without leaving: a call that is released, or whose process was killed, is joined over."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from anyio.streams.buffered import BufferedByteReceiveStream
from voice_stage import ASSISTANT, Chat, HumDeck, Stage, until, voice_stage

from ryzen.errors import VoiceError, VoiceTrouble
from ryzen.sandbox.media import Peer
from ryzen.telegram import voice_call

pytestmark = pytest.mark.anyio

JOIN, LEAVE = "phone.JoinGroupCall", "phone.LeaveGroupCall"
OTHER = Path(__file__).with_name("voice_other.py")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"  # the libraries know no other


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with voice_stage() as stage:
        yield stage


async def playing(stage: Stage, hz: float = 440.0) -> Chat:
    chat = await stage.chat()
    await chat.call.join(stage.deck(hz))
    await stage.hear(chat, hz)
    return chat


async def falls_silent(peer: Peer, within: float) -> None:
    """Nothing of it comes any more from ``within`` seconds from now on."""
    latest = anyio.current_time() + within
    await anyio.sleep(within + 0.3)
    assert peer.last_rtp_at is not None
    assert peer.last_rtp_at < latest


async def is_taken_over(old: Peer, stage: Stage, before: Chat, hz: float) -> None:
    """This stage's account joins where it sat before: one seat, one connection, and it is heard."""
    assert stage.is_listed(before)
    chat = await stage.back_in(before)
    await chat.call.join(stage.deck(hz))
    new = await stage.hear(chat, hz)
    assert new is not old
    assert list(stage.box.call_of(chat.group).members) == [ASSISTANT]
    assert old not in stage.media.peers
    assert chat.lost == []


async def test_a_released_call_is_silent_at_once_and_stays_listed(stage: Stage) -> None:
    chat = await playing(stage)
    deck = stage.decks[-1]
    await chat.call.release()
    await falls_silent(stage.peer(chat), within=0.2)
    assert deck.bytes_read() == 0
    assert not await stage.is_in_engine(chat)
    assert stage.is_listed(chat)
    assert stage.box.calls[LEAVE] == 0
    assert chat.lost == []


async def test_out_of_a_call_there_is_nothing_to_release(stage: Stage) -> None:
    chat = await stage.chat()
    await chat.call.release()
    await chat.call.join(stage.deck(440))
    await chat.call.leave()
    await chat.call.release()
    assert not stage.is_listed(chat)


async def test_after_a_release_a_join_is_one_of_a_new_call_and_a_leave_leaves_it(stage: Stage) -> None:
    chat = await playing(stage)
    old = stage.peer(chat)
    await chat.call.mute(True)
    await chat.call.release()
    await is_taken_over(old, stage, chat, 880)
    await chat.call.leave()
    assert not stage.is_listed(chat)
    assert stage.box.calls[LEAVE] == 1


async def test_who_was_released_hears_no_more_of_the_call(stage: Stage) -> None:
    chat = await playing(stage)
    await chat.call.release()
    stage.box.kick_from_call(chat.group, stage.assistant)
    stage.box.close_voice_chat(chat.group)
    await stage.calls.of(chat.id, chat.call.on_lost).check()
    await anyio.sleep(0.2)
    assert chat.lost == []


async def test_a_release_ends_a_join_under_way_and_leaves_the_seat_to_the_next(stage: Stage) -> None:
    chat = await stage.chat()
    stage.box.faults.delay(JOIN, 0.3, times=1)
    ended: list[VoiceError] = []

    async def join() -> None:
        with pytest.raises(VoiceError) as caught:
            await chat.call.join(stage.deck(440))
        ended.append(caught.value)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(join)
        await until(lambda: stage.box.calls[JOIN])
        await chat.call.release()
    assert [error.trouble for error in ended] == [VoiceTrouble.LOST]
    assert not await stage.is_in_engine(chat)
    await until(lambda: stage.is_listed(chat))
    assert stage.box.calls[LEAVE] == 0
    await is_taken_over(stage.peer(chat), stage, chat, 880)


async def test_a_release_ends_although_telegram_does_not_answer_the_join(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voice_call, "RELEASE_WITHIN", 0.2)
    chat = await stage.chat()
    stage.box.faults.delay(JOIN, 1.0, times=1)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_join_in_vain, chat, stage.deck(440))
        await until(lambda: stage.box.calls[JOIN])
        with anyio.fail_after(0.7):
            await chat.call.release()
    await chat.call.join(stage.deck(880))  # which waits for what was asked before
    await stage.hear(chat, 880)


async def _join_in_vain(chat: Chat, deck: HumDeck) -> None:
    with pytest.raises(VoiceError):
        await chat.call.join(deck)


async def test_the_end_of_the_calls_releases_them_all_and_the_next_process_takes_them_over() -> None:
    async with voice_stage() as stage:
        async with stage.again() as first:
            chats = [await stage.chat() for _ in range(2)]
            for chat in chats:
                there = await first.back_in(chat)
                await there.call.join(first.deck(440))
                await first.hear(there, 440)
        assert all(stage.is_listed(chat) for chat in chats)
        for chat in chats:
            await is_taken_over(stage.peer(chat), stage, chat, 880)
        assert stage.media.statistics().peers == 2
        assert stage.box.calls[LEAVE] == 0


async def test_the_end_of_the_calls_leaves_them_all_if_it_is_told_to() -> None:
    async with voice_stage(leave_at_end=True) as stage:
        chats = [await playing(stage, 440), await playing(stage, 880)]
    for chat in chats:
        assert chat.group.call is not None
        assert chat.group.call.members == {}
        assert chat.lost == []
    assert await stage.calls.in_engine() == frozenset()


@asynccontextmanager
async def playing_elsewhere(stage: Stage, chat: Chat, hz: float) -> AsyncIterator[anyio.abc.Process]:
    """Another process of the assistant plays there; whatever happens, it does not outlive the block."""
    orders = {
        "host": stage.box.host,
        "port": stage.box.port,
        "session": stage.session,
        "chat": chat.id,
        "hz": hz,
    }
    async with await anyio.open_process([sys.executable, str(OTHER)], stderr=None) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            await process.stdin.send(json.dumps(orders).encode() + b"\n")
            with anyio.fail_after(30):
                said = BufferedByteReceiveStream(process.stdout)
                assert await said.receive_until(b"\n", 100) == b"listening"
                await stage.box.say(chat.group, stage.owner, "hello, other one")
                assert await said.receive_until(b"\n", 100) == b"playing"
            yield process
        finally:
            process.kill()


async def test_the_call_of_a_killed_process_is_taken_over(stage: Stage) -> None:
    chat = await stage.chat()
    async with playing_elsewhere(stage, chat, 440) as process:
        old = await stage.hear(chat, 440)
        process.kill()  # SIGKILL
    await falls_silent(old, within=0.2)
    await is_taken_over(old, stage, chat, 880)
    assert stage.box.calls[LEAVE] == 0
