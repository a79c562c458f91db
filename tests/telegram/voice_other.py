"""Another process of the same assistant, which somebody kills: ``python voice_other.py``.

Reads one JSON line: where the local Telegram is, a session string, and the chat in whose call it is to play.
Says ``playing`` when the engine reads, and goes on until it dies.
"""

from __future__ import annotations

import json
import sys

import anyio
from voice_stage import HumDeck, until

from ryzen.sandbox.box import local_connection
from ryzen.telegram.client import Access
from ryzen.telegram.voice import VoiceCalls


async def play(host: str, port: int, session: str, chat: int, hz: float) -> None:
    account = Access(1, "x", local_connection(host, port)).assistant(session)
    calls = VoiceCalls(account)
    await account.start()
    print("listening", flush=True)
    async with calls:
        await until(lambda: account.knows(chat))
        await calls.of(chat, lambda *_: None).join(HumDeck(hz))
        print("playing", flush=True)
        await anyio.sleep_forever()


if __name__ == "__main__":
    anyio.run(lambda: play(**json.loads(sys.stdin.readline())))
