"""What is played of links, files, hits and stations, and what is said of it; and the words of songs."""

from __future__ import annotations

import pytest
from bot_fakes import ADMIN, GROUP, GUEST, Message, Stage, stage, track, until

from ryzen.bot.owners import Owners
from ryzen.errors import SourceAway, SourceTrouble, TrackError, TrackTrouble
from ryzen.messages import Find, LyricsOf
from ryzen.origins import Line, Listing, Lyrics

pytestmark = pytest.mark.anyio
LINK = "https://tube.example/list"
LONG = 3601.0


def listing(*titles: str, title: str = "The List", left_out: int = 0) -> Listing:
    """Titles that begin with «long» are of tracks over the limit."""
    tracks = tuple(track(each, LONG if each.startswith("long") else 220.0) for each in titles)
    return Listing(tracks, title, left_out, linked=True)


async def line(s: Stage) -> list[str]:
    player = await s.player()
    entries = (*([player.current] if player.current else []), *player.queue)
    return [entry.track.title for entry in entries]


async def answered(s: Stage, text: str, sender: object = GUEST) -> Message:
    """The message that answers this."""
    said = await s.say(text, sender)  # type: ignore[arg-type]
    return next(each for each in reversed(s.outbox.of(GROUP)) if each.text == said)


# -- links
async def test_all_that_is_behind_a_link_is_queued_in_order_and_counted() -> None:
    async with stage() as s:
        s.music.listings[LINK] = listing("one", "two", "three")
        assert await s.say(f"/play {LINK}", GUEST) == "➕ The List: added 3 of 3."
        assert await line(s) == ["one", "two", "three"]
        assert s.music.asked == [Find(LINK, limit=1, most=50)]


async def test_what_is_left_out_of_a_list_is_told_with_the_reason() -> None:
    async with stage() as s:
        s.music.listings[LINK] = listing("one", "long", "two", "three", "four", "five", left_out=262)
        said = await s.say(f"/play {LINK}", GUEST)
        assert said == (
            "➕ The List: added 4 of 268.\n"
            "I take the first 6 of a list; that is the limit here.\n"
            "Left out for being longer than 1:00:00: 1.\n"
            "Found no place in the queue: 1. /queue shows what waits."
        )
        assert await line(s) == ["one", "two", "three", "four"]


async def test_a_list_behind_what_plays_is_counted_the_same() -> None:
    async with stage() as s:
        await s.playing("now")
        s.music.listings[LINK] = listing("one", "two", title="")
        assert await s.say(f"/play {LINK}", GUEST) == "➕ The list: added 2 of 2."
        s.music.listings[LINK] = listing("three", "long")
        assert "added 1 of 2" in await s.say(f"/play {LINK}", GUEST)


async def test_a_list_of_nothing_but_long_tracks_is_refused_with_the_limit() -> None:
    async with stage() as s:
        s.music.listings[LINK] = listing("long", "longer")
        assert "longer than 1:00:00" in await s.say(f"/play {LINK}", GUEST)
        assert s.get(GROUP) is None


async def test_a_link_to_one_track_is_like_a_hit() -> None:
    async with stage() as s:
        s.music.listings[LINK] = listing("one", title="")
        s.type(f"/play {LINK}", GUEST)
        await until(s.cards)
        assert s.outbox.of(GROUP) == s.cards()
        s.music.listings[LINK] = listing("long")
        assert "longer than 1:00:00" in await s.say(f"/play {LINK}", GUEST)


async def test_several_that_play_next_keep_their_order() -> None:
    async with stage() as s:
        await s.playing("now", "then")
        s.music.listings[LINK] = listing("one", "two")
        assert "added 2 of 2" in await s.say(f"/playnext {LINK}")
        assert await line(s) == ["now", "one", "two", "then"]


async def test_playforce_of_a_list_begins_with_its_first_and_keeps_the_line_behind() -> None:
    async with stage() as s:
        await s.playing("now", "then")
        s.music.listings[LINK] = listing("one", "two")
        assert "added 2 of 2" in await s.say(f"/playforce {LINK}")
        assert await line(s) == ["one", "two", "then"]


async def test_what_is_live_has_no_length_to_be_too_long() -> None:
    async with stage() as s:
        s.music.listings[LINK] = Listing((track("station", None),), linked=True)
        s.type(f"/stream {LINK}", GUEST)
        await until(s.cards)
        assert await line(s) == ["station"]


@pytest.mark.parametrize("command", ["/stream", "/live", "/streamforce"])
async def test_a_stream_wants_a_link(command: str) -> None:
    async with stage() as s:
        said = await s.say(f"{command} some words")
        assert "I need a link" in said
        assert s.music.asked == []


