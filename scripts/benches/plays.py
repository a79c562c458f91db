"""N groups send /play in the same instant, over and over: each must be heard, and soon."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import anyio
from loguru import logger
from rig import Rig, rig, write_tone

TOO_LATE = 1.0  #: seconds


async def soak(rounds: int, groups: int) -> int:
    heard: list[float] = []
    late = 0
    with tempfile.TemporaryDirectory(prefix="ryzen-soak-") as folder:
        for number in range(groups):
            write_tone(Path(folder) / f"group {number + 1}.wav", 500 + 100 * number)
        async with rig(groups, Path(folder)) as r:
            for round_ in range(rounds):
                waits = await _round(r)
                heard += waits
                late += sum(wait > TOO_LATE for wait in waits)
                print(
                    f"{round_ + 1:3}: {' '.join(f'{wait * 1000:.0f}' for wait in sorted(waits))}", flush=True
                )
                await r.quiet(r.stage.groups)
                await anyio.sleep(1.5)
    heard.sort()
    figures = {
        "rounds": rounds,
        "groups": groups,
        "p50_ms": round(heard[len(heard) // 2] * 1000),
        "p99_ms": round(heard[len(heard) * 99 // 100] * 1000),
        "max_ms": round(heard[-1] * 1000),
        "late": late,
    }
    print(json.dumps(figures))
    return late


async def _round(r: Rig) -> list[float]:
    said = {group: await r.say(f"/play {group.title}", group) for group in r.stage.groups}
    waits: list[float] = []
    for number, group in enumerate(r.stage.groups):
        with anyio.fail_after(20):
            while True:
                peer = r.stage.peer(group)
                if peer is not None and (at := peer.heard_at(500 + 100 * number, said[group])) is not None:
                    waits.append(at - said[group])
                    break
                await anyio.sleep(0.01)
    return waits


if __name__ == "__main__":
    parser = argparse.ArgumentParser("scripts/soak plays", description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--groups", type=int, default=10)
    given = parser.parse_args()
    logger.remove()
    logger.add(sys.stderr, level="WARNING")
    sys.exit(1 if anyio.run(soak, given.rounds, given.groups) else 0)
