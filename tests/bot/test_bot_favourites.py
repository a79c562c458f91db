"""«♥» and the list behind it: each person's own, kept by the real store."""

from __future__ import annotations

import re

import anyio
import pytest
from bot_fakes import ADMIN, GROUP, GUEST, OTHER, Message, Stage, asker, stage, track, until
from bot_keeping import NOW
from trio.testing import MockClock

from ryzen.bot.owners import Owners
from ryzen.errors import Refusal
from ryzen.messages import Command, Commit, Declined, Recall
from ryzen.player.events import Clear, Play, Skip
from ryzen.player.state import Track
from ryzen.ports import Person
from ryzen.records import FAVOURITES, AddToPlaylist

pytestmark = pytest.mark.anyio
ANONYMOUS = [Person(GROUP, "The group", anonymous=True), Person(-1009, "A channel")]


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """In real time both: SQLite works in a thread, which no clock of ours can hurry."""
    return str(request.param)


async def liked(s: Stage, *titles: str, person: Person = GUEST) -> None:
    """Have these among a person's favourites."""
    changes = tuple(
        AddToPlaylist(person.id, FAVOURITES, track(title), NOW + at) for at, title in enumerate(titles)
    )
    await s.desk.store.ask(Commit(changes), within=5)


async def likes(s: Stage, person: Person = GUEST) -> list[str]:
    tracks: tuple[Track, ...] = await s.desk.store.ask(
        Recall(lambda store: store.playlist(person.id, FAVOURITES)), within=5
    )
    return [each.title for each in tracks]


async def listed(s: Stage, person: Person = GUEST, chat_id: int = GROUP) -> Message:
    """The message that answers /favourites."""
    text = await s.say("/favourites", person, chat_id, private=chat_id > 0)
    return next(each for each in s.outbox.of(chat_id) if each.text == text)


# -- the button
async def test_anybody_may_keep_what_plays_and_let_it_go_again() -> None:
    async with stage(kept=True) as s:
        await s.playing("one", "two")
        assert await s.press("♥", GUEST) == (
            "♥ one is among your favourites now; /favourites lists them.",
            False,
        )
        assert await likes(s) == ["one"]
        assert await s.press("♥", GUEST) == ("💔 one is no longer among your favourites.", False)
        assert await likes(s) == []


async def test_each_has_favourites_of_their_own_in_every_chat() -> None:
    async with stage(kept=True) as s:
        await s.playing("one")
        await s.playing("two", chat_id=OTHER)
        await s.press("♥", GUEST)
        await s.press("♥", ADMIN)
        await s.press("♥", GUEST, OTHER)
        assert (await likes(s, GUEST), await likes(s, ADMIN)) == (["one", "two"], ["one"])


async def test_what_the_card_shows_is_kept_even_if_the_next_track_has_just_begun() -> None:
    async with stage(kept=True) as s:
        await s.playing("one", "two")
        card = s.card()
        s.outbox.slow.add(GROUP)  # the card of the next track is on its way
        await s.open(GROUP).ask(Command(Skip()), within=5)
        assert "one is among" in (await s.press("♥", GUEST, message=card))[0]
        assert await likes(s) == ["one"]


async def test_an_old_card_keeps_nothing() -> None:
    async with stage(kept=True) as s:
        await s.playing("one", "two")
        old = s.card()
        await s.press("⏭ Skip")
        await until(lambda: "two" in s.card().text)
        text, alert = await s.press("♥", GUEST, message=old)
        assert (alert, "card is old" in text) == (True, True)
        assert await likes(s) == []


async def test_a_full_list_is_refused_with_what_to_do() -> None:
    async with stage(kept=True) as s:
        await liked(s, *(f"song {number}" for number in range(12)))
        await s.playing("one")
        text, alert = await s.press("♥", GUEST)
        assert alert
        assert text == (
            "You have 12 favourites, which is the limit. Take one out with /favourites remove and its number."
        )
        assert len(await likes(s)) == 12
        await s.say("/favourites remove 3", GUEST)
        assert not (await s.press("♥", GUEST))[1]
        assert len(await likes(s)) == 12
        assert "no longer" in (await s.press("♥", GUEST))[0]  # a full list can be left


# -- the list
async def test_favourites_are_numbered_with_artist_and_length() -> None:
    async with stage(kept=True) as s:
        assert "Press ♥ on the card" in await s.say("/favourites", GUEST)
        await liked(s, "one", "two")
        for name in ("favourites", "fav", "favs"):
            assert await s.say(f"/{name}", GUEST) == (
                "♥ Your favourites (2):\n1. <b>one</b> — Band · 03:40\n2. <b>two</b> — Band · 03:40"
            )
        assert "Press ♥ on the card" in await s.say("/fav", ADMIN)