# -- files
async def test_a_reply_to_a_file_plays_the_file() -> None:
    async with stage() as s:
        s.attachments.files[GROUP, 77] = track("voice note")
        s.type("/play", GUEST, reply_to=77)
        await until(s.cards)
        assert await line(s) == ["voice note"]
        assert s.music.asked == []


async def test_a_file_with_the_command_under_it_plays_whatever_else_it_says() -> None:
    async with stage() as s:
        s.attachments.files[GROUP, 1] = track("file")
        s.type("/play this, please", GUEST, holds_file=True)
        await until(s.cards)
        assert await line(s) == ["file"]


async def test_words_in_a_reply_are_looked_for() -> None:
    async with stage() as s:
        s.attachments.files[GROUP, 77] = track("voice note")
        s.type("/play words", GUEST, reply_to=77)
        await until(s.cards)
        assert await line(s) == ["words"]


async def test_a_reply_to_something_without_music_explains_itself() -> None:
    async with stage() as s:
        message_id = s.type("/play", GUEST, reply_to=78)
        await until(lambda: any(each.reply_to == message_id for each in s.outbox.of(GROUP)))
        assert "autumn leaves" in s.outbox.of(GROUP)[-1].text


# -- hits to choose from
def hits(*titles: str) -> Listing:
    return Listing(tuple(track(title) for title in titles))


async def test_hits_are_listed_with_a_button_for_each_and_the_button_plays() -> None:
    async with stage() as s:
        s.music.listings["some song"] = hits(*"abcdefg")
        message = await answered(s, "/search some song")
        assert "🔎 “some song”" in message.text
        assert "2. <b>b</b> — Band · 03:40 · fake" in message.text
        assert [len(row) for row in message.rows] == [5, 2]
        assert await s.press("2", GUEST, message=message) == ("▶ Starting b.", False)
        assert await s.press("7", GUEST, message=message) == ("➕ g is number 1 in the queue.", False)
        assert await line(s) == ["b", "g"]
        assert s.music.asked == [Find("some song", limit=10, most=10)]


async def test_the_buttons_are_for_whoever_asked() -> None:
    async with stage() as s:
        s.music.listings["song"] = hits("a", "b")
        message = await answered(s, "/search song")
        text, alert = await s.press("1", ADMIN, message=message)
        assert (alert, "for whoever asked" in text) == (True, True)
        assert s.get(GROUP) is None


@pytest.mark.parametrize("number", ["0", "3", "99", "-1", "x", "", "1=1"])
async def test_a_number_that_is_not_in_the_list_plays_nothing(number: str) -> None:
    async with stage() as s:
        s.music.listings["song"] = hits("a", "b")
        message = await answered(s, "/search song")
        _, alert = await s.press_data(f"s:play={number}", GUEST, GROUP, message.id)
        assert alert
        assert s.get(GROUP) is None


async def test_a_list_from_before_a_restart_is_not_guessed_at() -> None:
    async with stage() as s:
        text, alert = await s.press_data("s:play=1", GUEST, GROUP, 4711)
        assert alert
        assert "before my last restart" in text


def test_what_a_message_lists_is_remembered_with_its_owner() -> None:
    owners, tracks = Owners(), (track("a"),)
    owners.note(GROUP, 1, 4, tracks)
    owners.note(GROUP, 2, 4)
    assert (owners.of(GROUP, 1), owners.tracks(GROUP, 1)) == (4, tracks)
    assert (owners.of(GROUP, 2), owners.tracks(GROUP, 2)) == (4, ())
    assert (owners.of(GROUP, 3), owners.tracks(GROUP, 3)) == (None, ())
    assert owners.of(4, 1) == 4


async def test_a_hit_that_is_too_long_is_refused_with_the_limit() -> None:
    async with stage() as s:
        s.music.listings["song"] = listing("long")
        message = await answered(s, "/search song")
        text, _ = await s.press("1", GUEST, message=message)
        assert "longer than 1:00:00" in text


@pytest.mark.parametrize(("typed", "answer"), [("/search", "What shall I look for"), ("/radio", "jazz")])
async def test_a_search_for_nothing_explains_itself(typed: str, answer: str) -> None:
    async with stage() as s:
        assert answer in await s.say(typed, GUEST)


