"""The bot's process, seen from the demo: started, killed, started again."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from subprocess import PIPE
from typing import Any

import anyio
import attrs
from anyio.abc import Process, TaskGroup
from anyio.streams.text import TextReceiveStream

from ryzen.sandbox.demo.bot import ADDRESS
from ryzen.sandbox.demo.stage import Stage

#: Seconds until a killed bot is started again.
RESTART_AFTER = 1.0
#: Seconds that a bot may take to be ready, and to stop when asked to.
READY_WITHIN, STOP_WITHIN = 60.0, 20.0

Line = Mapping[str, Any]


class BotProcess:
    """``on_line`` is given every JSON line that the bot says. Runs its readers in ``tasks``."""

    def __init__(
        self, stage: Stage, settings: Mapping[str, str], tasks: TaskGroup, on_line: Callable[[Line], None]
    ) -> None:
        key = attrs.asdict(stage.box.rsa.public)
        address = {"host": stage.box.host, "port": stage.box.port, "key": key}
        self.environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONPATH": os.pathsep.join(sys.path),
            ADDRESS: json.dumps(address),
            **stage.environment(),
            **settings,
        }
        self._tasks, self._on_line = tasks, on_line
        self._process: Process | None = None
        self._ready = anyio.Event()
        self._report: Line = {}
        self._reported = anyio.Event()

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    async def start(self) -> None:
        """Returns when the bot is ready. Raises RuntimeError if it ends instead, or takes too long."""
        self._ready = anyio.Event()
        command = [sys.executable, "-m", "ryzen.sandbox.demo.bot"]
        process = self._process = await anyio.open_process(
            command, stdin=PIPE, stdout=PIPE, stderr=None, env=self.environment, start_new_session=True
        )
        self._tasks.start_soon(self._listen, process)
        with anyio.move_on_after(READY_WITHIN):
            await self._ready.wait()
        if not self._ready.is_set() or process.returncode is not None:
            raise RuntimeError("the bot did not come up; what it said is above")

    async def order(self, **order: object) -> None:
        """Have it make trouble, or tell how it is; see ``ryzen.sandbox.demo.bot``."""
        assert self._process is not None
        assert self._process.stdin is not None
        await self._process.stdin.send(json.dumps(order).encode() + b"\n")

    async def report(self) -> Line:
        """``worker``: the pid of its audio worker; ``handled``: messages of all its actors."""
        self._reported = anyio.Event()
        await self.order(do="report")
        await self._reported.wait()
        return self._report

    async def kill(self) -> None:
        """kill -9: it gets no chance to say goodbye."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()

    async def stop(self) -> int:
        """SIGTERM; its exit code. Killed if it does not end in time, which is -9."""
        assert self._process is not None
        process = self._process
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        with anyio.move_on_after(STOP_WITHIN):
            return await process.wait()
        process.kill()
        return await process.wait()

    async def _listen(self, process: Process) -> None:
        assert process.stdout is not None
        try:
            rest = ""
            async for text in TextReceiveStream(process.stdout):
                *lines, rest = (rest + text).split("\n")
                for line in lines:
                    self._take(json.loads(line))
            await process.wait()
            self._ready.set()  # whoever waits for it need not wait any longer
        finally:
            with anyio.CancelScope(shield=True):
                if process.returncode is None:
                    process.kill()
                await process.aclose()

    def _take(self, line: Line) -> None:
        if line["kind"] == "ready":
            self._ready.set()
        elif line["kind"] == "report":
            self._report = line
            self._reported.set()
        self._on_line(line)
