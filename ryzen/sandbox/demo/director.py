"""Carries a script out, and tells what is said and heard."""

from __future__ import annotations

import time
from typing import Any

import anyio
from anyio.abc import TaskGroup

from ryzen.sandbox.box import Entry, Group, Kind, RequestError
from ryzen.sandbox.demo.process import BotProcess, DemoError, Line
from ryzen.sandbox.demo.report import Report
from ryzen.sandbox.demo.script import Do, Press, Say, Step, Trouble
from ryzen.sandbox.demo.stage import Stage
from ryzen.sandbox.demo.trouble import TroubleMaker
from ryzen.sandbox.media import Peer

#: Seconds in which the sound of a command is listened for, and how often.
_LISTEN, _EVERY = 15.0, 0.02
#: Seconds after its start in which a killed bot must be heard again.
_BACK_WITHIN = 10.0
_GRAVE = {"ERROR", "CRITICAL"}


class Director:
    """One performance. ``began`` is the moment of «ready»; all times that are told count from it."""

    def __init__(self, stage: Stage, report: Report, tasks: TaskGroup) -> None:
        self._stage, self._report, self._tasks = stage, report, tasks
        self._began = time.monotonic()
        self._trouble: TroubleMaker | None = None
        self._gone = False
        self.errors: list[str] = []
        self.first_audio_ms: int | None = None
        self.skip_ms: list[int] = []
        self.back_ms: list[int] = []
        self._waiting: dict[int, float] = {}  # chat -> since when it should be heard again
        stage.box.transcript.subscribe(self._on_entry)

    def begin(self, bot: BotProcess) -> None:
        self._trouble = TroubleMaker(self._stage, bot)
        self._began = time.monotonic()
        self._report.emit("ready")
        self._tasks.start_soon(self._listen)

    def now(self) -> float:
        """Seconds since «ready»."""
        return self._since(time.monotonic())

    async def perform(self, steps: tuple[Step, ...], until: float) -> None:
        """All steps at their times; returns ``until`` seconds after «ready»."""
        for step in steps:
            await self._until(step.at)
            self.take(step)
        await self._until(until)

    def take(self, step: Step) -> None:
        """Begin a step now; it goes on by itself."""
        match step:
            case Say():
                self._tasks.start_soon(self._say, step)
            case Press():
                self._tasks.start_soon(self._press, step)
            case Do():
                self._tasks.start_soon(self._do, step)

    def on_line(self, line: Line) -> None:
        """Something that the bot's process says."""
        match line:
            case {"kind": "refused", "text": str(text)}:
                self._fault(text)
            case {"kind": "ended", "code": int(code)}:
                self._gone = True
                self._fault(f"the bot has ended by itself, with {code}")
                self.errors.append(f"the bot ended by itself, with {code}")
            case {"kind": "log", "level": level, "text": str(text)} if level in _GRAVE:
                self._remark(text)
                if self._trouble is None or not self._trouble.explains(text, time.monotonic()):
                    self.errors.append(text)
            case {"kind": "log", "level": "WARNING", "text": str(text)}:
                self._remark(text)

    def stopped_with(self, code: int) -> None:
        """The bot's exit code at the end; that of one which ended before has been told already."""
        if code != 0 and not self._gone:
            self.errors.append(f"the bot ended with {code}")

    def finish(self) -> list[str]:
        """Tell the sum of it; returns the errors that nothing explains, the local Telegram's own included."""
        box, now = self._stage.box, time.monotonic()
        self.errors += [
            f"chat {chat} is not heard again, {now - since:.0f} s after the bot's new start"
            for chat, since in self._waiting.items()
            if now - since > _BACK_WITHIN
        ]
        self.errors += [f"the local Telegram does not know {method}" for method in sorted(box.unknown)]
        self.errors += [f"a bug in the local Telegram: {bug}" for bug in box.bugs]
        self._report.emit(
            "summary",
            first_audio_ms=self.first_audio_ms,
            skip_ms=self.skip_ms,
            back_ms=self.back_ms,
            errors=self.errors,
        )
        return self.errors

    # -- steps
    async def _say(self, step: Say) -> None:
        group, said = self._group(step), time.monotonic()
        before = self._stage.peer(group)
        try:
            await self._stage.box.say(group, self._stage.person(step.who), step.text)
        except RequestError as error:
            self._fault(f"this could not be said: {error}")
            return
        word = step.text.split()[0].partition("@")[0]
        if (
            word in ("/play", "/p")
            and self.first_audio_ms is None
            and (not before or not before.first_sound_at)
        ):
            self._tasks.start_soon(self._time_first, group, said)
        elif word in ("/skip", "/next") and before is not None:
            self._tasks.start_soon(self._time_skip, before, said)

    async def _press(self, step: Press) -> None:
        group = self._group(step)
        card = self._stage.box.newest_card(group)
        if card is None:
            self._fault(f"there is no card to press {step.label!r} on")
            return
        try:
            await self._stage.box.press(group, self._stage.person(step.who), card.id, step.label)
        except (RequestError, LookupError) as error:
            self._fault(f"{step.label!r} could not be pressed: {error}")

    async def _do(self, step: Do) -> None:
        assert self._trouble is not None
        self._fault(str(step))
        sounding = self._sounding() if step.trouble is Trouble.KILL_BOT else []
        try:
            await self._trouble.make(step)
        except DemoError as error:
            self._fault(f"{step}: {error}")
            self.errors.append(f"{step}: {error}")
        else:
            if step.trouble is Trouble.KILL_BOT:
                self._remark("the bot is up again")
                for group in sounding:
                    self._tasks.start_soon(self._time_back, group, self._trouble.bot)

    def _sounding(self) -> list[Group]:
        """The groups in which something is heard just now."""
        peers = ((group, self._stage.peer(group)) for group in self._stage.groups)
        return [group for group, peer in peers if peer is not None and peer.hears().hz]

    def _group(self, step: Step) -> Group:
        return self._stage.groups[step.group - 1]

    def _fault(self, text: str) -> None:
        self._report.emit("fault", at=round(self.now(), 3), text=text)

    def _remark(self, text: str) -> None:
        if self._trouble is not None:  # before «ready» there is no time to count from
            self._report.remark(self.now(), text)

    # -- ears
    async def _listen(self) -> None:
        second = 0
        while True:
            second += 1
            await self._until(second)
            for group in self._stage.groups:
                if (peer := self._stage.peer(group)) is not None:
                    heard = peer.hears()
                    self._report.emit(
                        "heard",
                        at=round(self.now(), 3),
                        chat=group.chat_id,
                        hz=round(heard.hz, 1),
                        share=round(heard.share, 4),
                        rms=round(heard.rms, 4),
                        packets=heard.packets,
                        lost=heard.lost,
                    )

    async def _time_first(self, group: Group, said: float) -> None:
        with anyio.move_on_after(_LISTEN):
            while True:
                peer = self._stage.peer(group)
                if peer is not None and peer.first_sound_at is not None:
                    if self.first_audio_ms is None:
                        self.first_audio_ms = _ms(peer.first_sound_at - said)
                    return
                await anyio.sleep(_EVERY)

    async def _time_back(self, group: Group, bot: BotProcess) -> None:
        """How long after its start the new bot is heard where the old one was."""
        self._waiting[group.chat_id] = bot.started_at
        while True:
            peer = self._stage.peer(group)
            if peer is not None and (first := peer.first_sound_at) is not None and first > bot.started_at:
                ms = _ms(first - bot.started_at)
                self.back_ms.append(ms)
                del self._waiting[group.chat_id]
                self._report.emit("back", at=round(self.now(), 3), chat=group.chat_id, ms=ms)
                return
            await anyio.sleep(_EVERY)

    async def _time_skip(self, peer: Peer, said: float) -> None:
        with anyio.move_on_after(_LISTEN):
            while True:
                if (changed := peer.tone_changed_at(said)) is not None:
                    self.skip_ms.append(_ms(changed - said))
                    return
                await anyio.sleep(_EVERY)

    # -- eyes
    def _on_entry(self, entry: Entry) -> None:
        if self._trouble is None:  # «ready» is the first thing that is told
            return
        common: dict[str, Any] = {"at": round(self._since(entry.at), 3), "chat": entry.chat}
        match entry.kind:
            case Kind.MESSAGE | Kind.EDIT:
                common |= {"from": entry.sender, "text": entry.text, "buttons": list(entry.buttons)}
            case Kind.ALERT:
                common |= {"to": entry.sender, "text": entry.text}
            case _:
                return
        self._report.emit(entry.kind.value, **common)

    async def _until(self, moment: float) -> None:
        await anyio.sleep(max(0.0, moment - self.now()))

    def _since(self, moment: float) -> float:
        return moment - self._began


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
