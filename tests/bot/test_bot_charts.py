"""What was played here, and what is played most: read from the real store."""

from __future__ import annotations

import re

import pytest
from bot_fakes import ADMIN, GROUP, GUEST, OTHER, OWNER, SUDOER, Stage, asker, stage, track
from bot_keeping import NOW

from ryzen.messages import Commit
from ryzen.player.state import Track
from ryzen.ports import Person
from ryzen.records import Play, Played, SawUser

pytestmark = pytest.mark.anyio
EVE = Person(5, "<b>Eve</b> & {name}")
DAY = 86_400.0


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """In real time both: SQLite works in a thread, which no clock of ours can hurry."""
    return str(request.param)


async def heard(
    s: Stage, title: str, times: int = 1, person: Person = GUEST, chat_id: int = GROUP, ago: float = 60.0
) -> None:
    """Have a track played so many times."""
    song = track(title)
    plays = [
        Play(f"{title}/{chat_id}/{person.id}/{ago}/{number}", chat_id, asker(person), song, NOW - ago)
        for number in range(times)
    ]
    await s.desk.store.ask(Commit(tuple(Played(play) for play in plays)), within=5)


# -- history
async def test_history_says_what_was_played_here_for_whom_and_how_long_ago() -> None:
    async with stage(kept=True) as s:
        await heard(s, "one", ago=3 * DAY)
        await heard(s, "two", ago=125.0, person=EVE)
        await heard(s, "elsewhere", chat_id=OTHER)
        assert await s.say("/history", GUEST) == (
            "🕘 Played here last:\n"
            "1. <b>two</b> — Band · &lt;b&gt;Eve&lt;/b&gt; &amp; {name} · 2m 5s ago\n"
            "2. <b>one</b> — Band · Gus · 3d 0h ago"
        )


async def test_history_is_ten_long_and_may_be_empty() -> None:
    async with stage(kept=True) as s:
        assert "Nothing has been played here yet" in await s.say("/history", GUEST)
        for number in range(12):
            await heard(s, f"song {number}", ago=number + 1.0)
        lines = (await s.say("/history", GUEST)).splitlines()
        assert len(lines) == 11
        assert lines[-1].startswith("10. <b>song 9</b>")


async def test_a_clock_that_was_set_back_leaves_no_negative_ages() -> None:
    async with stage(kept=True) as s:
        await heard(s, "one", ago=-500.0)
        assert "· 0s ago" in await s.say("/history", GUEST)


# -- charts
async def test_top_is_of_everything_unless_it_is_told_otherwise() -> None:
    async with stage(kept=True) as s:
        for number in range(4):
            await heard(s, f"song {number}", 5 - number)
        await heard(s, "song 3", 7, ADMIN, OTHER)
        for typed in ("/top", "/gstats", "/top tracks", "/TOP Tracks"):
            assert await s.say(typed, EVE) == (
                "🏆 <b>Top tracks</b> · everywhere · of all time\n"
                "🥇 <b>song 3</b> — Band · 9×\n"
                "🥈 <b>song 0</b> — Band · 5×\n"
                "🥉 <b>song 1</b> — Band · 4×\n"
                "4. <b>song 2</b> — Band · 3×"
            )


@pytest.mark.parametrize(
    ("typed", "head", "lines"),
    [
        ("here", "tracks · here · of all time", ["one — Band · 3×", "two — Band · 2×"]),
        ("mine", "tracks · asked for by you · of all time", ["two — Band · 3×"]),
        ("today", "tracks · everywhere · today (UTC)", ["two — Band · 3×", "three — Band · 1×"]),
        ("today here tracks", "tracks · here · today (UTC)", ["two — Band · 2×"]),
        ("users", "listeners · everywhere · of all time", ["Ada · 4×", "Gus · 3×"]),
        ("here users", "listeners · here · of all time", ["Ada · 3×", "Gus · 2×"]),
        ("users today", "listeners · everywhere · today (UTC)", ["Gus · 3×", "Ada · 1×"]),
    ],
)
async def test_top_takes_its_words_in_any_order(typed: str, head: str, lines: list[str]) -> None:
    async with stage(kept=True) as s:
        await heard(s, "one", 3, ADMIN, ago=2 * DAY)
        await heard(s, "two", 2, GUEST)
        await heard(s, "two", 1, GUEST, OTHER)
        await heard(s, "three", 1, ADMIN, OTHER)
        shown = re.sub(r"</?b>", "", await s.say(f"/top {typed}", GUEST)).splitlines()
        ranked = [f"{medal} {line}" for medal, line in zip("🥇🥈🥉", lines, strict=False)]
        assert shown == [f"🏆 Top {head}", *ranked]


@pytest.mark.parametrize(
    "typed", ["nonsense", "tracks users", "here mine", "today today", "chats here", "users mine"]
)
async def test_what_cannot_be_ranked_shows_how_to_do_it(typed: str) -> None:
    async with stage(kept=True) as s:
        await heard(s, "one")
        answer = await s.say(f"/top {typed}", OWNER)
        assert f"I can't make a list of “{typed}”" in answer
        assert "[tracks, users, chats]" in answer


