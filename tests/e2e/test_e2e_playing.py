"""From a command in a group to what is heard in its voice chat."""

import anyio
import pytest
from scene import Opener

pytestmark = pytest.mark.anyio


async def test_what_is_played_is_heard_and_skipped(ryzen: Opener) -> None:
    async with ryzen() as s:
        await s.say("/play tone 440")
        await s.say("/play tone 880")
        await s.until_heard(440)
        heard = await s.hears()
        assert heard.share > 0.95
        skipped = await s.say("/skip")
        await s.until_heard(880, since=skipped)
        await anyio.sleep(0.3)
        heard = await s.hears()
        assert heard.share > 0.95
        assert s.peer().lost == 0
        assert s.grave() == []


async def test_the_assistant_comes_in_by_itself_and_leaves_the_call_at_the_end(ryzen: Opener) -> None:
    async with ryzen() as s:
        assistant, group = s.stage.assistant, s.group()
        assert assistant.id not in group.members
        await s.say("/play short")
        await s.until_heard(1000)
        assert assistant.id in group.members
        await s.read("last one")
        for _ in range(200):
            if not s.stage.box.call_of(group).members:
                break
            await anyio.sleep(0.05)
        assert not s.stage.box.call_of(group).members


async def test_a_pause_is_silent_and_resume_goes_on_from_the_position(ryzen: Opener) -> None:
    async with ryzen() as s:
        await s.say("/play sweep")
        await s.until_heard(340)
        await s.say("/seek 20")
        await s.until_heard(1104)
        asked = await s.say("/pause")
        await s.read("Paused", since=asked)
        await anyio.sleep(0.5)
        silence = await s.hears(1.0)
        assert silence.packets == 0 or silence.rms < 0.001
        paused = await s.read("●", since=asked)
        shown = _position(paused.text)
        await s.say("/resume")
        for _ in range(100):
            if (await s.hears(0.1)).rms > 0.05:
                break
        _, at = await s.position()
        assert (
            shown - 0.5 <= at <= shown + 2.5
        )  # the card shows whole seconds; the sound came at most 1 s ago


async def test_muted_is_silent_and_unmuted_goes_on_where_the_time_has_come_to(ryzen: Opener) -> None:
    async with ryzen() as s:
        await s.say("/play sweep")
        await s.until_heard(340)
        began, at = await s.position()
        asked = await s.say("/mute")
        await s.read("Muted", since=asked)
        await s.read("🔇 muted", since=asked)
        await anyio.sleep(0.5)
        assert (await s.hears(1.5)).rms < 0.001
        asked = await s.say("/unmute")
        await s.read("Not muted", since=asked)
        await s.until_heard_anything()
        now, position = await s.position()
        assert position - at == pytest.approx(now - began, abs=0.3)
        assert s.grave() == []


async def test_a_mute_for_a_second_is_undone_after_it(ryzen: Opener) -> None:
    async with ryzen() as s:
        await s.say("/play tone 440")
        await s.until_heard(440)
        asked = await s.say("/mute 1")
        await s.read("Muted for 1s", since=asked)
        await s.until_heard(440, since=asked + 1.0)


async def test_a_seek_lands_within_a_fifth_of_a_second(ryzen: Opener) -> None:
    async with ryzen() as s:
        await s.say("/play sweep")
        await s.until_heard(320)
        for target in (30, 7, 50):
            sought = await s.say(f"/seek {target}")
            await s.until_heard(300 + 40 * target + 6, since=sought)
            landed = s.peer().tone_changed_at(sought)
            assert landed is not None
            moment, position = await s.position()
            assert position - (moment - landed) == pytest.approx(target, abs=0.2)


async def test_a_press_by_an_outsider_changes_nothing_and_gets_an_alert(ryzen: Opener) -> None:
    async with ryzen() as s:
        await s.say("/play tone 440")
        await s.read("Playing")
        answer = await s.press("Pause", who="Bob")
        assert answer.alert
        assert "admins" in answer.text
        assert (await s.hears()).share > 0.95
        await s.press("Pause")
        await anyio.sleep(0.5)
        assert (await s.hears(0.5)).rms < 0.001
        await s.press("Resume")
        await anyio.sleep(0.5)
        assert (await s.hears()).share > 0.95


async def test_two_groups_play_different_tones_and_neither_is_heard_in_the_other(ryzen: Opener) -> None:
    async with ryzen(groups=2) as s:
        await s.say("/play tone 440", group=1)
        await s.say("/play tone 880", group=2)
        await s.until_heard(440, group=1)
        await s.until_heard(880, group=2)
        one, two = await s.hears(group=1), await s.hears(group=2)
        assert (round(one.hz, -1), round(two.hz, -1)) == (440, 880)
        assert min(one.share, two.share) > 0.95
        assert s.peer(1).lost == s.peer(2).lost == 0


async def test_one_track_follows_the_other_in_the_same_call(ryzen: Opener) -> None:
    async with ryzen() as s:
        await s.say("/play short")
        await s.say("/play tone 660")
        await s.until_heard(1000)
        await s.until_heard(660)
        assert s.peer().hears(seconds=4).gap < 0.5  # one after the other, in one call


async def test_ten_groups_at_once_are_all_heard(ryzen: Opener) -> None:
    async with ryzen(groups=10) as s:
        for number in range(1, 11):
            await s.say(f"/play group {number}", group=number)
        for number in range(1, 11):
            await s.until_heard(400 + 100 * number, group=number)
        for number in range(1, 11):
            heard = s.peer(number).hears()
            assert round(heard.hz, -1) == 400 + 100 * number
        assert s.grave() == []


async def test_there_is_one_card_a_chat(ryzen: Opener) -> None:
    async with ryzen() as s:
        await s.say("/play tone 440")
        await s.say("/play tone 880")
        await s.until_heard(440)
        skipped = await s.say("/skip")
        await s.read("tone 880", since=skipped)
        await s.read("Playing", since=skipped)
        await s.until_cards(1)  # the old one goes once the new one is there
        await s.say("/stop")
        await s.until_cards(0)


def _position(card: str) -> float:
    clock = next(line for line in card.splitlines() if "●" in line).split()[0]
    minutes, seconds = clock.split(":")
    return int(minutes) * 60 + int(seconds)
