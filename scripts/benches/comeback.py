"""N groups play, the bot ends and comes back: each must be heard again, in its own song, where it was."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import anyio
import attrs
from loguru import logger
from rig import Rig, rig, write_sweep

from ryzen.sandbox.box import Group, Kind
from ryzen.sandbox.media import Peer

#: Each group's song begins so many Hz above the last one's and rises as fast as they do, so that what is
#: heard tells both whose song it is and where in it we are.
FROM, APART, RISE = 300.0, 30.0, 20.0
#: Seconds: of a song; that all may take to be heard again; that a position may be off.
LONG, WITHIN, OFF = 100.0, 60.0, {"kill": 1.0, "stop": 0.2}


@attrs.frozen
class Place:
    """Where in its song a group was at a moment (``time.monotonic``), in seconds."""

    moment: float
    position: float

    def at(self, moment: float) -> float:
        return self.position + moment - self.moment


@attrs.define
class Round:
    back_ms: list[int] = attrs.Factory(list)  #: from the new process' start to its first sound
    off: list[float] = attrs.Factory(list)  #: seconds by which it was in another place
    wrong: list[str] = attrs.Factory(list)


async def comeback(groups: int, rounds: int, end: str, rate: str) -> bool:
    every: list[Round] = []
    more = {"RESUME_RATE": rate}
    if url := os.environ.get("DATABASE_URL"):
        more["DATABASE_URL"] = url
    with tempfile.TemporaryDirectory(prefix="ryzen-comeback-") as folder:
        for number in range(groups):
            write_sweep(Path(folder) / f"song {number + 1}.wav", FROM + APART * number, RISE, LONG)
        async with rig(groups, Path(folder), **more) as r:
            for _ in range(rounds):
                every.append(await _round(r, end))
                print(json.dumps(_figures(every[-1])), flush=True)
    total = Round()
    for each in every:
        total.back_ms += each.back_ms
        total.off += each.off
        total.wrong += each.wrong
    print(json.dumps({"groups": groups, "rounds": rounds, "end": end, "rate": float(rate)} | _figures(total)))
    return not total.wrong


async def _round(r: Rig, end: str) -> Round:
    done = Round()
    stage = r.stage
    for number, group in enumerate(stage.groups):
        await r.say(f"/play song {number + 1}", group)
        await r.say(f"/play song {(number + 1) % len(stage.groups) + 1}", group)
        await r.say(f"/play song {(number + 2) % len(stage.groups) + 1}", group)
    for group in stage.groups:
        with anyio.fail_after(WITHIN):
            while (peer := stage.peer(group)) is None or peer.hears(seconds=1.0).rms < 0.05:
                await anyio.sleep(0.05)
    await anyio.sleep(6.0)
    lines = [await _line(r, group) for group in stage.groups]
    cards = [_cards(group) for group in stage.groups]
    await anyio.sleep(1.0)
    places = await _places(r)
    old = [stage.peer(group) for group in stage.groups]
    ended = time.monotonic()
    if end == "kill":
        await r.bot.kill()
    elif (code := await r.bot.stop()) != 0:
        done.wrong.append(f"it ended with {code}")
    left = [
        place.at(_last_sound(peer, ended))
        for place, peer in zip(places, old, strict=True)
        if peer is not None
    ]
    await r.bot.start()
    await _listen(r, left, OFF[end], done)
    await anyio.sleep(3.0)
    for group, line, card in zip(stage.groups, lines, cards, strict=True):
        if _cards(group) != card or len(card) != 1:
            done.wrong.append(f"{group.title}: the cards were {card} and are {_cards(group)}")
        if (found := await _line(r, group)) != line:
            done.wrong.append(f"{group.title}: the queue was {line} and is {found}")
    await r.quiet(stage.groups)
    await anyio.sleep(1.0)
    return done


async def _places(r: Rig) -> list[Place]:
    since = time.monotonic()
    await anyio.sleep(0.4)
    return [
        Place(since + 0.2, _position(r, group, number, since)) for number, group in enumerate(r.stage.groups)
    ]


def _position(r: Rig, group: Group, number: int, since: float) -> float:
    peer = r.stage.peer(group)
    assert peer is not None
    heard = peer.hears(since, until=since + 0.4)  # the loudest tone is that of the middle
    return (heard.hz - FROM - APART * number) / RISE


def _last_sound(peer: Peer, since: float) -> float:
    """When it was last heard, to a packet."""
    moment = since
    while peer.hears(moment, until=moment + 0.06).rms > 0.05:
        moment += 0.02
    return moment


async def _listen(r: Rig, left: list[float], off: float, done: Round) -> None:
    """``left`` is where in its song each group was when it was last heard, in seconds."""
    started = r.bot.started_at
    waiting = dict(enumerate(r.stage.groups))
    with anyio.move_on_after(WITHIN):
        while waiting:
            for number, group in list(waiting.items()):
                peer = r.stage.peer(group)
                first = None if peer is None else peer.first_sound_at
                if first is None or first < started or time.monotonic() < first + 1.0:
                    continue
                del waiting[number]
                done.back_ms.append(round((first - started) * 1000))
                since = first + 0.5
                there = _position(r, group, number, since) - (since + 0.2 - first)
                done.off.append(there - left[number])
                if abs(done.off[-1]) > off:
                    done.wrong.append(f"{group.title} went on {done.off[-1]:.2f} s off")
            await anyio.sleep(0.05)
    done.wrong += [f"{group.title} was not heard again" for group in waiting.values()]


async def _line(r: Rig, group: Group) -> list[str]:
    """What waits in this group."""
    asked = await r.say("/queue", group)
    with anyio.fail_after(WITHIN):
        while True:
            for entry in r.stage.box.transcript.of(group.chat_id):
                if entry.at > asked and entry.kind is Kind.MESSAGE and "1." in entry.text:
                    return entry.text.splitlines()[1:]
            await anyio.sleep(0.02)


def _cards(group: Group) -> list[int]:
    return [message.id for message in group.ledger.messages.values() if message.buttons]


def _figures(done: Round) -> dict[str, object]:
    back, off = sorted(done.back_ms), sorted(map(abs, done.off))
    return {
        "heard_again": len(back),
        "back_p50_ms": back[len(back) // 2] if back else None,
        "back_max_ms": back[-1] if back else None,
        "off_p50_s": round(off[len(off) // 2], 3) if off else None,
        "off_max_s": round(off[-1], 3) if off else None,
        "wrong": done.wrong,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser("scripts/soak comeback", description=__doc__)
    parser.add_argument("--groups", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--end", choices=tuple(OFF), default="kill")
    parser.add_argument("--rate", default="5", help="RESUME_RATE: chats a second")
    given = parser.parse_args()
    logger.remove()
    logger.add(sys.stderr, level="WARNING")
    sys.exit(0 if anyio.run(comeback, given.groups, given.rounds, given.end, given.rate) else 1)
