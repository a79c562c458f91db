"""The bot's process, seen from the demo: started, killed, started again."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from subprocess import PIPE
from typing import Any

import anyio
import attrs
from anyio.abc import Process, TaskGroup
from anyio.streams.text import TextReceiveStream

from ryzen.errors import RyzenError
from ryzen.sandbox.demo.bot import ADDRESS, INTERNET
from ryzen.sandbox.demo.stage import Stage

#: Seconds until a killed bot is started again.
RESTART_AFTER = 1.0
#: Seconds that a bot may take to be ready, and to stop when asked to.
READY_WITHIN, STOP_WITHIN = 60.0, 20.0

Line = Mapping[str, Any]


class DemoError(RyzenError):
    """The demo cannot do this; says why."""


class BotProcess:
    """``on_line`` is given every JSON line that the bot says. Runs its readers in ``tasks``.

    One line is of our own: ``{"kind": "ended", "code"}``, when the process ends and nobody here has ended it.
    """

    def __init__(
        self, stage: Stage, settings: Mapping[str, str], tasks: TaskGroup, on_line: Callable[[Line], None]
    ) -> None:
        key = attrs.asdict(stage.box.rsa.public)
        address = {"host": stage.box.host, "port": stage.box.port, "key": key}
        internet = {"network": stage.internet.describe(), "authorities": str(stage.internet.authorities)}
        self.environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONPATH": os.pathsep.join(sys.path),
            ADDRESS: json.dumps(address),
            INTERNET: json.dumps(internet),
            **stage.environment(),
            **settings,
        }
        self._tasks, self._on_line = tasks, on_line
        self.started_at = 0.0  #: the present process, on ``time.monotonic``
        self._process: Process | None = None
        self._turn = anyio.Lock()  # orders and the stop wait until a killed bot is back
        self._up = False  # it is meant to run, and has been ready
        self._ready = anyio.Event()
        self._report: Line = {}
        self._reported = anyio.Event()

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    async def start(self) -> None:
        """Returns when the bot is ready. Raises DemoError if it ends instead, or takes too long."""
        ready = self._ready = anyio.Event()
        self.started_at = time.monotonic()
        command = [sys.executable, "-m", "ryzen.sandbox.demo.bot"]
        process = self._process = await anyio.open_process(
            command, stdin=PIPE, stdout=PIPE, stderr=None, env=self.environment, start_new_session=True
        )
        self._tasks.start_soon(self._listen, process, ready)
        with anyio.move_on_after(READY_WITHIN):
            await ready.wait()
        if process.returncode is not None:
            raise DemoError(f"the bot did not come up (exit code {process.returncode}): it said why above")
        if not ready.is_set():
            raise DemoError(f"the bot was not ready within {READY_WITHIN:g} s: is this machine very busy?")
        self._up = True

    async def restart(self) -> None:
        """kill -9, and a second later a new one. Raises DemoError if it does not come up."""
        async with self._turn:
            await self.kill()
            await anyio.sleep(RESTART_AFTER)
            await self.start()

    async def order(self, **order: object) -> None:
        """Have it make trouble, or tell how it is; see ``ryzen.sandbox.demo.bot``.

        Raises DemoError if it is gone.
        """
        async with self._turn:
            if self._process is None:
                raise DemoError("the bot is not running")
            assert self._process.stdin is not None
            try:
                await self._process.stdin.send(json.dumps(order).encode() + b"\n")
            except (anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
                raise DemoError("the bot is not running") from error

    async def report(self) -> Line:
        """How it is: see ``ryzen.sandbox.demo.bot``."""
        self._reported = anyio.Event()
        await self.order(do="report")
        await self._reported.wait()
        return self._report

    async def kill(self) -> None:
        """kill -9: it gets no chance to say goodbye."""
        assert self._process is not None
        self._up = False
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    async def stop(self) -> int:
        """SIGTERM; its exit code. Killed if it does not end in time, which is -9."""
        async with self._turn:
            assert self._process is not None
            process, self._up = self._process, False
            if process.returncode is None:
                process.terminate()
            with anyio.move_on_after(STOP_WITHIN):
                return await process.wait()
            process.kill()
            return await process.wait()

    async def wait(self) -> int:
        """Its exit code, when it ends by itself."""
        assert self._process is not None
        return await self._process.wait()

    def send_signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    async def _listen(self, process: Process, ready: anyio.Event) -> None:
        assert process.stdout is not None
        try:
            rest = ""
            async for text in TextReceiveStream(process.stdout):
                *lines, rest = (rest + text).split("\n")
                for line in lines:
                    self._take(line, ready)
            code = await process.wait()
            ready.set()  # whoever waits for it need not wait any longer
            if self._up and process is self._process:
                self._up = False
                self._on_line({"kind": "ended", "code": code})
        finally:
            with anyio.CancelScope(shield=True):
                if process.returncode is None:
                    process.kill()
                await process.aclose()

    def _take(self, text: str, ready: anyio.Event) -> None:
        try:
            line = json.loads(text)
        except ValueError:  # a native library that prints
            print(text, file=sys.stderr)
            return
        if line["kind"] == "ready":
            ready.set()
        elif line["kind"] == "report":
            self._report = line
            self._reported.set()
        self._on_line(line)
