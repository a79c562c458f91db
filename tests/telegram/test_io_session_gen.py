"""Laws of scripts/session-gen.py: the real script, a real key exchange, a person who types."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import attrs
import pytest
from anyio.abc import Process
from io_stage import PATIENCE, Street, street

pytestmark = pytest.mark.anyio
SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "session-gen.py"
PHONE, PASSWORD = "79990000301", "correct horse"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@attrs.define
class Terminal:
    """The script, and what it has written; ``read`` is how much of that has been looked at."""

    process: Process
    written: str = ""
    _read: int = 0

    async def sees(self, text: str) -> None:
        """Wait until the script writes this."""
        with anyio.fail_after(4 * PATIENCE):
            while text not in self.written[self._read :]:
                assert self.process.stdout is not None
                self.written += (await self.process.stdout.receive()).decode()
        self._read = self.written.index(text, self._read) + len(text)

    async def types(self, line: str) -> None:
        assert self.process.stdin is not None
        await self.process.stdin.send(f"{line}\n".encode())

    async def ends(self) -> int:
        assert self.process.stdout is not None
        with anyio.fail_after(4 * PATIENCE):
            async for more in self.process.stdout:
                self.written += more.decode()
            return await self.process.wait()


@asynccontextmanager
async def script(town: Street, folder: Path, *options: str) -> AsyncIterator[Terminal]:
    key = attrs.asdict(town.box.rsa.public)
    address = json.dumps({"host": town.box.host, "port": town.box.port, "key": key})
    environment = {name: value for name, value in os.environ.items() if name not in ("API_ID", "API_HASH")}
    async with await anyio.open_process(
        [sys.executable, str(SCRIPT), *options],
        env={**environment, "RYZEN_LOCAL_TELEGRAM": address, "API_HASH": "x"},
        cwd=folder,
        stderr=subprocess.STDOUT,
    ) as process:
        try:
            yield Terminal(process)
        finally:
            if process.returncode is None:
                process.kill()


async def test_a_login_with_code_and_password_makes_a_session_that_works(tmp_path: Path) -> None:
    async with street() as town:
        town.box.world.users[town.helper.id] = helper = town.box.add_user(
            301, "Helper", "helper", phone=PHONE, password=PASSWORD
        )
        async with script(town, tmp_path) as terminal:
            await terminal.sees("API id: ")
            await terminal.types("1")
            await terminal.sees("Phone number: ")
            await terminal.types("+1")
            await terminal.sees("no such number")
            await terminal.sees("Phone number: ")
            await terminal.types(f"+{PHONE}")
            await terminal.sees("Code: ")
            await terminal.types("00000")
            await terminal.sees("That is not the code. Once more.")
            await terminal.sees("Code: ")
            await terminal.types(helper.login_code)
            await terminal.sees("Two-step password")
            await terminal.types("battery staple")
            await terminal.sees("That is not the password. Once more.")
            await terminal.sees("Two-step password")
            await terminal.types(PASSWORD)
            await terminal.sees("This string IS the account")
            assert await terminal.ends() == 0
        session = max(terminal.written.split(), key=len)
        assert terminal.written.count(session) == 1
        assert PASSWORD not in terminal.written
        account = town.access.assistant(session)
        await account.start()
        assert account.id == helper.id
        await account.stop()
        assert list(tmp_path.iterdir()) == []


async def test_three_wrong_codes_are_the_end(tmp_path: Path) -> None:
    async with street() as town:
        town.box.add_user(302, "Nina", phone=PHONE)
        async with script(town, tmp_path, "--api-id", "1", "--phone", PHONE) as terminal:
            for _ in range(3):
                await terminal.sees("Code: ")
                await terminal.types("00000")
            assert await terminal.ends() == 2
        assert "Three wrong answers" in terminal.written
        assert "Traceback" not in terminal.written


async def test_a_flood_is_said_and_so_is_an_end_of_input(tmp_path: Path) -> None:
    async with street() as town:
        town.box.faults.flood("auth.SendCode", 600, times=1)
        async with script(town, tmp_path, "--api-id", "1", "--phone", PHONE) as terminal:
            assert await terminal.ends() == 2
        assert "wait 600 s" in terminal.written
        async with script(town, tmp_path, "--api-id", "1") as terminal:
            await terminal.sees("Phone number: ")
            assert terminal.process.stdin is not None
            await terminal.process.stdin.aclose()
            assert await terminal.ends() == 1
        assert "Nothing was made." in terminal.written
        assert "Traceback" not in terminal.written


async def test_an_interrupt_while_it_waits_for_an_answer_ends_it(tmp_path: Path) -> None:
    async with street() as town, script(town, tmp_path, "--api-id", "1") as terminal:
        await terminal.sees("Phone number: ")
        terminal.process.send_signal(signal.SIGINT)
        assert await terminal.ends() == 1
        assert "Nothing was made." in terminal.written
        assert "Traceback" not in terminal.written