async def test_what_was_typed_is_quoted_no_longer_than_a_message_may_be() -> None:
    async with stage() as s:
        assert "…”" in (answer := await s.say("/top " + "x" * 4000, GUEST))
        assert len(answer) < 1000


async def test_where_nothing_was_played_there_is_a_sentence() -> None:
    async with stage(kept=True) as s:
        for typed in ("/top", "/top users here", "/top mine today"):
            assert "Nothing has been played yet" in await s.say(typed, GUEST)


# -- what is nobody's business
@pytest.mark.parametrize("typed", ["chats", "chats mine", "chats today"])
async def test_which_groups_play_most_is_for_the_staff_alone(typed: str) -> None:
    async with stage(kept=True) as s:
        for person in (GUEST, SUDOER, OWNER):
            await heard(s, "one", 1, person)
            await heard(s, "one", 2, person, OTHER)
        for person in (GUEST, ADMIN, Person(GROUP, "The Group", anonymous=True)):
            answer = await s.say(f"/top {typed}", person)
            assert "🏆" not in answer
            assert "The " not in answer
        for person in (SUDOER, OWNER):
            shown = (await s.say(f"/top {typed}", person)).splitlines()
            assert "Top groups" in shown[0]
            assert shown[1].startswith(f"🥇 {OTHER} · ")
            assert shown[2].startswith("🥈 The &lt;b&gt;Group&lt;/b&gt; · ")


async def test_who_speaks_for_a_group_does_not_show_its_title_to_other_groups() -> None:
    async with stage(kept=True) as s:
        await heard(s, "one", 2, Person(OTHER, "A private group", anonymous=True), OTHER)
        await heard(s, "one", 1, Person(6, ""))
        shown = (await s.say("/top users", GUEST)).splitlines()
        assert shown[1:] == ["🥇 an anonymous admin · 2×", "🥈 somebody · 1×"]


async def test_who_speaks_for_a_group_has_nothing_of_their_own() -> None:
    async with stage(kept=True) as s:
        group = Person(GROUP, "The group", anonymous=True)
        await heard(s, "one", person=group)
        assert "I can't tell what is yours" in await s.say("/top mine", group)


async def test_top_works_in_private_but_for_here() -> None:
    async with stage(kept=True) as s:
        await heard(s, "one")
        assert "one" in await s.say("/top mine", GUEST, GUEST.id, private=True)
        assert "This works in groups" in await s.say("/top here", GUEST, GUEST.id, private=True)


@pytest.mark.parametrize("source", ["telegram", "web"])
async def test_a_file_that_one_group_has_sent_is_named_to_that_group_alone(source: str) -> None:
    async with stage(kept=True) as s:
        memo = Track("x", "Our secret", source, "x", link="https://files.example/memo?key=secret")
        play = Play("1", GROUP, asker(EVE), memo, NOW)
        await s.desk.store.ask(Commit((SawUser(EVE.id, EVE.name, NOW), Played(play))), within=5)
        said = await s.say("/top", GUEST)
        assert "🥇 a file or link of some group's own · 1×" in said
        assert "secret" not in said
        assert "Our secret" in await s.say("/top here", GUEST)
        assert "Our secret" in await s.say("/top mine", EVE)


async def test_names_and_titles_in_charts_cannot_smuggle_markup_in() -> None:
    async with stage(kept=True) as s:
        song = Track("x", "<i>x</i>{place}", "fake", "x", "<u>Eve</u> & {name}", 220.0)
        play = Play("1", GROUP, asker(EVE), song, NOW)
        await s.desk.store.ask(Commit((SawUser(EVE.id, EVE.name, NOW), Played(play))), within=5)
        assert (await s.say("/top", GUEST)).splitlines()[1:] == [
            "🥇 <b>&lt;i&gt;x&lt;/i&gt;{place}</b> — &lt;u&gt;Eve&lt;/u&gt; &amp; {name} · 1×"
        ]
        assert "🥇 &lt;b&gt;Eve&lt;/b&gt; &amp; {name} · 1×" in await s.say("/top users", GUEST)


@pytest.mark.parametrize("typed", ["/history", "/top", "/gstats users", "/top mine today"])
async def test_while_the_database_is_away_the_past_is_not_known_and_it_is_said(typed: str) -> None:
    async with stage() as s:
        assert "My database is away just now" in await s.say(typed, GUEST)


async def test_the_longest_lists_are_one_message() -> None:
    async with stage(kept=True) as s:
        for number in range(10):
            name = f"{number}" + "<" * 300
            song = Track(name, name, "fake", "x", name, 36_000.0)
            play = Play(str(number), GROUP, asker(Person(number + 1, name)), song, NOW)
            await s.desk.store.ask(Commit((Played(play),)), within=5)
        for typed in ("/top", "/top users", "/history"):
            shown = await s.say(typed, GUEST)
            assert len(shown.splitlines()) == 11
            assert len(shown.replace("&lt;", "<")) < 4096
