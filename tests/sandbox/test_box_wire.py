"""Bytes: transports, keys, sessions, and nothing but loopback."""

from __future__ import annotations

import asyncio
import struct
import subprocess
import sys

import anyio
import pytest
from boxes import F, T, town
from pyrogram import Client
from pyrogram.connection.transport import (
    TCP,
    TCPAbridged,
    TCPAbridgedO,
    TCPFull,
    TCPIntermediate,
    TCPIntermediateO,
    TCPIntermediatePadded,
)
from pyrogram.session import Auth

from ryzen.sandbox.box import Box, local_connection, trust

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"  # the client library runs on nothing else


@pytest.mark.parametrize(
    ("transport", "kind"),
    [
        (TCPAbridged, "abridged"),
        (TCPAbridgedO, "abridged-obfuscated"),
        (TCPIntermediate, "intermediate"),
        (TCPIntermediateO, "intermediate-obfuscated"),
        (TCPIntermediatePadded, "padded"),
        (TCPFull, "full"),
    ],
)
async def test_every_transport_of_the_client_carries_long_messages_both_ways(
    transport: type[TCP], kind: str
) -> None:
    async with town() as t:
        async with t.online(t.owner, protocol_factory=transport) as client:
            sent = await client.send_message(t.group.chat_id, "x" * 4000)
            assert (await client.get_messages(t.group.chat_id, sent.id)).text == "x" * 4000
        assert set(t.box.transports) == {kind}


async def test_a_client_without_a_session_exchanges_keys_from_scratch() -> None:
    async with town() as t:
        trust(t.box.rsa.public)
        async with t.client(bot_token="201:token") as bot:
            assert (await bot.get_me()).id == t.bot.id


async def test_a_client_that_does_not_trust_the_box_gives_up() -> None:
    async with town() as t:
        assert t.box.rsa.public.fingerprint  # this process has never been told to trust this one
        client = t.client()
        auth = Auth(client, 2, "unused", 0, False)
        auth.MAX_RETRIES = 0
        with pytest.raises(Exception, match="Public key not found"):
            await auth.create()


async def test_a_key_that_the_box_never_saw_is_answered_with_404() -> None:
    async with Box.serve() as box, await anyio.connect_tcp(box.host, box.port) as stream:
        await stream.send(b"\xef\x0a" + b"\x01" * 40)
        assert await stream.receive() == b"\x01" + struct.pack("<i", -404)
        with pytest.raises(anyio.EndOfStream):
            await stream.receive()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.1", "149.154.167.51", "::"])
async def test_the_box_listens_on_loopback_and_nowhere_else(host: str) -> None:
    with pytest.raises(ValueError, match="loopback"):
        async with Box.serve(host=host):
            pass


@pytest.mark.parametrize("host", ["0.0.0.0", "149.154.167.51"])
def test_a_client_is_pointed_at_loopback_and_nowhere_else(host: str) -> None:
    with pytest.raises(ValueError, match="loopback"):
        local_connection(host, 443)


async def test_whatever_data_centre_the_client_asks_for_it_reaches_the_box() -> None:
    async with town() as t:
        factory = local_connection(t.box.host, t.box.port)
        connection = factory(4, "149.154.167.91", 443, False)
        assert (connection.server_address, connection.port) == (t.box.host, t.box.port)


async def test_a_client_in_another_process_reaches_the_box() -> None:
    program = """
import asyncio, sys
from pyrogram import Client
from ryzen.sandbox.box import local_connection
async def main(host, port, session):
    connection = local_connection(host, int(port))
    async with Client("x", session_string=session, connection_factory=connection) as client:
        print((await client.get_me()).first_name)
asyncio.run(main(*sys.argv[1:]))
"""
    async with town() as t:
        arguments = [t.box.host, str(t.box.port), t.box.session_string(t.owner.id)]
        result = await anyio.run_process(
            [sys.executable, "-c", program, *arguments], stderr=subprocess.STDOUT
        )
        assert result.stdout.decode().strip() == "Olga"


async def test_closing_the_box_leaves_no_task_and_no_listener() -> None:
    before = asyncio.all_tasks()
    async with Box.serve() as box:
        box.add_user(1, "Olga")
        stream = await anyio.connect_tcp(box.host, box.port)
        await stream.send(b"\xef")
    with pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
        await stream.receive()
    await stream.aclose()
    assert asyncio.all_tasks() == before
    with pytest.raises(OSError):
        await anyio.connect_tcp(box.host, box.port)


async def test_nonsense_costs_one_connection_and_is_noted() -> None:
    async with Box.serve() as box:
        async with await anyio.connect_tcp(box.host, box.port) as stream:
            await stream.send(b"\xef\x05" + bytes(20))
            with pytest.raises(anyio.EndOfStream):
                await stream.receive()
        assert len(box.bugs) == 1
        owner = box.add_user(1, "Olga")
        connection = local_connection(box.host, box.port)
        async with Client(
            "x", session_string=box.session_string(owner.id), connection_factory=connection
        ) as client:
            assert (await client.get_me()).first_name == "Olga"


async def test_a_request_nobody_has_written_is_refused_and_noted() -> None:
    async with town() as t:
        async with t.online(t.owner) as client:
            with pytest.raises(Exception, match="INPUT_METHOD_INVALID"):
                await client.invoke(F.help.GetTermsOfServiceUpdate())
        assert t.box.unknown == {"help.GetTermsOfServiceUpdate"}
        t.box.unknown.clear()


async def test_vectors_of_small_objects_survive_the_clients_misreading() -> None:
    async with town() as t, t.online(t.owner) as client:
        users = await client.invoke(F.users.GetUsers(id=[T.InputUserSelf()]))
        assert [one.id for one in users] == [t.owner.id]
        await t.box.say(t.group, t.owner, "second")
        wanted = [T.InputMessageID(id=1), T.InputMessageID(id=2)]
        peer = await client.resolve_peer(t.group.chat_id)
        found = await client.invoke(F.channels.GetMessages(channel=peer, id=wanted))
        assert [one.id for one in found.messages] == [1, 2]


async def test_calls_are_counted_and_traced() -> None:
    async with town() as t:
        t.box.requests.trace = []
        async with t.online(t.bot):
            assert t.box.calls["updates.GetState"] == 1
        assert (t.bot.id, "updates.GetState") in t.box.requests.trace
