"""A bot with nothing but the client library: answers /ping. The yardstick for what a command costs."""

from __future__ import annotations

import asyncio
import json
import os

from pyrogram import Client, filters, idle

from ryzen.sandbox.box import local_connection


async def main() -> None:
    address = json.loads(os.environ["BENCH_TELEGRAM"])
    client = Client(
        "bare",
        session_string=os.environ["SESSION"],
        in_memory=True,
        connection_factory=local_connection(address["host"], address["port"]),
    )

    @client.on_message(filters.command("ping") & filters.group)
    async def ping(_: Client, message: object) -> None:
        await message.reply("pong")  # type: ignore[attr-defined]

    await client.start()
    print("ready", flush=True)
    await idle()


if __name__ == "__main__":
    asyncio.run(main())
