"""Laws of a call that is up: pausing, being muted, leaving, being lost."""

from __future__ import annotations

from collections.abc import AsyncIterator

import anyio
import pytest
from loguru import logger
from pyrogram.raw import types as T
from voice_stage import ASSISTANT, Chat, Stage, until, voice_stage

from ryzen.errors import VoiceTrouble
from ryzen.telegram import voice, voice_call

pytestmark = pytest.mark.anyio

CHUNK = 9600  # what the engine reads at once, in bytes


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"  # the libraries know no other


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with voice_stage() as stage:
        yield stage


async def playing(stage: Stage, hz: float = 440.0, seconds: float = 120.0) -> Chat:
    chat = await stage.chat()
    await chat.call.join(stage.deck(hz, seconds))
    await stage.hear(chat, hz)
    return chat


async def silence(stage: Stage, chat: Chat) -> float:
    """Wait until what was sent before has arrived; since when nothing should be heard."""
    await until(lambda: stage.peer(chat).hears(seconds=0.1).rms < 0.001)
    return anyio.current_time()


async def test_a_pause_stops_the_reader_and_resume_goes_on_from_there(stage: Stage) -> None:
    chat = await playing(stage)
    deck = stage.decks[-1]
    await chat.call.pause()
    stood = deck.bytes_read()
    await anyio.sleep(0.5)
    assert deck.bytes_read() - stood <= CHUNK
    await chat.call.resume()
    await until(lambda: deck.bytes_read() > stood + 3 * CHUNK)
    await stage.hear(chat, 440)
    assert deck.renewed == 1


async def test_muted_is_silent_and_the_deck_is_read_on(stage: Stage) -> None:
    chat = await playing(stage)
    deck = stage.decks[-1]
    await chat.call.mute(True)
    await chat.call.mute(True)
    since, stood = await silence(stage, chat), deck.bytes_read()
    await until(lambda: deck.bytes_read() > stood + 5 * CHUNK)
    assert stage.peer(chat).hears(since).rms < 0.001
    await chat.call.mute(False)
    await stage.peer(chat).until_heard(440, anyio.current_time())
    assert deck.renewed == 1
    assert chat.lost == []


async def test_neither_a_pause_nor_another_deck_ends_a_mute(stage: Stage) -> None:
    chat = await playing(stage)
    await chat.call.mute(True)
    since = await silence(stage, chat)
    await chat.call.pause()
    await chat.call.resume()
    await chat.call.join(stage.deck(880))
    await until(lambda: stage.decks[-1].bytes_read() > 5 * CHUNK)
    assert stage.peer(chat).hears(since).rms < 0.001
    await chat.call.mute(False)
    await stage.hear(chat, 880)


async def test_a_new_call_is_not_muted(stage: Stage) -> None:
    chat = await playing(stage)
    await chat.call.mute(True)
    await chat.call.leave()
    await chat.call.join(stage.deck(880))
    await stage.hear(chat, 880)


async def test_out_of_a_call_nothing_can_be_paused_resumed_muted_or_left_and_that_is_no_error(
    stage: Stage,
) -> None:
    chat = await stage.chat()
    await chat.call.pause()
    await chat.call.resume()
    await chat.call.mute(True)
    await chat.call.mute(False)
    await chat.call.leave()
    assert stage.box.calls["phone.LeaveGroupCall"] == 0


async def test_who_leaves_is_gone_everywhere_and_nothing_was_lost(stage: Stage) -> None:
    chat = await playing(stage)
    deck = stage.decks[-1]
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(chat.call.leave)
        tasks.start_soon(chat.call.leave)
    assert not await stage.is_in_engine(chat)
    assert not stage.is_listed(chat)
    assert deck.bytes_read() == 0
    strays = stage.media.statistics().stray
    await anyio.sleep(0.3)
    assert stage.media.statistics().stray == strays
    assert chat.lost == []


async def test_leaving_ends_although_telegram_does_not_answer(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voice_call, "LEAVE_WITHIN", 0.2)
    chat = await playing(stage)
    stage.box.faults.delay("phone.LeaveGroupCall", 3.0, times=1)
    with anyio.fail_after(2.5):
        await chat.call.leave()
    assert not await stage.is_in_engine(chat)


async def test_a_call_the_engine_has_lost_is_left_on_telegram_too(stage: Stage) -> None:
    chat = await playing(stage)
    await stage.calls._engine.drop(chat.id)
    await chat.call.leave()
    assert not stage.is_listed(chat)


async def test_an_ended_voice_chat_is_told_once(stage: Stage) -> None:
    chat = await playing(stage)
    stage.box.close_voice_chat(chat.group)
    await until(lambda: chat.lost)
    await chat.call.leave()
    assert [trouble for trouble, _ in chat.lost] == [VoiceTrouble.CLOSED]
    assert not await stage.is_in_engine(chat)


async def test_who_is_taken_out_of_the_voice_chat_is_told_and_can_join_again(stage: Stage) -> None:
    chat = await playing(stage)
    stage.box.kick_from_call(chat.group, stage.assistant)
    await until(lambda: chat.lost)
    await chat.call.join(stage.deck(880))
    await stage.hear(chat, 880)
    assert [trouble for trouble, _ in chat.lost] == [VoiceTrouble.LOST]


