"""What each command does, and what it says: on the real reducer, under the real supervisor."""

from __future__ import annotations

import re
from contextlib import suppress

import anyio
import pytest
from bot_fakes import ADMIN, GROUP, GUEST, OTHER, SUDOER, WORDS, asker, stage, track, until

from ryzen.bot.commands import COMMANDS
from ryzen.bot.guard import Who
from ryzen.bot.table import Row
from ryzen.errors import MailboxFull, Refusal, TrackError, TrackTrouble, VoiceError, VoiceTrouble
from ryzen.messages import Command, Mute, PauseFor, Unmute
from ryzen.player.events import Clear, Play
from ryzen.player.state import Loop, Phase
from ryzen.ports import MemberMoved, Person

pytestmark = pytest.mark.anyio


async def test_play_finds_and_starts_and_the_next_is_queued() -> None:
    async with stage() as s:
        s.type("/play one", GUEST)
        await until(s.cards)
        assert s.outbox.of(GROUP) == s.cards()  # the card says it all: no words beside it
        assert await s.say("/p two words", GUEST) == "➕ <b>two words</b> is number 1 in the queue."
        player = await s.player()
        assert player.current is not None
        assert player.current.track.title == "one"
        assert player.current.asker.name == GUEST.name
        assert [entry.track.title for entry in player.queue] == ["two words"]


async def test_play_without_words_explains_itself_and_opens_no_chat() -> None:
    async with stage() as s:
        assert "autumn leaves" in await s.say("/play")
        assert s.get(GROUP) is None


async def test_play_says_what_it_did_not_find() -> None:
    async with stage() as s:
        assert "I found nothing for “nothing”" in await s.say("/play nothing")
        assert s.get(GROUP) is None


async def test_a_track_over_the_limit_is_refused_with_the_limit() -> None:
    async with stage() as s:
        assert "longer than 1:00:00" in await s.say("/play epic")
        assert s.get(GROUP) is None


async def test_a_full_queue_is_said_with_its_limit() -> None:
    async with stage() as s:
        await s.playing("one", "two", "three", "four")
        assert "The queue is full, 3 is the limit" in await s.say("/play five", GUEST)


async def test_playforce_plays_now_and_playnext_comes_first() -> None:
    async with stage() as s:
        await s.playing("one", "two")
        await s.say("/pn next")
        s.type("/fplay now")
        await until(lambda: "now" in s.card().text)
        player = await s.player()
        assert [entry.track.title for entry in player.queue] == ["next", "two"]


@pytest.mark.parametrize(
    ("typed", "answer", "titles"),
    [
        ("/skip", "Next is <b>two</b>", ["two", "three", "four"]),
        ("/next 2", "Next is <b>three</b>", ["three", "four"]),
        ("/skipto 3", "Next is <b>four</b>", ["four"]),
        ("/skip 9", "no such place: 3", ["one", "two", "three", "four"]),
        ("/stop", "Stopped", []),
        ("/end", "Stopped", []),
        ("/move 3 1", "<b>four</b> is number 1", ["one", "four", "two", "three"]),
        ("/remove 2", "<b>three</b> is out", ["one", "two", "four"]),
        ("/clear", "Taken out of the queue: 3", ["one"]),
        ("/previous", "Nothing was played before", ["one", "two", "three", "four"]),
        ("/restore", "nothing to bring back", ["one", "two", "three", "four"]),
        ("/skip x", "<code>/skip</code> [n]", ["one", "two", "three", "four"]),
        ("/move 1", "<code>/move 5 1</code>", ["one", "two", "three", "four"]),
    ],
)
async def test_the_line_obeys_and_the_answer_says_so(typed: str, answer: str, titles: list[str]) -> None:
    async with stage() as s:
        await s.playing("one", "two", "three", "four")
        assert answer in await s.say(typed)
        player = await s.player()
        entries = (*([player.current] if player.current else []), *player.queue)
        assert [entry.track.title for entry in entries] == titles


async def test_a_skip_of_the_last_says_that_nothing_is_left() -> None:
    async with stage() as s:
        await s.playing("one")
        assert "The queue is empty" in await s.say("/skip")


async def test_back_clear_and_restore_go_there_and_back_again() -> None:
    async with stage() as s:
        await s.playing("one", "two", "three")
        await s.say("/skip")
        assert "Back to <b>one</b>" in await s.say("/prev")
        await s.say("/clear")
        assert "Back in the queue: 2" in await s.say("/restore")
        assert "shuffled" in await s.say("/shuffle")


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("/seek 1:30", "At 01:30 now"),
        ("/seek 90", "At 01:30 now"),
        ("/seek 1m30s", "At 01:30 now"),
        ("/seek 1:30:00", "the track is 03:40 long"),
        ("/seek +15", "At 00:1"),
        ("/jump 15", "At 00:1"),
        ("/seek -15", "At 00:00 now"),
        ("/seekback 15", "At 00:00 now"),
        ("/replay", "From the start"),
        ("/seek", "<code>/seek 1:30</code>"),
        ("/seek <b>", "&lt;b&gt; as a time"),
    ],
)
async def test_seeking_says_where_it_is_now(typed: str, answer: str) -> None:
    async with stage() as s:
        await s.playing("one")
        assert answer in await s.say(typed)


