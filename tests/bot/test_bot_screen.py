"""The card: one a chat, edited, never stacked; and nothing that Telegram says hurts the player."""

from __future__ import annotations

import attrs
import pytest
from bot_fakes import GROUP, OTHER, WORDS, FakeOutbox, track
from loguru import logger

from ryzen.bot.screen import CardScreen, Screens
from ryzen.errors import TrackTrouble, VoiceTrouble
from ryzen.messages import View
from ryzen.player.effects import Notice, Noticed
from ryzen.player.state import Asker, Chapter, Entry, Loop, Media, Phase, Player, Track
from ryzen.ports import Screen

pytestmark = pytest.mark.anyio


def view(title: str = "one", entry: int = 1, at: float = 72.0, **changes: object) -> View:
    changes.setdefault("phase", Phase.PLAYING)
    playing = Entry(entry, track(title), Asker(4, "Gus"))
    return View(attrs.evolve(Player(current=playing), **changes), at)  # type: ignore[arg-type]


IDLE = View(Player(), 0.0)


@pytest.fixture
def outbox() -> FakeOutbox:
    return FakeOutbox()


@pytest.fixture
def screen(outbox: FakeOutbox) -> CardScreen:
    return CardScreen(outbox, WORDS, GROUP)


async def test_the_card_says_all_there_is_to_know(outbox: FakeOutbox, screen: Screen) -> None:
    song = Track("x", "Autumn & Leaves", "local", "x", "Trio", 220.0, link="https://example.org/?a=1&b=2")
    waiting = (Entry(2, track("two"), Asker(4, "Gus")), Entry(3, track("three"), Asker(4, "Gus")))
    player = Player(
        phase=Phase.PLAYING, current=Entry(1, song, Asker(4, "Gus & Co")), queue=waiting, loop=Loop.QUEUE
    )
    await screen.show(View(player, 72.0))
    assert outbox.texts(GROUP) == [
        '🎵 <a href="https://example.org/?a=1&amp;b=2">Autumn &amp; Leaves</a> — Trio\n'
        "03:40 · asked for by Gus &amp; Co · local\n"
        "01:12 ——●————— 03:40\n"
        "▶ Playing · 🔁 the whole queue\n"
        "Next: <b>two</b> · 2 in the queue"
    ]
    [card] = outbox.of(GROUP)
    assert [[button.label for button in row] for row in card.rows] == [
        ["⏮ Back", "⏸ Pause", "⏭ Skip", "⏹ Stop"],
        ["−15 s", "🔁 Loop", "+15 s"],
        ["♥", "📜 Queue", "✖ Close"],
    ]
    for row in card.rows:
        for button in row:
            assert len(button.data.encode()) <= 64
            assert str(GROUP).lstrip("-") not in button.data


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"phase": Phase.RESOLVING}, "⏳ Loading"),
        ({"phase": Phase.STARTING}, "⏳ Loading"),
        ({"phase": Phase.PAUSED}, "⏸ Paused"),
        ({"loop": Loop.TRACK}, "▶ Playing · 🔂 this track"),
        ({"loop": Loop.TRACK, "loops_left": 2}, "▶ Playing · 🔂 2 more times"),
    ],
)
async def test_the_state_has_its_line(
    outbox: FakeOutbox, screen: Screen, changes: dict[str, object], line: str
) -> None:
    await screen.show(view(**changes))
    assert outbox.texts(GROUP)[0].splitlines()[3] == line


async def test_a_muted_chat_shows_it_beside_the_rest_of_its_state(outbox: FakeOutbox, screen: Screen) -> None:
    await screen.show(attrs.evolve(view(loop=Loop.TRACK), muted=True))
    assert outbox.texts(GROUP)[0].splitlines()[3] == "▶ Playing · 🔇 muted · 🔂 this track"


async def test_an_endless_track_has_no_bar(outbox: FakeOutbox, screen: Screen) -> None:
    entry = Entry(1, track("radio", duration=None), Asker(4, "Gus"))
    on_air = Media("x", live=True)
    await screen.show(View(Player(phase=Phase.PLAYING, current=entry, media=on_air), 3725.0))
    assert outbox.texts(GROUP)[0].splitlines()[1:3] == ["live · asked for by Gus · fake", "1:02:05"]


@pytest.mark.parametrize("media", [None, Media("x", fetched=True)])
async def test_what_nobody_knows_the_length_of_is_not_called_live(
    outbox: FakeOutbox, screen: Screen, media: Media | None
) -> None:
    entry = Entry(1, track("song.mp3", duration=None), Asker(4, "Gus"))
    await screen.show(View(Player(phase=Phase.PLAYING, current=entry, media=media), 65.0))
    assert outbox.texts(GROUP)[0].splitlines()[1:3] == ["asked for by Gus · fake", "01:05"]


