"""The relay behind the door, where a test through the door would depend on who is faster."""

import asyncio

import pytest
from fetch_stage import listening

from ryzen.fetch.relay import Relay
from ryzen.outside import Stream

pytestmark = pytest.mark.anyio


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def pair(port: int) -> Stream:
    return await asyncio.open_connection("127.0.0.1", port)


async def test_to_a_client_that_has_gone_nothing_more_is_written(caplog: pytest.LogCaptureFixture) -> None:
    """However much of it is here already: asyncio would log a line for each further piece."""
    async with listening(silent) as port:
        client, server = await pair(port), await pair(port)
        server[0].feed_data(bytes(1 << 20))
        client[1].transport.abort()
        came: list[int] = []
        relay = Relay(client, server, idle=5.0, most=None, up=None, count=came.append)
        assert not await relay.run()
        assert sum(came) < 1 << 20
        server[1].transport.abort()
        await asyncio.sleep(0)
    assert caplog.records == []
