"""The figures that the issues ask for. Quiet machine, please: everything here shares its cores.

play_first_rtp_ms   from `/play` in a group to the first RTP packet at the media server, 20 plays of a file
                    that is at hand, the assistant a member already
skip_ms             from `/skip` to the first packet in which the next tone is the loudest, 20 times
cores_per_stream    processor seconds per second and stream of bot, audio worker and nursery; the media server
                    and the local Telegram are in this process and not counted
rss_per_chat_mb     what each further playing chat adds to the memory of those processes (proportional sets)
tell_per_s, ask_per_s   in one process; pykka's actors are threads
durable_writes_per_s  changes, each awaited by its caller until SQLite has it on the disk
mongo               a flush of 1,000 players, single batches, how soon it is back after kills and holes
cpu_ms_per_command  processor time of the bot per /ping, beside a bare client that answers the same
first_pcm_…         from a resolved track of 240 s (3.7 MB) to its first sample at the engine's reader, from
                    a server of 200 kB/s and one of 1 MB/s: played while it comes, beside download-first;
                    5 times each
play_heard_ms       from `/play` to the sound in the group, from a server of 200 kB/s, by words, by a link,
                    and by words for what is cached already; 10 times each
loop_…_ms           how late the bot's event loop is with a tick every 10 ms, and how much of that it worked
                    itself, while twenty groups search, or play a link each, all at once; what another group
                    hears in that time
cancel_…, extract_ms  until the process of a job that nobody waits for is gone; a whole job, for comparison
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import PIPE

import anyio
import fetching
import mail
import mongo
import store
from rig import Rig, rig, spread

from ryzen.sandbox.demo.stage import Stage, set_stage

PLAYS = SKIPS = 20
STREAMS = (1, 10, 30)
LISTEN = 15.0  #: seconds over which the cost of streams is taken
PING_GROUPS, PING_ROUNDS = 20, 15


async def latencies() -> dict[str, object]:
    plays: list[float] = []
    skips: list[float] = []
    async with rig() as r:
        await _play(r)  # the first one brings the assistant in
        for _ in range(PLAYS):
            await r.quiet()
            await anyio.sleep(1.0)
            plays.append(await _play(r))
        for number in range(SKIPS):
            await r.say(f"/play tone {880 if number % 2 == 0 else 440}")
            await anyio.sleep(1.5)
            said = await r.say("/skip")
            skips.append((await r.new_tone(r.group, said) - said) * 1000)
            await anyio.sleep(0.5)
    return {"play_first_rtp_ms": spread(plays), "skip_ms": spread(skips)}


async def _play(r: Rig) -> float:
    said = await r.say("/play tone 440")
    return (await r.first_rtp(r.group, said) - said) * 1000


async def streams() -> dict[str, object]:
    cores: dict[str, float] = {}
    memory: dict[int, float] = {}
    for number in STREAMS:
        async with rig(number) as r:
            for group in r.stage.groups:
                said = await r.say("/play tone 440", group)
                await r.first_rtp(group, said)
            await anyio.sleep(3)
            before, began = r.cpu(), anyio.current_time()
            await anyio.sleep(LISTEN)
            cores[str(number)] = round((r.cpu() - before) / (anyio.current_time() - began) / number, 4)
            memory[number] = r.rss()
    least, most = STREAMS[0], STREAMS[-1]
    per_chat = (memory[most] - memory[least]) / (most - least)
    return {"cores_per_stream": cores, "rss_per_chat_mb": round(per_chat, 2)}


async def commands() -> dict[str, object]:
    async with rig(PING_GROUPS) as r:
        ours = await _cost(r.stage, r.cpu)
    async with set_stage(PING_GROUPS) as stage:
        address = json.dumps({"host": stage.box.host, "port": stage.box.port})
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "BENCH_TELEGRAM": address,
            "SESSION": stage.box.session_string(stage.bot.id),
        }
        program = str(Path(__file__).parent / "bare.py")
        async with await anyio.open_process([sys.executable, program], stdout=PIPE, env=environment) as bare:
            assert bare.stdout is not None
            await bare.stdout.receive()

            def cpu() -> float:
                fields = Path(f"/proc/{bare.pid}/stat").read_text().rpartition(")")[2].split()
                return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

            theirs = await _cost(stage, cpu)
            bare.terminate()
    return {"cpu_ms_per_command": {"ryzen": ours, "bare_client": theirs}}


async def _cost(stage: Stage, cpu: Callable[[], float]) -> float:
    """Milliseconds of processor time for one /ping and its answer; idling is taken off."""
    await anyio.sleep(2)
    before = cpu()
    await anyio.sleep(5)
    idle = (cpu() - before) / 5
    before, began = cpu(), anyio.current_time()
    for number in range(PING_ROUNDS):
        for group in stage.groups:
            await stage.box.say(group, stage.owner, "/ping")
        await anyio.sleep_until(began + 1.2 * (number + 1))
    await anyio.sleep(1)
    spent = cpu() - before - idle * (anyio.current_time() - began)
    answers = sum(entry.text.lower().find("pong") >= 0 for entry in stage.box.transcript)
    assert answers >= 0.95 * PING_ROUNDS * PING_GROUPS, f"only {answers} pings were answered"
    return round(spent * 1000 / answers, 2)


def main() -> None:
    parser = argparse.ArgumentParser(
        "scripts/bench", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print one object")
    parts: dict[str, Callable[[], dict[str, object]]] = {
        "mail": lambda: dict(mail.measure()),
        "store": lambda: dict(store.measure()),
        "mongo": lambda: {"mongo": anyio.run(mongo.measure)},
        "latencies": lambda: anyio.run(latencies),
        "commands": lambda: anyio.run(commands),
        "streams": lambda: anyio.run(streams),
        "fetching": lambda: dict(fetching.measure()),
    }
    parser.add_argument("--only", choices=tuple(parts), help="one part of it")
    given = parser.parse_args()
    figures: dict[str, object] = {}
    for name, measure in parts.items():
        if given.only in (None, name):
            print(f"{name} …", file=sys.stderr, flush=True)
            figures |= measure()
    if given.json:
        print(json.dumps(figures))
        return
    for name, figure in figures.items():
        shown = figure if not isinstance(figure, dict) else "   ".join(f"{k} {v}" for k, v in figure.items())
        print(f"{name:20}  {shown}")


if __name__ == "__main__":
    from loguru import logger

    logger.remove()
    logger.add(sys.stderr, level="WARNING")
    main()
