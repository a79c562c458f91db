"""A song of four minutes from a server of 300 kB/s which drops the connection every 1.2 MB: is every second
of it heard, and in its place? In real time."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from functools import partial
from pathlib import Path

import anyio
import attrs
from loguru import logger
from rig import Rig, rig, sweep

from ryzen.sandbox.internet.media import Manners
from ryzen.sandbox.internet.songs import Song, record
from ryzen.sandbox.internet.world import World, make_world
from ryzen.sandbox.media import Peer

#: What is heard tells the second.
FROM, RISE = 300.0, 10.0
RATE, CUT_EVERY = 300_000, 1_200_000
#: Seconds by which what is heard may be off what the clock says.
OFF = 0.3


@attrs.define
class Heard:
    seconds: set[int] = attrs.Factory(set)  #: of the song
    off: float = 0.0  #: the farthest that one was from its place
    gap: float = 0.0  #: the longest time without a packet, in seconds

    def take(self, peer: Peer, began: float, moment: float) -> None:
        """What came in the half second around a moment; ``began`` is when the song did."""
        heard = peer.hears(moment - 0.25, until=moment + 0.25)
        self.gap = max(self.gap, heard.gap)
        if heard.rms > 0.05:
            position = (heard.hz - FROM) / RISE
            self.off = max(self.off, abs(position - (moment - began)))
            self.seconds.add(round(position))


async def drops(length: int) -> bool:
    with tempfile.TemporaryDirectory(prefix="ryzen-drops-") as folder:
        song = Song("LongSweep_1", "Long Sweep", "Local Artist", partial(sweep, FROM, RISE, length))
        world = make_world(record(Path(folder), [song]), Manners(rate=RATE, cut_every=CUT_EVERY))
    async with rig(sites=world.sites) as r:
        heard, lost = await _listen(r, length)
        figures = _figures(world, heard, lost, len(r.stage.internet.asked("*.googlevideo.com")), length)
    print(json.dumps(figures))
    return not figures["missing"] and heard.off < OFF and lost == 0


async def _listen(r: Rig, length: int) -> tuple[Heard, int]:
    heard = Heard()
    said = await r.say("/play long sweep")
    began = await r.heard(FROM, r.group, said)
    peer = r.stage.peer(r.group)
    assert peer is not None
    lost = 0
    for second in range(1, length):
        await anyio.sleep_until(began + second + 1)
        heard.take(peer, began, began + second)
        lost = peer.lost
        if second % 30 == 0:
            print(json.dumps({"second": second, "off_s": round(heard.off, 3), "lost": lost}), flush=True)
    return heard, lost


def _figures(world: World, heard: Heard, lost: int, requests: int, length: int) -> dict[str, object]:
    return {
        "seconds": length,
        "missing": sorted(set(range(1, length)) - heard.seconds),
        "off_max_s": round(heard.off, 3),
        "gap_max_s": round(heard.gap, 3),
        "lost": lost,
        "requests": requests,
        "bytes": world.youtube.file("LongSweep_1").sent,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser("scripts/soak drops", description=__doc__)
    parser.add_argument("--length", type=int, default=240, help="seconds of the song")
    given = parser.parse_args()
    logger.remove()
    logger.add(sys.stderr, level="WARNING")
    sys.exit(0 if anyio.run(drops, given.length) else 1)
