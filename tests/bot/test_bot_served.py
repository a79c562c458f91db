"""Whom the bot has served: noted with each command that is accepted, at no cost to anybody."""

from __future__ import annotations

import anyio
import pytest
from bot_fakes import ADMIN, GROUP, GUEST, stage, until
from bot_keeping import NOW
from loguru import logger

from ryzen.bot.pace import Rate
from ryzen.messages import Recall
from ryzen.ports import Person
from ryzen.records import SawChat, SawUser

pytestmark = pytest.mark.anyio
TITLE = "The <b>Group</b>"
SAW_GROUP = SawChat(GROUP, TITLE, NOW)


async def test_a_command_in_a_group_is_a_sighting_of_the_group_and_the_person() -> None:
    async with stage() as s:
        await s.say("/ping", GUEST)
        await until(lambda: s.away.heard == [SAW_GROUP, SawUser(GUEST.id, GUEST.name, NOW)])


async def test_in_private_there_is_a_person_and_no_chat() -> None:
    async with stage() as s:
        await s.say("/ping", GUEST, GUEST.id, private=True)
        await until(lambda: s.away.heard == [SawUser(GUEST.id, GUEST.name, NOW)])


@pytest.mark.parametrize("sender", [Person(GROUP, "x", anonymous=True), Person(-1009, "A channel")])
async def test_who_speaks_for_a_group_or_a_channel_is_no_person(sender: Person) -> None:
    async with stage() as s:
        await s.say("/ping", sender)
        await until(lambda: s.away.heard)
        assert s.away.heard == [SAW_GROUP]


@pytest.mark.parametrize("text", ["hello", "/nosuch", "/ping@other_bot"])
async def test_what_is_no_command_of_ours_is_no_use_of_the_bot(text: str) -> None:
    async with stage() as s:
        s.type(text, GUEST)
        await s.say("/ping", ADMIN)
        await until(lambda: len(s.away.heard) == 2)
        assert SawUser(ADMIN.id, ADMIN.name, NOW) in s.away.heard


async def test_a_command_that_was_not_accepted_is_not_noted() -> None:
    async with stage(per_person=Rate(1, 1000.0)) as s:
        await s.say("/ping", GUEST)
        await until(lambda: len(s.away.heard) == 2)
        await s.say("/ping", GUEST)  # too fast
        await s.say("/play x", ADMIN, ADMIN.id, private=True)  # not there
        await anyio.sleep(0.01)
        assert len(s.away.heard) == 2


async def test_a_store_that_is_full_costs_the_note_and_nothing_else() -> None:
    lines: list[str] = []
    sink = logger.add(lines.append, format="{level} {message}", level="WARNING")
    async with stage() as s:
        s.away.gate = anyio.Event()
        for _ in range(10):
            assert "Pong" in await s.say("/ping", GUEST)
        s.away.gate.set()
    logger.remove(sink)
    assert set(lines) == {f"WARNING that {GROUP} was served is not noted: MailboxFull\n"}


async def test_a_store_that_is_gone_costs_the_note_and_nothing_else() -> None:
    lines: list[str] = []
    sink = logger.add(lines.append, format="{level} {message}", level="WARNING")
    async with stage() as s:
        await s.services.stop("store")
        assert "Pong" in await s.say("/ping", GUEST)
        assert "just restarting" in await s.say("/favourites", GUEST)
    logger.remove(sink)
    assert set(lines) == {f"WARNING that {GROUP} was served is not noted: ActorStopped\n"}


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])  # in real time: there is a thread in it
async def test_the_real_store_remembers_who_was_served() -> None:
    async with stage(kept=True) as s:
        await s.say("/ping", GUEST)
        await s.say("/ping", ADMIN)
        chats = await s.desk.store.ask(Recall(lambda store: store.chats()), within=5)
        users = await s.desk.store.ask(Recall(lambda store: store.users()), within=5)
        assert [(each.id, each.name) for each in chats] == [(GROUP, TITLE)]
        assert [(each.id, each.name) for each in users] == [(ADMIN.id, "Ada"), (GUEST.id, "Gus")]
