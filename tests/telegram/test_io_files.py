"""Files that people send: found by their message, streamed from any offset, renewed where need be."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from io_stage import Heard, Street, street
from pyrogram import raw

from ryzen.errors import SendError, SourceAway, TrackError, TrackTrouble
from ryzen.origins import Pieces
from ryzen.player.state import Track
from ryzen.ports import Said
from ryzen.sandbox.box.posting import delete
from ryzen.telegram.files import TelegramFiles

pytestmark = pytest.mark.anyio
T = raw.types

#: Two pieces of Telegram's and a bit.
SONG = random.Random(4).randbytes((2 << 20) + 12_345)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def send(town: Street, data: bytes = SONG, **more: object) -> int:
    attributes = [T.DocumentAttributeAudio(duration=125, title="Blue Sky", performer="Ada")]
    more = {"attributes": attributes, **more}
    return (await town.box.send_file(town.group, town.owner, data, **more)).id


async def read(
    files: TelegramFiles, track: Track, offset: int = 0, meanwhile: Callable[[], object] | None = None
) -> bytes:
    """``meanwhile`` happens after the first piece."""
    place = (await files.resolve(track)).place
    assert isinstance(place, Pieces)
    got = b""
    async for piece in place.read(offset):
        if meanwhile is not None and not got:
            meanwhile()
        got += piece
    return got


async def test_a_file_is_read_whole_and_from_any_offset() -> None:
    async with street() as town, town.bot_online() as bot:
        message = await send(town)
        files = TelegramFiles(bot)
        track = await files.attached(town.group.chat_id, message)
        assert track is not None
        assert (track.title, track.artist, track.duration) == ("Blue Sky", "Ada", 125.0)
        assert (await files.resolve(track)).place.size == len(SONG)  # type: ignore[union-attr]
        assert await read(files, track) == SONG
        for offset in (1, 65_535, 65_536, 700_001, (1 << 20) - 1, len(SONG) - 1, len(SONG)):
            assert await read(files, track, offset) == SONG[offset:], offset


async def test_little_is_asked_for_before_there_is_sound() -> None:
    async with street() as town, town.bot_online() as bot:
        files = TelegramFiles(bot)
        track = await files.attached(town.group.chat_id, await send(town))
        assert track is not None
        place = (await files.resolve(track)).place
        assert isinstance(place, Pieces)
        pieces = [len(piece) async for piece in place.read(0)]
        assert pieces[0] == 64 << 10
        assert max(pieces) == 512 << 10
        assert sum(pieces) == len(SONG)


async def test_a_reference_that_grows_too_old_in_mid_song_is_renewed() -> None:
    async with street() as town, town.bot_online() as bot:
        files = TelegramFiles(bot)
        track = await files.attached(town.group.chat_id, await send(town))
        assert track is not None
        assert await read(files, track, meanwhile=town.box.expire_files) == SONG


async def test_a_song_whose_message_is_gone_is_missing() -> None:
    async with street() as town, town.bot_online() as bot:
        files = TelegramFiles(bot)
        message = await send(town)
        track = await files.attached(town.group.chat_id, message)
        assert track is not None
        delete(town.box, town.group, [message], town.owner)
        with pytest.raises(TrackError) as failed:
            await files.resolve(track)
        assert failed.value.trouble is TrackTrouble.MISSING
        assert await files.attached(town.group.chat_id, message) is None


@pytest.mark.parametrize(
    ("mime_type", "attributes", "title"),
    [
        ("audio/ogg", [T.DocumentAttributeAudio(duration=3, voice=True)], "Voice message"),
        ("video/mp4", [T.DocumentAttributeVideo(duration=9.5, w=1, h=1)], "Video"),
        ("application/octet-stream", [T.DocumentAttributeFilename(file_name="My Song.FLAC")], "My Song"),
        (
            "audio/mpeg",
            [T.DocumentAttributeFilename(file_name="../../etc/pass\nwd\u202e.mp3")],
            ".. .. etc pass wd",
        ),
        ("audio/mpeg", [T.DocumentAttributeAudio(duration=1, title="x" * 4000)], "x" * 200),
        ("audio/mpeg", [], "Audio file"),
        ("application/pdf", [T.DocumentAttributeFilename(file_name="book.pdf")], None),
    ],
)
async def test_what_can_be_played_has_a_name(
    mime_type: str, attributes: list[object], title: str | None
) -> None:
    async with street() as town, town.bot_online() as bot:
        message = await send(town, b"x" * 100, mime_type=mime_type, attributes=attributes)
        track = await TelegramFiles(bot).attached(town.group.chat_id, message)
        assert (track.title if track else None) == title


async def test_text_alone_is_nothing_to_play_and_a_strange_chat_is_refused() -> None:
    async with street() as town, town.bot_online() as bot:
        files = TelegramFiles(bot)
        said = await town.box.say(town.group, town.owner, "hello")
        assert await files.attached(town.group.chat_id, said.id) is None
        with pytest.raises(SendError):
            await files.attached(-1_009_999_999_999, 5)


async def test_what_is_too_big_is_refused_before_a_byte_is_fetched() -> None:
    async with street() as town, town.bot_online() as bot:
        files = TelegramFiles(bot, audio_limit=len(SONG) - 1)
        message = await send(town)
        with pytest.raises(TrackError) as failed:
            await files.attached(town.group.chat_id, message)
        assert failed.value.trouble is TrackTrouble.TOO_BIG
        assert town.box.calls["upload.GetFile"] == 0


async def test_a_link_to_a_public_message_is_its_file() -> None:
    async with street() as town, town.bot_online() as bot:
        town.group.username = "friends"
        files, message = TelegramFiles(bot), await send(town)
        link = f"https://t.me/friends/{message}"
        assert files.claims(link)
        assert files.claims(link + "?single")
        (track,) = (await files.expand(link, 50)).tracks
        assert track.link == f"https://t.me/c/{town.group.id}/{message}"
        assert await read(files, track) == SONG
        assert not any(map(files.claims, ("https://t.me/friends", "https://t.me.evil.com/c/1/2", "tg://x")))


@pytest.mark.parametrize(
    ("link", "trouble"),
    [
        ("https://t.me/c/{group}/{song}", TrackTrouble.PRIVATE),
        ("https://t.me/c/999999/5", TrackTrouble.PRIVATE),
        ("https://t.me/c/999999999999999/5", TrackTrouble.PRIVATE),
        ("https://t.me/olga/{memo}", TrackTrouble.PRIVATE),
        ("https://t.me/nobody_at_all/5", TrackTrouble.PRIVATE),
        ("https://t.me/others/9999999999", TrackTrouble.EMPTY),
        ("https://t.me/others/4000", TrackTrouble.EMPTY),
    ],
)
async def test_a_link_leads_nowhere_that_is_not_open_to_everybody(link: str, trouble: TrackTrouble) -> None:
    """The bot is in groups, and in private chats, which whoever sends the link may not see."""
    async with street() as town, town.bot_online() as bot:
        town.other.username = "others"
        sound = [T.DocumentAttributeAudio(duration=3, voice=True)]
        song = await send(town, b"x" * 100)
        memo = await town.box.send_file(
            town.box.private(town.owner, town.bot), town.owner, b"x" * 100, attributes=sound
        )
        files = TelegramFiles(bot)
        link = link.format(group=town.group.id, song=song, memo=memo.id)
        assert files.claims(link)
        with pytest.raises(TrackError) as failed:
            await files.expand(link, 50)
        assert failed.value.trouble is trouble
        assert town.box.calls["messages.GetMessages"] == 0


async def test_a_private_message_is_read_as_one_of_its_own_chat_alone() -> None:
    async with street() as town, town.bot_online() as bot:
        sound = [T.DocumentAttributeAudio(duration=3, voice=True)]
        chat = town.box.private(town.owner, town.bot)
        memo = await town.box.send_file(chat, town.owner, b"x" * 100, attributes=sound)
        files = TelegramFiles(bot)
        assert await files.attached(town.owner.id, memo.id) is not None
        assert await files.attached(town.member.id, memo.id) is None


async def test_a_chat_that_the_bot_was_thrown_out_of_says_nothing_about_the_others() -> None:
    """What does not answer would count against the source, until no file of any chat is asked for."""
    async with street() as town, town.bot_online() as bot:
        files = TelegramFiles(bot)
        track = await files.attached(town.group.chat_id, await send(town))
        assert track is not None
        town.box.faults.fail("channels.GetMessages", 400, "CHANNEL_PRIVATE")
        with pytest.raises(TrackError) as failed:
            await files.resolve(track)
        assert failed.value.trouble is TrackTrouble.PRIVATE


async def test_who_is_asked_to_wait_before_a_name_is_looked_up_says_so() -> None:
    async with street() as town, town.bot_online() as bot:
        town.box.faults.flood("contacts.ResolveUsername", 600.0)
        with pytest.raises(SourceAway) as away:
            await TelegramFiles(bot).expand("https://t.me/others/1", 50)
        assert away.value.retry_after == pytest.approx(600, abs=2)


async def test_who_does_not_pay_waits_in_mid_file_and_loses_nothing() -> None:
    async with street() as town, town.bot_online() as bot:
        files = TelegramFiles(bot)
        track = await files.attached(town.group.chat_id, await send(town))
        assert track is not None
        town.box.faults.fail("upload.GetFile", 420, "FLOOD_PREMIUM_WAIT_1")
        assert await read(files, track) == SONG


async def test_a_flood_is_waited_for_if_it_is_short_and_told_if_it_is_long() -> None:
    async with street() as town, town.bot_online() as bot:
        files = TelegramFiles(bot)
        track = await files.attached(town.group.chat_id, await send(town))
        assert track is not None
        town.box.faults.flood("upload.GetFile", 1.0)
        assert await read(files, track) == SONG
        town.box.faults.flood("upload.GetFile", 600.0)
        with pytest.raises(SourceAway) as away:
            await read(files, track)
        assert away.value.retry_after == pytest.approx(600, abs=2)


async def test_a_dropped_connection_costs_no_byte() -> None:
    async with street() as town, town.bot_online() as bot:
        files = TelegramFiles(bot)
        track = await files.attached(town.group.chat_id, await send(town))
        assert track is not None
        assert await read(files, track, meanwhile=lambda: town.box.drop_connections(town.bot.id)) == SONG


async def test_a_command_in_the_caption_of_a_file_is_heard() -> None:
    heard = Heard()
    async with street() as town, town.bot_online(heard):
        message = await send(town, caption="/play")
        said = await heard.next(Said)
        assert (said.text, said.holds_file, said.message_id) == ("/play", True, message)