@pytest.mark.parametrize(
    ("at", "chapter"), [(0.0, None), (10.0, "Intro"), (71.9, "Intro"), (72.0, "Part &amp; two")]
)
async def test_the_card_names_the_chapter_that_is_heard(
    outbox: FakeOutbox, screen: Screen, at: float, chapter: str | None
) -> None:
    media = Media("x", 220.0, chapters=(Chapter(10.0, "Intro"), Chapter(72.0, "Part & two")))
    await screen.show(view(at=at, media=media))
    [card] = outbox.texts(GROUP)
    assert card.split("\n")[1] == (f"<i>{chapter}</i>" if chapter else "03:40 · asked for by Gus · fake")


async def test_the_card_of_a_track_is_edited(outbox: FakeOutbox, screen: Screen) -> None:
    for at in (1.0, 11.0, 21.0):
        await screen.show(view(at=at))
    [card] = outbox.of(GROUP)
    assert card.edits == 2
    assert "00:21" in card.text


async def test_a_new_track_has_a_new_card_and_the_old_one_goes_after_it_has_come(
    outbox: FakeOutbox, screen: Screen
) -> None:
    await screen.show(view())
    await screen.show(view("two", 2))
    [card] = outbox.of(GROUP)
    assert "two" in card.text
    assert outbox.log == ["send", "send", "delete"]


async def test_the_same_title_again_is_a_new_track(outbox: FakeOutbox, screen: Screen) -> None:
    await screen.show(view())
    await screen.show(view(entry=2))
    assert outbox.log == ["send", "send", "delete"]


async def test_a_fresh_card_takes_the_place_of_the_old_one(outbox: FakeOutbox, screen: Screen) -> None:
    await screen.show(view())
    await screen.show(view(), fresh=True)
    assert len(outbox.of(GROUP)) == 1
    assert outbox.log == ["send", "send", "delete"]


async def test_when_nothing_plays_there_is_no_card(outbox: FakeOutbox, screen: Screen) -> None:
    await screen.show(IDLE)
    await screen.show(view())
    await screen.show(IDLE)
    await screen.show(IDLE, fresh=True)
    assert outbox.of(GROUP) == []
    assert outbox.log == ["send", "delete"]


async def test_a_chat_that_refuses_is_logged_once_and_the_card_comes_when_it_may(
    outbox: FakeOutbox, screen: Screen
) -> None:
    lines: list[str] = []
    sink = logger.add(lines.append, format="{level} {message}")
    outbox.closed.add(GROUP)
    for at in (1.0, 2.0, 3.0):
        await screen.show(view(at=at))
    await screen.notify(Notice(Noticed.FINISHED))
    refused = "WARNING the card of -1001 was refused: CHAT_WRITE_FORBIDDEN\n"
    assert lines == [refused]
    outbox.closed.clear()
    await screen.show(view())
    assert len(outbox.of(GROUP)) == 1
    outbox.closed.add(GROUP)
    await screen.show(view(at=80.0))
    logger.remove(sink)
    assert lines == [refused, refused]


async def test_a_card_that_somebody_deleted_is_not_stacked_and_comes_back_on_request(
    outbox: FakeOutbox, screen: CardScreen
) -> None:
    await screen.show(view())
    outbox.chats[GROUP].clear()
    await screen.show(view(at=80.0))
    assert outbox.of(GROUP) == []
    await screen.show(view(), fresh=True)
    assert len(outbox.of(GROUP)) == 1


async def test_screens_know_which_message_is_the_card_of_which_chat(outbox: FakeOutbox) -> None:
    screens = Screens(outbox, WORDS)
    assert not screens.shows(GROUP, 100)
    await screens.of(GROUP).show(view())
    [card] = outbox.of(GROUP)
    assert screens.shows(GROUP, card.id)
    assert not screens.shows(OTHER, card.id)
    assert not screens.shows(GROUP, card.id + 1)
    assert screens.of(GROUP) is screens.of(GROUP)


@pytest.mark.parametrize(
    ("notice", "text"),
    [
        (
            Notice(Noticed.TRACK_FAILED, track("a<b"), TrackTrouble.BROKEN),
            "⚠ Left out <b>a&lt;b</b>: the file is broken.",
        ),
        (
            Notice(Noticed.NO_CALL, reason=VoiceTrouble.NO_VOICE_CHAT),
            "⚠ There is no voice chat here. Start one, then try again. "
            "The queue is kept; /resume tries again.",
        ),
        (
            Notice(Noticed.SKIPPED_AFTER_CRASH, track("one")),
            "🩹 Something broke over <b>one</b>, so I left it out.",
        ),
    ],
)
async def test_notices_are_lines_of_their_own(
    outbox: FakeOutbox, screen: Screen, notice: Notice, text: str
) -> None:
    await screen.notify(notice)
    assert outbox.texts(GROUP) == [text]