# -- stations
async def test_stations_are_offered_and_the_only_one_plays_at_once() -> None:
    async with stage() as s:
        s.music.listings["jazz"] = hits("Jazz One", "Jazz Two")
        message = await answered(s, "/radio jazz")
        assert await s.press("2", GUEST, message=message) == ("▶ Starting Jazz Two.", False)
        assert s.music.asked == [Find("jazz", limit=10, most=10, among=("radio",))]
        s.music.listings["blues"] = hits("Blues")
        assert "<b>Blues</b> is number 1" in await s.say("/radio blues", GUEST)
        assert "I found nothing for “nothing”" in await s.say("/radio nothing", GUEST)


# -- what is wrong
async def test_a_source_that_is_away_is_said_with_what_the_owner_can_do() -> None:
    async with stage() as s:
        s.music.trouble = SourceAway("youtube", SourceTrouble.BOT_CHECK)
        said = await s.say("/play song", GUEST)
        assert "youtube takes me for a robot" in said
        assert "COOKIES_FILE" in said
        assert "PROXY_URL" in said
        assert s.get(GROUP) is None


async def test_a_link_that_leads_to_nothing_is_said() -> None:
    async with stage() as s:
        s.music.trouble = TrackError(TrackTrouble.NO_SOURCE)
        assert "can't play links of that kind" in await s.say(f"/play {LINK}", GUEST)


# -- lyrics
SUNG = Lyrics(tuple(Line(f"line {n} & more", n * 10.0) for n in range(10)), "the book")


async def test_the_line_that_is_sung_now_is_bold_with_a_little_before_it_and_the_rest_behind() -> None:
    async with stage() as s:
        await s.playing("song")
        s.music.lyrics["song"] = SUNG
        await s.say("/seek 45")
        said = await s.say("/lyrics", GUEST)
        head, _, *lines = said.split("\n")
        assert head == "📝 <b>song</b> · from the book"
        assert lines[:4] == [
            "line 2 &amp; more", "line 3 &amp; more", "<b>line 4 &amp; more</b>", "line 5 &amp; more",
        ]  # fmt: skip
        assert lines[-1] == "line 9 &amp; more"
        assert s.music.asked == [LyricsOf("song", "Band", 220.0)]


async def test_before_the_first_line_and_without_times_nothing_is_bold() -> None:
    async with stage() as s:
        await s.playing("song")
        s.music.lyrics["song"] = Lyrics((Line("later", 100.0),), "b")
        assert (await s.say("/lyrics", GUEST)).endswith("\nlater")
        s.music.lyrics["song"] = Lyrics((Line("la"), Line("li")), "b")
        assert (await s.say("/lyrics", GUEST)).endswith("\nla\nli")


async def test_where_nothing_is_sung_there_is_a_note_and_between_verses_without_times_a_gap() -> None:
    async with stage() as s:
        await s.playing("song")
        s.music.lyrics["song"] = Lyrics((Line("la", 10.0), Line("", 30.0), Line("li", 60.0)), "b")
        await s.say("/seek 45")
        assert (await s.say("/lyrics", GUEST)).endswith("\nla\n<b>♪</b>\nli")
        s.music.lyrics["song"] = Lyrics((Line("la"), Line(""), Line("li")), "b")
        assert (await s.say("/lyrics", GUEST)).endswith("\nla\n\nli")


async def test_an_instrumental_has_nothing_to_sing() -> None:
    async with stage() as s:
        s.music.lyrics["<song>"] = Lyrics((), "the book")
        assert "“&lt;song&gt;” is an instrumental, says the book" in await s.say("/lyrics <song>", GUEST)


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("some song", LyricsOf("some song")),
        ("The Band - some song", LyricsOf("some song", "The Band")),
        ("Band-Aid", LyricsOf("Band-Aid")),
        ("Band - ", LyricsOf("Band -")),
    ],
)
async def test_lyrics_of_another_song_are_asked_for_by_artist_and_title(typed: str, asked: LyricsOf) -> None:
    async with stage() as s:
        s.music.lyrics["some song"] = SUNG
        said = await s.say(f"/lyrics {typed}", GUEST)
        assert s.music.asked == [asked]
        assert ("line 0" in said) == (asked.title == "some song")
        assert ("Nobody I ask" in said) == (asked.title != "some song")


async def test_long_lyrics_are_cut_to_one_message() -> None:
    async with stage() as s:
        s.music.lyrics["song"] = Lyrics(tuple(Line("<la & la> " * 5) for _ in range(200)), "the book")
        said = await s.say("/lyrics song", GUEST)
        assert 3500 < len(said) <= 4096
        assert said.endswith("\n…")


async def test_lyrics_of_nothing_are_refused() -> None:
    async with stage() as s:
        assert "Nothing is playing here" in await s.say("/lyrics", GUEST)
