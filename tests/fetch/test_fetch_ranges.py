"""What a host says of the part that it sends, and what it sends: only what both agree on is taken."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager

import anyio
import attrs
import pytest

from ryzen.errors import TrackError, TrackTrouble
from ryzen.fetch.host import Host, Link, Patience
from ryzen.fetch.ranges import Reading

pytestmark = pytest.mark.anyio
SONG = bytes(range(256)) * 8


@attrs.frozen
class Said:
    """An answer; ``body`` ends in order."""

    status: int
    body: bytes
    headers: dict[str, str] = attrs.Factory(dict)
    url: str = "https://songs.example/"

    async def chunks(self) -> AsyncIterator[bytes]:
        for at in range(0, len(self.body), 100):
            yield self.body[at : at + 100]


class Speaker:
    """``getting.Getter``: says these in turn, the last for ever, or what ``SONG`` has of what is asked."""

    def __init__(self, *said: Said, total: str = "*", most: int = 1 << 30) -> None:
        self.said, self.total, self.most = list(said), total, most
        self.asked: list[str | None] = []

    @asynccontextmanager
    async def get(
        self, url: str, *, headers: Sequence[tuple[str, str]] = (), proxied: bool = False
    ) -> AsyncIterator[Said]:
        span = dict(headers).get("Range")
        self.asked.append(span)
        if self.said:
            yield self.said.pop(0) if len(self.said) > 1 else self.said[0]
        else:
            yield self._part(span or "bytes=0-")

    def _part(self, span: str) -> Said:
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", span)
        assert match
        first, end = int(match[1]), min(int(match[2] or len(SONG)) + 1, len(SONG))
        if first >= len(SONG):
            return Said(416, b"", {"content-range": f"bytes */{self.total}"})
        body = SONG[first : min(end, first + self.most)]
        return Said(206, body, {"content-range": f"bytes {first}-{end - 1}/{self.total}"})


async def read(speaker: Speaker, **how: int) -> bytes:
    async def at_once(_: float) -> None:
        await anyio.sleep(0)

    host = Host(speaker, Link("https://songs.example/"), Patience(sleep=at_once), "tube")
    reading = Reading(host, **how)  # type: ignore[arg-type]
    return b"".join([chunk async for chunk in reading.chunks()])


@pytest.mark.parametrize("total", ["*", str(len(SONG))])
@pytest.mark.parametrize("most", [1 << 30, 70])
@pytest.mark.parametrize("span", [None, 300, len(SONG), 5000])
async def test_every_byte_comes_once_whatever_the_host_sends_at_once(
    total: str, most: int, span: int | None
) -> None:
    """A part that ends early, in order, and without a word of how much there is, is not the end of it all."""
    speaker = Speaker(total=total, most=most)
    how = {} if span is None else {"span": span}
    assert await read(speaker, at=1, **how) == SONG[1:]


class Clock:
    """Is put forward by whoever takes his time."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@attrs.frozen
class Dripping(Said):
    """``piece`` bytes every ``pause`` seconds."""

    clock: Clock = attrs.field(kw_only=True)
    piece: int = attrs.field(kw_only=True)
    pause: float = attrs.field(kw_only=True)

    async def chunks(self) -> AsyncIterator[bytes]:
        for at in range(0, len(self.body), self.piece):
            self.clock.now += self.pause
            yield self.body[at : at + self.piece]


@pytest.mark.parametrize(
    ("piece", "pause", "enough"), [(1, 14.0, False), (100, 14.0, False), (1000, 3.0, True)]
)
async def test_a_host_that_drips_is_given_up_and_one_that_is_slow_is_not(
    piece: int, pause: float, enough: bool
) -> None:
    """And what the reader takes his time for is not held against it."""
    clock = Clock()
    song = bytes(100_000)
    host = Host(
        Speaker(Dripping(200, song, clock=clock, piece=piece, pause=pause)),
        Link("https://songs.example/"),
        Patience(clock=clock),
        "tube",
    )
    came = 0

    async def listen() -> None:
        nonlocal came
        async with aclosing(Reading(host).chunks()) as chunks:
            async for chunk in chunks:
                came += len(chunk)
                clock.now += 3600

    if enough:
        await listen()
        assert came == len(song)
    else:
        with pytest.raises(TrackError, match="next to nothing"):
            await listen()
        assert came < 1000


@pytest.mark.parametrize(
    "content_range",
    [
        "bytes 10-5/2048",
        "bytes 0-2048/2048",
        "bytes 0-99/50",
        "bytes 1-99/2048",
        "bytes 0-99",
        "bytes 0-/2048",
        "bytes -99/2048",
        "bytes */2048",
        "octets 0-99/2048",
        "",
    ],
)
async def test_a_part_that_cannot_be_is_not_taken(content_range: str) -> None:
    speaker = Speaker(Said(206, SONG, {"content-range": content_range}))
    with pytest.raises(TrackError) as failed:
        await read(speaker, span=100)
    assert failed.value.trouble is TrackTrouble.UNREACHABLE


async def test_an_answer_that_turns_back_on_itself_is_not_taken_in_the_middle_either() -> None:
    first = Said(206, SONG[:100], {"content-range": "bytes 0-99/2048"})
    speaker = Speaker(first, Said(206, SONG, {"content-range": "bytes 100-50/2048"}))
    with pytest.raises(TrackError, match="cannot be"):
        await read(speaker, span=100)
    assert speaker.asked[:2] == ["bytes=0-99", "bytes=100-199"]