async def test_favourites_work_in_private_but_for_playing() -> None:
    async with stage(kept=True) as s:
        await liked(s, *(f"song {number}" for number in range(12)))
        message = await listed(s, chat_id=GUEST.id)
        assert await s.press("Later ▶", GUEST, GUEST.id, message) == ("", False)
        assert "12. <b>song 11</b>" in message.text
        assert "This works in groups" in await s.say("/fav 1", GUEST, GUEST.id, private=True)
        assert "song 0</b> is no longer" in await s.say("/fav remove 1", GUEST, GUEST.id, private=True)


async def test_a_favourite_is_played_by_its_number_as_any_other_track() -> None:
    async with stage(kept=True) as s:
        await liked(s, "one", "two", "three")
        s.type("/favourites 2", GUEST)
        await until(s.cards)
        assert await s.say("/fav #3", GUEST) == "➕ <b>three</b> is number 1 in the queue."
        player = await s.player()
        assert player.current is not None
        assert (player.current.track.title, player.current.asker) == ("two", asker(GUEST))
        await s.open(GROUP).ask(Command(Clear()), within=5)
        await s.open(GROUP).ask(Command(Play(tuple(map(track, "abc")), asker(ADMIN))), within=5)
        assert "The queue is full, 3 is the limit" in await s.say("/fav 1", GUEST)


async def test_a_favourite_over_the_limit_of_length_is_refused() -> None:
    async with stage(kept=True) as s:
        epic = AddToPlaylist(GUEST.id, FAVOURITES, track("epic", duration=3601.0), NOW)
        await s.desk.store.ask(Commit((epic,)), within=5)
        assert "longer than 1:00:00" in await s.say("/fav 1", GUEST)
        assert s.get(GROUP) is None


@pytest.mark.parametrize("word", ["remove", "RM", "delete", "del"])
async def test_a_favourite_is_taken_out_by_its_number(word: str) -> None:
    async with stage(kept=True) as s:
        await liked(s, "one", "two", "three")
        answer = await s.say(f"/favourites {word}  2", GUEST)
        assert answer == "💔 <b>two</b> is no longer among your favourites."
        assert await likes(s) == ["one", "three"]


@pytest.mark.parametrize("typed", ["4", "remove 4"])
async def test_a_place_that_is_not_there_changes_nothing(typed: str) -> None:
    async with stage(kept=True) as s:
        await liked(s, "one", "two", "three")
        assert "no such place: you have 3" in await s.say(f"/favourites {typed}", GUEST)
        assert len(await likes(s)) == 3
        assert s.get(GROUP) is None


@pytest.mark.parametrize("typed", ["one", "0", "-1", "remove", "remove all", "remove 0", "1 2"])
async def test_what_is_no_place_shows_how_to_do_it(typed: str) -> None:
    async with stage(kept=True) as s:
        await liked(s, "one")
        answer = await s.say(f"/favourites {typed}", GUEST)
        assert "I need a number" in answer
        assert "[n, remove n]" in answer
        assert await likes(s) == ["one"]


@pytest.mark.parametrize("sender", ANONYMOUS)
@pytest.mark.parametrize("typed", ["", " 1", " remove 1"])
async def test_who_speaks_for_a_group_or_a_channel_has_no_favourites(sender: Person, typed: str) -> None:
    async with stage(kept=True) as s:
        assert "favourites belong to people" in await s.say(f"/favourites{typed}", sender)


# -- its pages
async def test_pages_are_turned_by_the_one_who_asked_and_nobody_else() -> None:
    async with stage(kept=True) as s:
        await liked(s, *(f"song {number}" for number in range(1, 12)))
        await liked(s, *(f"secret {number}" for number in range(1, 12)), person=ADMIN)
        message = await listed(s)
        first = message.text
        assert first.splitlines()[-1] == "Page 1 of 2"
        text, alert = await s.press("Later ▶", ADMIN, message=message)
        assert (alert, "for whoever asked" in text) == (True, True)
        assert message.text == first
        await s.press("Later ▶", GUEST, message=message)
        assert message.text.splitlines()[1:] == ["11. <b>song 11</b> — Band · 03:40", "Page 2 of 2"]
        assert message.labels() == ["◀ Earlier"]
        await s.press("◀ Earlier", GUEST, message=message)
        assert (message.text, message.labels()) == (first, ["Later ▶"])


async def test_the_data_of_the_buttons_names_neither_chat_nor_person() -> None:
    async with stage(kept=True) as s:
        await liked(s, *(f"song {number}" for number in range(30)))
        message = await listed(s)
        await s.press("Later ▶", GUEST, message=message)
        assert [button.data for row in message.rows for button in row] == ["f:page=0", "f:page=2"]


async def test_a_page_that_is_no_more_is_the_last_there_is() -> None:
    async with stage(kept=True) as s:
        await liked(s, *(f"song {number}" for number in range(1, 12)))
        message = await listed(s)
        await s.say("/fav remove 11", GUEST)
        await s.press("Later ▶", GUEST, message=message)
        assert message.text.splitlines()[-1] == "10. <b>song 10</b> — Band · 03:40"
        assert message.rows == ()


