#!/usr/bin/env python3
"""Makes the session string of the account that is to join the voice chats.

    python scripts/session-gen.py [--api-id ID] [--api-hash HASH] [--phone NUMBER]

What is not given is taken from the environment (API_ID, API_HASH, PHONE), and asked for otherwise.
"""

from __future__ import annotations

import argparse
import getpass
import json
import logging
import os
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio.to_thread

from ryzen.errors import ConfigError
from ryzen.telegram.client import Access
from ryzen.telegram.login import AnswerError, Login, logging_in

R = TypeVar("R")

TRIES = 3
LOCAL_TELEGRAM = "RYZEN_LOCAL_TELEGRAM"  # as `ryzen demo` sets it: JSON of host, port, key

WARNING = """
This string IS the account: whoever has it can read and write in its name. It is shown only now.
Put it into your .env as SESSION=… and nowhere else; end it in Telegram under Settings, Devices.
"""


def main() -> int:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--api-id", default=os.environ.get("API_ID"), help="from https://my.telegram.org")
    options.add_argument(
        "--api-hash", default=os.environ.get("API_HASH"), help="from https://my.telegram.org"
    )
    options.add_argument(
        "--phone", default=os.environ.get("PHONE"), help="of the assistant, with country code"
    )
    given = options.parse_args()
    logging.disable()  # the library's own lines would only stand in the way
    try:
        print(
            "The assistant is a user account, best one of its own. API id and hash: https://my.telegram.org\n"
        )
        access = _access(given.api_id or ask("API id: "), given.api_hash or ask_hidden("API hash: "))
        print_session(anyio.run(log_in, access, given.phone))
    except ConfigError as error:
        print(f"\n{error}", file=sys.stderr)
        return 2
    except EOFError:
        print("\nNothing was made.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nNothing was made.", file=sys.stderr, flush=True)
        os._exit(1)  # a thread may sit in readline(), and Python would wait for the line
    return 0


def _access(api_id: str, api_hash: str) -> Access:
    if not api_id.isdigit():
        raise ConfigError(("The API id is a number: take it from https://my.telegram.org.",))
    local = os.environ.get(LOCAL_TELEGRAM)
    if local is None:
        return Access(int(api_id), api_hash)
    from ryzen.sandbox.box import PublicKey, local_connection, trust

    address = json.loads(local)
    trust(PublicKey(**address["key"]))
    return Access(int(api_id), api_hash, local_connection(address["host"], address["port"]))


async def log_in(access: Access, phone: str | None) -> str:
    """The session string. Raises ConfigError when it cannot be had, or too many answers were wrong."""
    async with logging_in(access) as login:
        numbers = iter([phone] if phone else [])
        way = await _thrice(lambda: next(numbers, None) or ask("Phone number: "), login.send_code)
        print(f"Telegram has sent a code ({way}).")
        if not await _thrice(lambda: ask("Code: "), login.sign_in):
            await _thrice_password(login)
        return await login.session_string()


async def _thrice_password(login: Login) -> None:
    hint = await login.hint()
    prompt = f"Two-step password ({hint}): " if hint else "Two-step password: "
    await _thrice(lambda: ask_hidden(prompt), login.check_password)


async def _thrice(question: Callable[[], str], step: Callable[[str], Awaitable[R]]) -> R:
    """Telegram keeps its connection while we wait for a person: the question is asked in a thread."""
    for left in reversed(range(TRIES)):
        try:
            return await step(await anyio.to_thread.run_sync(question, abandon_on_cancel=True))
        except AnswerError as error:
            print(error, "Once more." if left else "")
    raise ConfigError(("Three wrong answers: start again.",))


def ask(question: str) -> str:
    print(question, end="", flush=True)
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line.strip()


def ask_hidden(question: str) -> str:
    """Not shown on a terminal; read like anything else where there is none."""
    return getpass.getpass(question).strip() if sys.stdin.isatty() else ask(question)


def print_session(session: str) -> None:
    print(f"\n{session}\n{WARNING}")


if __name__ == "__main__":
    sys.exit(main())