async def test_pause_and_resume_say_when_there_is_nothing_to_do() -> None:
    async with stage() as s:
        await s.playing("one")
        assert "not paused" in await s.say("/resume")
        assert "Paused" in await s.say("/pause")
        assert (await s.player()).phase is Phase.PAUSED
        assert "paused already" in await s.say("/pause")
        assert "Going on" in await s.say("/resume")
        assert (await s.player()).phase is Phase.PLAYING


@pytest.mark.parametrize(
    ("typed", "asked", "answer"),
    [
        ("/pause 1:30", PauseFor(90.0), "⏸ Paused for 1m 30s. /resume goes on at once."),
        ("/mute", Mute(), "🔇 Muted, and the track runs on. /unmute brings the sound back."),
        (
            "/mute 20",
            Mute(20.0),
            "🔇 Muted for 20s, and the track runs on. /unmute brings the sound back at once.",
        ),
        ("/unmute", Unmute(), "🔊 Not muted any more."),
    ],
)
async def test_who_hushes_is_told_for_how_long_and_how_to_undo_it(
    typed: str, asked: object, answer: str
) -> None:
    async with stage() as s:
        await s.playing("one")
        assert await s.say(typed) == answer
        assert s.hushed == [asked]


@pytest.mark.parametrize("name", ["pause", "mute"])
async def test_a_time_that_cannot_be_read_hushes_nothing(name: str) -> None:
    async with stage() as s:
        await s.playing("one")
        answer = await s.say(f"/{name} soon")
        assert "soon as a time" in answer
        assert WORDS(f"usage.{name}").markup in answer
        assert s.hushed == []
        assert (await s.player()).phase is Phase.PLAYING


@pytest.mark.parametrize(
    ("typed", "code", "answer"),
    [("/mute", "already-muted", "/unmute brings"), ("/unmute", "not-muted", "not muted. /mute")],
)
async def test_mute_and_unmute_say_when_there_is_nothing_to_do(typed: str, code: str, answer: str) -> None:
    async with stage() as s:
        await s.playing("one")
        s.trouble = Refusal(code)
        assert answer in await s.say(typed)


@pytest.mark.parametrize(
    ("typed", "loop", "left", "answer"),
    [
        ("/loop track", Loop.TRACK, None, "This track repeats"),
        ("/loop 3", Loop.TRACK, 3, "3 more times"),
        ("/loop queue", Loop.QUEUE, None, "whole queue"),
        ("/loop off", Loop.OFF, None, "Loop is off"),
        ("/loop sideways", Loop.OFF, None, "up to 10"),
        ("/loop", Loop.OFF, None, "up to 10"),
    ],
)
async def test_loop(typed: str, loop: Loop, left: int | None, answer: str) -> None:
    async with stage() as s:
        await s.playing("one")
        assert answer in await s.say(typed)
        player = await s.player()
        assert (player.loop, player.loops_left) == (loop, left)


def test_all_that_changes_what_others_hear_is_for_admins_but_play() -> None:
    everyones = {row.name for row in COMMANDS if row.who is Who.EVERYONE}
    reading = {"queue", "np", "favourites", "history", "top", "ping", "stats", "help", "start"}
    adding = {"play", "stream", "radio", "search"}
    assert everyones == {*adding, "lyrics", *reading}


@pytest.mark.parametrize("row", [row for row in COMMANDS if row.who is Who.ADMIN], ids=lambda row: row.name)
async def test_no_control_of_admins_obeys_a_guest(row: Row) -> None:
    async with stage() as s:
        await s.playing("one", "two", "three")
        before = await s.player()
        assert "Only admins" in await s.say(f"/{row.name} 1", GUEST)
        assert await s.player() == before
        assert s.hushed == []


@pytest.mark.parametrize("row", [row for row in COMMANDS if row.who is Who.ADMIN], ids=lambda row: row.name)
async def test_where_nothing_has_played_every_control_says_so(row: Row) -> None:
    async with stage() as s:
        if row.name in ("playforce", "playnext", "streamforce"):
            s.type(f"/{row.name} https://tube.example/song")
            await until(s.cards)
            return
        arguments = "1 2" if row.name == "move" else "1"
        assert "Nothing is playing here" in await s.say(f"/{row.name} {arguments}")
        assert s.get(GROUP) is None


# -- rights that change
async def test_an_admin_who_is_demoted_loses_the_rights_at_once() -> None:
    async with stage() as s:
        await s.playing("one", "two", "three")
        assert "Skipped" in await s.say("/skip")
        s.groups.admins[GROUP] = frozenset()
        s.router.accept(MemberMoved(GROUP, ADMIN.id))
        assert "Only admins" in await s.say("/skip")


