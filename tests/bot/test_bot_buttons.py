"""Buttons: the rights of the one who presses, in the chat of the message, at each press."""

from __future__ import annotations

import anyio
import pytest
from bot_fakes import ADMIN, GROUP, GUEST, OTHER, Message, Stage, asker, stage, track, until

from ryzen.bot.buttons import ACTIONS
from ryzen.bot.guard import Who
from ryzen.messages import Command
from ryzen.player.events import Play
from ryzen.player.state import Loop, Phase
from ryzen.ports import MemberMoved, Person

pytestmark = pytest.mark.anyio
CONTROLS = [name for name, action in ACTIONS.items() if action.who is Who.ADMIN]


async def settled(s: Stage, chat_id: int = GROUP) -> Message:
    """The card, once nothing more is on its way to it."""
    await anyio.sleep(0.02)
    return s.card(chat_id)


@pytest.mark.parametrize("data", CONTROLS)
async def test_an_outsiders_press_changes_nothing_and_gets_an_alert(data: str) -> None:
    async with stage() as s:
        await s.playing("one", "two", "three")
        card, before = await settled(s), await s.player()
        shown = (card.text, card.rows)
        text, alert = await s.press_data(data, GUEST, GROUP, card.id)
        assert alert
        assert "Only admins" in text
        assert await s.player() == before
        assert ((await settled(s)).text, s.card().rows) == shown


async def test_an_admin_holds_the_music_and_lets_it_go_on() -> None:
    async with stage() as s:
        await s.playing("one")
        await settled(s)
        assert await s.press("⏸ Pause") == ("⏸ Paused. /resume goes on.", False)
        assert (await s.player()).phase is Phase.PAUSED
        assert "▶ Resume" in (await settled(s)).labels()
        assert await s.press("▶ Resume") == ("▶ Going on.", False)
        assert (await s.player()).phase is Phase.PLAYING
        assert "⏸ Pause" in (await settled(s)).labels()


async def test_the_buttons_of_the_card_do_what_they_say() -> None:
    async with stage() as s:
        await s.playing("one", "two")
        await settled(s)
        assert "At 00:1" in (await s.press("+15 s"))[0]
        assert "At 00:0" in (await s.press("−15 s"))[0]
        assert "Next is two" in (await s.press("⏭ Skip"))[0]
        await settled(s)
        assert "Back to one" in (await s.press("⏮ Back"))[0]
        await settled(s)
        assert "Stopped" in (await s.press("⏹ Stop"))[0]
        assert (await s.player()).phase is Phase.IDLE
        await until(lambda: not s.cards())


async def test_loop_goes_round() -> None:
    async with stage() as s:
        await s.playing("one")
        await settled(s)
        for loop in (Loop.TRACK, Loop.QUEUE, Loop.OFF):
            await s.press("🔁 Loop")
            assert (await s.player()).loop is loop


async def test_a_refused_wish_is_said_without_an_alert() -> None:
    async with stage() as s:
        await s.playing("one")
        await settled(s)
        assert await s.press("⏮ Back") == ("Nothing was played before this.", False)


async def test_a_press_on_an_old_card_changes_nothing() -> None:
    async with stage() as s:
        await s.playing("one", "two", "three")
        old = await settled(s)
        await s.press("⏭ Skip")
        await settled(s)
        before = await s.player()
        text, alert = await s.press("⏭ Skip", message=old)
        assert alert
        assert "card is old" in text
        assert await s.player() == before


async def test_the_card_of_one_chat_controls_no_other() -> None:
    async with stage() as s:
        await s.playing("one", "two")
        await s.playing("one", "two", chat_id=OTHER)
        card, before = await settled(s), await s.player()
        s.groups.admins[GROUP] = frozenset()
        text, alert = await s.press_data("p:skip", ADMIN, OTHER, card.id)
        assert (alert, "card is old" in text) == (True, True)
        assert (await s.press_data("p:skip", ADMIN, GROUP, card.id))[1]
        assert await s.player() == before


@pytest.mark.parametrize("data", ["", "p:", "p:nosuch", "x" * 64, "p:pause=-1002", "q:page", "q:page=x", "☠"])
async def test_data_that_means_nothing_gets_an_alert_or_means_what_its_action_says(data: str) -> None:
    async with stage() as s:
        await s.playing("one")
        card = await settled(s)
        text, alert = await s.press_data(data, ADMIN, GROUP, card.id)
        if data.startswith("p:pause"):  # what follows the action is not believed, least of all as a chat
            assert (await s.player()).phase is Phase.PAUSED
        else:
            assert (alert, "newest card" in text) == (True, True)
            assert (await s.player()).phase is Phase.PLAYING


