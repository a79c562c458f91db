"""What a process leaves behind is taken up by the next one, where it was."""

import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import pytest
from scene import Opener, Scene, last_sound, resumed

pytestmark = pytest.mark.anyio


async def killed(s: Scene) -> None:
    await s.bot.kill()
    await s.bot.start()


async def stopped(s: Scene) -> None:
    asked = time.monotonic()
    assert await s.bot.stop() == 0
    assert time.monotonic() - asked < 20
    await s.bot.start()


@pytest.mark.parametrize(("ends", "off"), [(killed, 1.0), (stopped, 0.2)])
async def test_the_song_goes_on_where_it_was(
    ryzen: Opener, ends: Callable[[Scene], Awaitable[None]], off: float
) -> None:
    async with ryzen() as s:
        await s.say("/play sweep")
        await s.say("/play tone 440", who="Bob")
        await s.say("/play tone 880", who="Cleo")
        await s.until_heard(340)
        await s.read("880")
        (card,) = s.cards()
        await anyio.sleep(1.3)  # between two of its other signs of life
        old = s.peer()
        moment, position = await s.position()
        ended = time.monotonic()
        await ends(s)
        last = last_sound(old, ended)
        assert await resumed(s) == pytest.approx(position + (last - moment), abs=off)
        await s.read("I was restarted; sweep goes on at")
        assert s.cards() == [card]
        queue = await s.say("/queue")
        listed = await s.read("1.", since=queue)
        assert listed.text.index("tone 440") < listed.text.index("tone 880")
        assert "Bob" in listed.text
        assert "Cleo" in listed.text
        skipped = await s.say("/skip")
        await s.until_heard(440, since=skipped)
        await s.until_cards(1)
        assert s.grave() == []


async def test_a_paused_song_stays_paused_where_it_was(ryzen: Opener) -> None:
    async with ryzen() as s:
        await s.say("/play sweep")
        await s.until_heard(380)
        await s.say("/loop queue")
        await s.read("loop")
        await s.say("/pause")
        await s.read("Paused")
        await killed(s)
        told = await s.read("still waits at 00:0")
        await anyio.sleep(1)
        assert (await s.hears(1.0)).rms < 0.01
        await s.say("/resume")
        since = time.monotonic()
        await s.until_heard(400, since=since, within=5)
        assert told.at < since


async def test_a_chat_at_rest_still_knows_its_past(ryzen: Opener) -> None:
    async with ryzen() as s:
        await s.say("/play tone 440")
        await s.until_heard(440)
        await s.say("/play tone 660")
        await s.read("660")
        await s.say("/stop")
        await s.until_cards(0)
        await killed(s)
        await s.say("/restore")
        await s.read("Back in the queue: 1")
        back = await s.say("/previous")
        await s.until_heard(440, since=back)


async def test_ten_groups_come_back_each_to_its_own_song(ryzen: Opener) -> None:
    async with ryzen(groups=10) as s:
        for number in range(1, 11):
            await s.say(f"/play group {number}", group=number)
            await s.say("/play sweep", group=number)
        heard = {}
        for number in range(1, 11):
            heard[number] = await s.until_heard(400 + 100 * number, group=number, within=20)
            await s.read("sweep", group=number)
        cards = [s.cards(number) for number in range(1, 11)]
        await anyio.sleep(3)
        ended = time.monotonic()
        await killed(s)
        for number in range(1, 11):
            again = await s.until_heard(400 + 100 * number, group=number, since=s.bot.started_at, within=15)
            assert again - s.bot.started_at < 10  # a promise; the figures are in scripts/soak comeback
            told = await s.read("I was restarted", group=number)
            minutes, seconds = told.text.rpartition(" at ")[2].rstrip(".").split(":")
            position = int(minutes) * 60 + int(seconds) + 0.5
            assert position == pytest.approx(ended - heard[number], abs=1.5)
        assert [s.cards(number) for number in range(1, 11)] == cards
        for number in range(1, 11):
            skipped = await s.say("/skip", group=number)
            await s.until_heard(320, group=number, since=skipped)
        assert s.grave() == []


async def test_a_song_that_is_gone_is_left_out_and_the_next_one_plays(
    ryzen: Opener, music: Path, tmp_path: Path
) -> None:
    here = tmp_path / "songs"
    here.mkdir()
    for name in ("sweep.wav", "tone 880.wav"):
        (here / name).write_bytes((music / name).read_bytes())
    async with ryzen(MUSIC_DIR=str(here)) as s:
        await s.say("/play sweep")
        await s.say("/play tone 880")
        await s.until_heard(340)
        await s.read("880")
        await s.bot.kill()
        (here / "sweep.wav").unlink()
        await s.bot.start()
        await s.read("Left out")
        await s.until_heard(880)


async def test_a_card_that_was_deleted_meanwhile_is_drawn_anew(ryzen: Opener) -> None:
    async with ryzen() as s:
        await s.say("/play tone 440")
        await s.until_heard(440)
        (card,) = s.cards()
        await anyio.sleep(0.5)
        await s.bot.kill()
        s.delete(card)
        await s.bot.start()
        await s.until_heard(440, since=s.bot.started_at)
        await s.until_cards(1)
        assert s.cards() != [card]


async def test_what_is_asked_of_a_chat_before_its_turn_finds_its_line(ryzen: Opener) -> None:
    async with ryzen(groups=3, RESUME_RATE="0.1") as s:  # the last one's turn comes in twenty seconds
        for number in (1, 2, 3):
            await s.say(f"/play group {number}", group=number)
            await s.until_heard(400 + 100 * number, group=number)
        await anyio.sleep(0.5)
        await killed(s)
        asked = await s.say("/play sweep", group=1)  # the oldest
        await s.until_heard(500, group=1, since=asked)
        await s.read("sweep is number 1", group=1, since=asked)


async def test_a_chat_that_brings_the_bot_down_three_times_is_left_to_people(ryzen: Opener) -> None:
    async with ryzen() as s:
        await s.say("/play tone 440")
        await s.say("/play tone 880")
        await s.until_heard(440)
        await s.read("880")
        await anyio.sleep(0.5)
        await s.bot.kill()
        s.stage.box.faults.fail("phone.JoinGroupCall", 500, "CALL_OCCUPY_FAILED", times=100)
        for _ in range(3):
            await s.bot.start()
            await s.read("I was restarted; tone 440", since=s.bot.started_at)
            await anyio.sleep(0.3)
            await s.bot.kill()
        s.stage.box.faults.clear()
        await s.bot.start()
        await s.read("several times", since=s.bot.started_at)
        resumed = await s.say("/resume")
        await s.until_heard(440, since=resumed)