async def test_while_telegram_cannot_be_asked_nobody_is_believed() -> None:
    async with stage() as s:
        await s.playing("one", "two")
        s.groups.down = True
        before = await s.player()
        assert "could not check your rights" in await s.say("/skip")
        assert await s.player() == before
        s.groups.down = False
        assert "Skipped" in await s.say("/skip")


async def test_an_admin_of_one_group_is_a_guest_in_another() -> None:
    async with stage() as s:
        s.groups.admins[OTHER] = frozenset()
        await s.playing("one", "two", chat_id=OTHER)
        assert "Only admins" in await s.say("/skip", chat_id=OTHER)


# -- trouble
async def test_a_crash_of_the_chat_is_said_and_the_next_command_is_served() -> None:
    async with stage() as s:
        await s.playing("one")
        s.trouble = ZeroDivisionError()
        assert "it is restarting now" in await s.say("/pause")
        s.trouble = None
        assert "Paused" in await s.say("/pause")


async def test_a_crash_of_the_search_is_said() -> None:
    async with stage() as s:
        assert "it is restarting now" in await s.say("/play bug")


async def test_a_mailbox_that_is_full_is_said_to_be_busy() -> None:
    async with stage() as s:
        await s.playing("one")
        s.gate = anyio.Event()
        for _ in range(2):  # the first round ends with one in the actor's hand, and so with a place to fill
            with suppress(MailboxFull):
                while True:
                    s.open(GROUP).tell(Command(Clear()))
            await anyio.sleep(0.01)
        assert "I am busy in this chat" in await s.say("/skip")
        s.gate.set()


@pytest.mark.parametrize(
    ("trouble", "answer"),
    [
        (VoiceError(VoiceTrouble.NO_VOICE_CHAT), "There is no voice chat here. Start one"),
        (VoiceError(VoiceTrouble.ASSISTANT_BANNED), "Unban it, then try again"),
        (TrackError(TrackTrouble.BROKEN), "the file is broken"),
    ],
)
async def test_what_stands_in_the_way_is_explained(trouble: Exception, answer: str) -> None:
    async with stage() as s:
        s.trouble = trouble
        assert answer in await s.say("/play one")


# -- the queue, the card, the rest
async def test_the_queue_is_shown_ten_a_page() -> None:
    async with stage() as s:
        assert "The queue is empty" in await s.say("/queue", GUEST)
        await s.playing("one", "two", "three")
        text = await s.say("/q", GUEST)
        assert "▶ <b>one</b> · 00:0" in text
        assert "of 03:40 · Gus" in text
        assert "1. <b>two</b> · 03:40 · Gus" in text
        assert "2. <b>three</b>" in text


async def test_np_brings_the_card_down_and_says_if_there_is_none() -> None:
    async with stage() as s:
        assert "Nothing is playing" in await s.say("/np", GUEST)
        await s.playing("one")
        first = s.card()
        s.type("/np", GUEST)
        await until(lambda: s.cards() and s.card().id != first.id)
        await anyio.sleep(0.01)
        assert len(s.cards()) == 1


async def test_ping_answers_everywhere() -> None:
    async with stage() as s:
        assert re.fullmatch(
            r"🏓 Pong! Taken up after \d+ ms · loop 2 ms late · up 1h 2m", await s.say("/ping", GUEST)
        )
        assert "Pong" in await s.say("/ping", GUEST, GUEST.id, private=True)


async def test_start_greets_in_groups_and_in_private() -> None:
    async with stage() as s:
        assert "Start a voice chat" in await s.say("/start", GUEST)
        assert "Add me to a group" in await s.say("/start hello", GUEST, GUEST.id, private=True)


async def test_help_lists_every_row() -> None:
    async with stage() as s:
        text = await s.say("/help", GUEST)
        for row in COMMANDS:
            assert WORDS(row.usage).markup in text
            assert f"/{row.name}" in WORDS(row.usage).plain
        assert len(text) < 4096


async def test_stats_has_a_row_for_each_actor_for_sudoers_only() -> None:
    async with stage() as s:
        await s.playing("one")
        await s.playing("one", chat_id=OTHER)
        assert "chat:" not in await s.say("/stats", ADMIN)
        text = await s.say("/stats", SUDOER)
        assert f"chat:{GROUP}" in text
        assert f"chat:{OTHER}" in text
        assert "loop 2 ms late" in text


async def test_names_and_titles_cannot_smuggle_markup_in() -> None:
    async with stage() as s:
        wish = Play((track("<i>x</i>{name}"),), asker(Person(5, "<b>Eve</b> & {track}")))
        await s.open(GROUP).ask(Command(wish), within=5)
        await until(s.cards)
        for text in (s.card().text, await s.say("/queue"), await s.say("/play <u>nothing")):
            assert "<i>" not in text
            assert "<u>" not in text
            assert "<b>Eve" not in text
        assert "&lt;i&gt;x&lt;/i&gt;{name}" in s.card().text
