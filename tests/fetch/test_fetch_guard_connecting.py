"""The guard connects to the very addresses that it has looked up and judged."""

import anyio
import pytest
from fetch_stage import Stage, StageNetwork

from ryzen.errors import WebError, WebForbidden
from ryzen.fetch.guard import Guard
from ryzen.outside import Stream

pytestmark = pytest.mark.anyio


class Hung(StageNetwork):
    """Addresses in ``deaf`` never answer, names in ``lost`` are looked up for ever."""

    deaf: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()

    async def lookup(self, host: str, port: int) -> tuple[str, ...]:
        if host in self.lost:
            await anyio.sleep_forever()
        return await super().lookup(host, port)

    async def connect(self, address: str, port: int) -> Stream:
        if address in self.deaf:
            self.connects.append((address, port))
            await anyio.sleep_forever()
        return await super().connect(address, port)


async def say_nothing(reader: object, writer: object) -> None:
    pass


async def test_a_name_server_that_changes_its_mind_is_asked_once(stage: Stage) -> None:
    address = await stage.serve_raw("evil.example", say_nothing)
    stage.network.names["evil.example"] = [(address,), ("127.0.0.1",)]
    _, writer = await Guard(stage.network).open("evil.example", 80)
    writer.transport.abort()
    assert stage.network.lookups == ["evil.example"]
    assert stage.network.connects == [(address, 80)]


@pytest.mark.parametrize(
    "addresses",
    [("10.0.0.1",), ("93.184.0.1", "127.0.0.1"), ("::1", "93.184.0.1"), ("169.254.169.254",), ("nonsense",)],
)
async def test_one_private_address_and_none_is_tried(addresses: tuple[str, ...]) -> None:
    network = StageNetwork()
    network.names["evil.example"] = [addresses]
    with pytest.raises(WebForbidden, match=r"evil\.example is not on the public internet"):
        await Guard(network).open("evil.example", 80)
    assert network.connects == []


async def test_a_literal_address_is_judged_without_a_look_up() -> None:
    network = StageNetwork()
    with pytest.raises(WebForbidden, match=r"127\.0\.0\.1"):
        await Guard(network).open("0x7f000001", 80)
    with pytest.raises(WebError):
        await Guard(network).open("134744072", 80)
    assert network.lookups == []
    assert network.connects == [("8.8.8.8", 80)]


async def test_a_port_of_other_services_is_refused_before_any_look_up() -> None:
    network = StageNetwork()
    with pytest.raises(WebForbidden, match="port 6379"):
        await Guard(network).open("redis.example", 6379)
    assert network.lookups == []


async def test_the_next_address_is_tried_if_one_refuses_or_does_not_answer(stage: Stage) -> None:
    address = await stage.serve_raw("songs.example", say_nothing)
    network = Hung()
    network.ports = stage.network.ports
    network.deaf = frozenset({"93.184.9.1"})
    network.names["songs.example"] = [("93.184.9.1", "93.184.9.2", address)]
    _, writer = await Guard(network, connect=0.3).open("songs.example", 80)
    writer.transport.abort()
    assert [tried for tried, _ in network.connects] == ["93.184.9.1", "93.184.9.2", address]


async def test_of_many_deaf_addresses_four_are_tried_in_the_time_of_one() -> None:
    network = Hung()
    addresses = tuple(f"93.184.9.{number}" for number in range(1, 30))
    network.deaf = frozenset(addresses)
    network.names["deaf.example"] = [addresses]
    with anyio.fail_after(5), pytest.raises(WebError, match=r"deaf\.example does not answer"):
        await Guard(network, connect=0.1).open("deaf.example", 80)
    assert [tried for tried, _ in network.connects] == list(addresses[:4])


@pytest.mark.parametrize("name", ["lost.example", "unknown.example", "empty.example"])
async def test_a_name_without_an_answer_is_said_to_be_unknown(name: str) -> None:
    network = Hung()
    network.lost = frozenset({"lost.example"})
    network.names["empty.example"] = [()]
    with anyio.fail_after(5), pytest.raises(WebError, match=f"{name} is not known") as failed:
        await Guard(network, lookup=0.05).open(name, 80)
    assert not isinstance(failed.value, WebForbidden)