async def test_who_is_put_out_of_the_group_is_told_once(stage: Stage) -> None:
    chat = await playing(stage)
    await stage.box.ban(chat.group, stage.assistant)
    await until(lambda: chat.lost)
    await chat.call.leave()
    assert [trouble for trouble, _ in chat.lost] == [VoiceTrouble.LOST]
    assert not await stage.is_in_engine(chat)


async def test_the_other_calls_hear_nothing_of_it(stage: Stage) -> None:
    lost, kept = await playing(stage, 440), await playing(stage, 880)
    stage.box.close_voice_chat(lost.group)
    await until(lambda: lost.lost)
    since = anyio.current_time()
    await stage.peer(kept).until_heard(880, since)
    assert kept.lost == []


async def test_the_end_of_a_deck_is_a_loss_and_no_ghost_stays(stage: Stage) -> None:
    chat = await playing(stage, seconds=0.6)
    await until(lambda: chat.lost)
    await until(lambda: not stage.is_listed(chat))
    assert [trouble for trouble, _ in chat.lost] == [VoiceTrouble.LOST]
    assert not await stage.is_in_engine(chat)


async def test_a_media_server_that_never_answers_is_unreachable_and_no_ghost_stays(stage: Stage) -> None:
    chat = await stage.chat()
    stage.media.deaf = True
    await chat.call.join(stage.deck(440))  # the deck moves; that nobody hears it shows after 10 s
    await until(lambda: chat.lost, within=15)
    await until(lambda: not stage.is_listed(chat))
    assert [trouble for trouble, _ in chat.lost] == [VoiceTrouble.UNREACHABLE]
    assert not await stage.is_in_engine(chat)
    stage.media.deaf = False
    await chat.call.join(stage.deck(880))
    await stage.hear(chat, 880)


async def test_a_seat_lost_unseen_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice, "CHECK_EVERY", 0.3)
    monkeypatch.setattr(voice_call, "CHECK_AGAIN", 0.1)
    async with voice_stage() as stage:
        chat = await playing(stage)
        await anyio.sleep(0.7)
        assert chat.lost == []
        chat.group.call.members.clear()  # type: ignore[union-attr]
        await until(lambda: chat.lost)
        assert [trouble for trouble, _ in chat.lost] == [VoiceTrouble.LOST]


async def test_a_doubt_about_a_seat_that_was_left_meanwhile_is_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(voice, "CHECK_EVERY", 0.1)
    monkeypatch.setattr(voice_call, "CHECK_AGAIN", 0.3)
    async with voice_stage() as stage:
        chat = await playing(stage)
        chat.group.call.members.clear()  # type: ignore[union-attr]
        asked = stage.box.calls["phone.CheckGroupCall"]
        await until(lambda: stage.box.calls["phone.CheckGroupCall"] > asked)
        await chat.call.leave()
        await anyio.sleep(0.5)
        assert chat.lost == []


async def test_news_of_an_earlier_stay_change_nothing(stage: Stage) -> None:
    chat = await playing(stage)
    assert chat.group.call is not None
    before, call = chat.group.call.members[ASSISTANT].ssrc, chat.group.call
    await chat.call.leave()
    await chat.call.join(stage.deck(880))
    update = T.UpdateGroupCallParticipants(
        call=T.InputGroupCall(id=call.id, access_hash=call.access_hash),
        participants=[
            T.GroupCallParticipant(peer=T.PeerUser(user_id=ASSISTANT), date=0, source=before, left=True)
        ],
        version=1,
    )
    stage.calls.take(update, {}, {})
    gone = T.UpdateGroupCall(call=T.GroupCallDiscarded(id=call.id + 1, access_hash=0, duration=0))
    stage.calls.take(gone, {}, {})
    await stage.hear(chat, 880)
    assert chat.lost == []


async def test_a_new_owner_of_the_call_is_told_instead_of_the_old_one(stage: Stage) -> None:
    chat = await playing(stage)
    told: list[VoiceTrouble] = []
    assert stage.calls.of(chat.id, lambda trouble, _: told.append(trouble)) is chat.call
    stage.box.close_voice_chat(chat.group)
    await until(lambda: told)
    assert chat.lost == []


async def test_a_bug_in_who_is_told_is_logged_and_the_call_is_cleaned_up(stage: Stage) -> None:
    chat = await playing(stage)
    logged: list[str] = []
    sink = logger.add(logged.append, level="ERROR")

    def fail(trouble: VoiceTrouble, detail: str) -> None:
        raise RuntimeError("a bug in the listener")

    stage.calls.of(chat.id, fail)
    stage.box.kick_from_call(chat.group, stage.assistant)
    await until(lambda: logged)
    logger.remove(sink)
    assert "a bug in the listener" in logged[0]
    await chat.call.leave()
    assert not await stage.is_in_engine(chat)


async def test_who_is_told_may_use_all_that_needs_a_task(stage: Stage) -> None:
    chat = await playing(stage, seconds=0.6)  # its end comes from a native thread
    told: list[float] = []

    def note(trouble: VoiceTrouble, detail: str) -> None:
        with anyio.CancelScope():
            told.append(anyio.current_time())

    stage.calls.of(chat.id, note)
    await until(lambda: told)