async def test_a_demoted_admin_presses_in_vain() -> None:
    async with stage() as s:
        await s.playing("one", "two", "three")
        await settled(s)
        assert not (await s.press("⏭ Skip"))[1]
        await settled(s)
        s.groups.admins[GROUP] = frozenset()
        s.router.accept(MemberMoved(GROUP, ADMIN.id))
        assert (await s.press("⏭ Skip"))[1]


async def test_while_telegram_cannot_be_asked_a_press_is_refused() -> None:
    async with stage() as s:
        await s.playing("one")
        await settled(s)
        s.groups.down = True
        text, alert = await s.press("⏸ Pause")
        assert (alert, "could not check" in text) == (True, True)
        assert (await s.player()).phase is Phase.PLAYING


async def test_a_crash_of_the_chat_is_an_alert() -> None:
    async with stage() as s:
        await s.playing("one")
        await settled(s)
        s.trouble = ZeroDivisionError()
        text, alert = await s.press("⏸ Pause")
        assert (alert, "restarting" in text) == (True, True)


async def test_anybody_may_look_at_the_queue_and_turn_its_pages() -> None:
    async with stage() as s:
        s.player_limit = 0
        await s.playing(*(f"song {number}" for number in range(24)))
        await settled(s)
        assert await s.press("📜 Queue", GUEST) == ("", False)
        page = s.outbox.of(GROUP)[-1]
        assert "1. <b>song 1</b>" in page.text
        assert "Page 1 of 3 · 23 in the queue" in page.text
        assert page.labels() == ["Later ▶"]
        await s.press("Later ▶", GUEST, message=page)
        assert "11. <b>song 11</b>" in page.text
        assert page.labels() == ["◀ Earlier", "Later ▶"]
        await s.press("Later ▶", GUEST, message=page)
        assert "23. <b>song 23</b>" in page.text
        assert page.labels() == ["◀ Earlier"]
        await s.press("◀ Earlier", GUEST, message=page)
        assert "11. <b>song 11</b>" in page.text


async def test_ten_fill_a_page_and_there_is_no_empty_one_behind() -> None:
    async with stage() as s:
        s.player_limit = 0
        await s.playing(*(f"song {number}" for number in range(11)))
        assert "10. <b>song 10</b>" in await s.say("/queue", GUEST)
        assert s.outbox.of(GROUP)[-1].rows == ()


async def test_a_page_that_is_no_more_is_the_last_there_is() -> None:
    async with stage() as s:
        await s.playing("one", "two")
        await s.press("📜 Queue", GUEST)
        page = s.outbox.of(GROUP)[-1]
        assert await s.press_data("q:page=9999", GUEST, GROUP, page.id) == ("", False)
        assert "1. <b>two</b>" in page.text


async def test_a_closed_card_stays_away_until_somebody_asks_or_the_next_track() -> None:
    async with stage() as s:
        await s.playing("one", "two")
        await settled(s)
        assert "Closed" in (await s.press("✖ Close"))[0]
        assert s.cards() == []
        await s.say("/pause")
        await anyio.sleep(0.02)
        assert s.cards() == []
        s.type("/np")
        await until(s.cards)
        await s.press("✖ Close")
        await s.say("/skip")
        await until(s.cards)


async def test_a_long_alert_is_cut_to_what_telegram_takes() -> None:
    async with stage() as s:
        await s.playing("one")
        card = await settled(s)
        s.outbox.closed.add(GROUP)
        s.outbox.reason = "LONG_" * 100
        text, alert = await s.press("📜 Queue", message=card)
        assert (alert, len(text), text[-1]) == (True, 200, "…")


async def test_an_alert_is_plain_text() -> None:
    async with stage() as s:
        tracks = (track("one"), track("<b>" * 100, link="https://example.org/"))
        await s.open(GROUP).ask(Command(Play(tracks, asker(Person(5, "Eve")))), within=5)
        await until(s.cards)
        await settled(s)
        text, _ = await s.press("⏭ Skip")
        assert "Next is <b><b>" in text
        assert "href" not in text