@pytest.mark.parametrize("data", ["f:page", "f:page=", "f:page=-1", "f:page=x", "f:page=1:4", "f:page=99999"])
async def test_data_that_means_nothing_turns_no_page(data: str) -> None:
    async with stage(kept=True) as s:
        await liked(s, *(f"song {number}" for number in range(12)))
        message = await listed(s)
        text, alert = await s.press_data(data, GUEST, GROUP, message.id)
        assert (alert, "from another time" in text) == (True, True)
        assert message.edits == 0


async def test_under_no_other_message_can_a_list_be_brought_up() -> None:
    async with stage(kept=True) as s:
        await liked(s, *(f"song {number}" for number in range(12)))
        await s.playing("one")
        card = s.card()
        before = card.text
        text, alert = await s.press_data("f:page=1", GUEST, GROUP, card.id)
        assert (alert, "Send the command again" in text) == (True, True)
        assert s.card().text == before


def test_only_so_many_owners_are_remembered_and_a_private_chat_needs_none() -> None:
    owners = Owners(size=2)
    for message in (1, 2, 3):
        owners.note(GROUP, message, GUEST.id)
    assert [owners.of(GROUP, message) for message in (1, 2, 3)] == [None, GUEST.id, GUEST.id]
    assert owners.of(OTHER, 3) is None
    owners.note(GROUP, 4, GUEST.id, (track("a"),))
    assert [owners.of(GROUP, message) for message in (2, 3, 4)] == [None, None, GUEST.id], "tracks count too"
    assert owners.of(GUEST.id, 7) == GUEST.id


# -- without the database
async def test_while_the_database_is_away_what_is_to_be_kept_is_kept_later_and_it_is_said() -> None:
    async with stage() as s:
        await s.playing("one")
        text, alert = await s.press("♥", GUEST)
        assert text == (
            "♥ one goes to your favourites. ⏳ My database is away just now. "
            "I keep that in mind, and write it down as soon as it is back."
        )
        assert not alert
        assert s.away.taken == [AddToPlaylist(GUEST.id, FAVOURITES, track("one"), NOW)]


async def test_the_longest_title_leaves_room_for_what_is_said_of_the_database() -> None:
    async with stage() as s:
        await s.playing("x" * 500)
        text, _ = await s.press("♥", GUEST)
        assert text.endswith("as soon as it is back.")
        assert len(text) <= 200


@pytest.mark.parametrize(
    ("code", "sentence"),
    [(Declined.FULL, "can't note down any more"), (Declined.REFUSED, "does not take that")],
)
async def test_a_store_that_cannot_keep_it_is_explained_in_an_alert(code: Declined, sentence: str) -> None:
    async with stage() as s:
        await s.playing("one")
        s.away.trouble = Refusal(code)
        text, alert = await s.press("♥", GUEST)
        assert (alert, sentence in text) == (True, True)


@pytest.mark.parametrize("typed", ["/favourites", "/fav 1", "/fav remove 1"])
async def test_while_the_database_is_away_favourites_are_not_known_and_it_is_said(typed: str) -> None:
    async with stage() as s:
        assert "database is away" in await s.say(typed, GUEST)
        assert s.away.taken == []


async def test_while_the_database_is_away_a_page_is_not_turned_and_an_alert_says_so() -> None:
    async with stage() as s:
        s.desk.owners.note(GROUP, 50, GUEST.id)
        text, alert = await s.press_data("f:page=1", GUEST, GROUP, 50)
        assert (alert, "database is away" in text) == (True, True)


@pytest.mark.parametrize("anyio_backend", [("trio", {"clock": MockClock(autojump_threshold=0)})])
async def test_a_store_that_does_not_answer_holds_up_nobody() -> None:
    async with stage() as s:
        await s.playing("one")
        s.away.gate = anyio.Event()
        for _ in range(2):
            began = anyio.current_time()
            assert "took too long" in await s.say("/favourites", GUEST)
            assert anyio.current_time() - began < 4
        text, alert = await s.press("♥", GUEST)
        assert (alert, "took too long" in text) == (True, True)
        assert anyio.current_time() - began < 10
        s.away.gate.set()


async def test_names_and_titles_of_favourites_cannot_smuggle_markup_in() -> None:
    async with stage(kept=True) as s:
        song = Track(
            "x", "<i>x</i>{place}", "fake", "x", "<u>Eve</u> & {track}", 220.0, "https://x/?a='\"<b>"
        )
        await s.desk.store.ask(Commit((AddToPlaylist(GUEST.id, FAVOURITES, song, NOW),)), within=5)
        shown = await s.say("/favourites", GUEST)
        assert "&lt;i&gt;x&lt;/i&gt;{place}</a> — &lt;u&gt;Eve&lt;/u&gt; &amp; {track} · 03:40" in shown
        assert not re.search(r"<[iub]>", shown)
        assert "<i>" not in await s.say("/fav remove 1", GUEST)
