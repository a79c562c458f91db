"""What `--say` and `--do` say: who does what, and when. Parsed before anything starts, all errors at once."""

from __future__ import annotations

import enum
import re

import attrs

from ryzen.errors import ConfigError
from ryzen.sandbox.box.faults import Faults


@attrs.frozen
class Say:
    """Somebody writes into a group. ``group`` counts from 1; ``who`` is None for its owner."""

    at: float
    text: str
    group: int = 1
    who: str | None = None


@attrs.frozen
class Press:
    """Somebody presses the button of this label on the newest card of a group."""

    at: float
    label: str
    group: int = 1
    who: str | None = None


class Trouble(enum.StrEnum):
    """What `--do` can break."""

    KILL_BOT = "kill bot"
    KILL_WORKER = "kill worker"
    KILL_FETCHER = "kill fetcher"
    CRASH_CHAT = "crash chat"
    SILENCE_MEDIA = "silence media"
    FLOOD = "flood"
    DROP_CONNECTIONS = "drop connections"


@attrs.frozen
class Do:
    """Make trouble. ``seconds`` and ``method`` only where the trouble has them."""

    at: float
    trouble: Trouble
    group: int = 1
    seconds: float = 0.0
    method: str = ""

    def __str__(self) -> str:
        words = [str(self.trouble), self.method, f"{self.seconds:g}" if self.seconds else ""]
        return " ".join(word for word in words if word)


Step = Say | Press | Do

_HEAD = re.compile(
    r"\s*(?P<at>\d+(?:\.\d+)?)\s*(?:@(?P<who>\w+))?\s*(?:#(?P<group>\d+))?\s*:\s*(?P<rest>.*\S)\s*", re.DOTALL
)
_PRESS = re.compile(r"press\s+(?P<label>.+)")
_SAY_FORM = "AT: text, AT@NAME: text, AT#2: text or AT: press LABEL, as in '0: /play tone 440'"
_TROUBLES = (
    "kill bot, kill worker, kill fetcher, crash chat, silence media SECONDS, flood METHOD SECONDS"
    " or drop connections"
)
_DO_FORM = f"AT: and {_TROUBLES}, as in '5: kill worker'"


def parse(says: list[str], dos: list[str], groups: int, people: tuple[str, ...]) -> tuple[Step, ...]:
    """The steps in the order of their times. Raises ConfigError with every problem there is."""
    steps: list[Step] = []
    problems: list[str] = []
    for option, lines, read in (("--say", says, _say), ("--do", dos, _do)):
        for line in lines:
            try:
                step = read(line)
                _check(step, groups, people)
            except ValueError as error:
                problems.append(f"{option} {line!r}: {error}")
            else:
                steps.append(step)
    if problems:
        raise ConfigError(tuple(problems))
    return tuple(sorted(steps, key=lambda step: step.at))


def say_line(line: str, at: float, groups: int, people: tuple[str, ...]) -> Step:
    """One line typed into the interactive demo: `[@NAME] [#2] text`, `press LABEL`, `do FAULT`.

    Raises ValueError with what is wrong with it.
    """
    match = re.fullmatch(r"\s*((?:@\w+\s+|#\d+\s+)*)(.*\S)\s*", line, re.DOTALL)
    if match is None:
        raise ValueError("nothing was typed")
    marks, rest = match[1].split(), match[2]
    head = f"{at:.3f}{''.join(sorted(marks, reverse=True))}"  # @NAME before #2, whichever came first
    step: Step
    if rest == "do" or rest.startswith("do "):
        step = _do(f"{head}: {rest.removeprefix('do').strip() or 'nothing'}")
    else:
        step = _say(f"{head}: {rest}")
    _check(step, groups, people)
    return step


def _head(line: str, form: str) -> tuple[float, str | None, int, str]:
    match = _HEAD.fullmatch(line)
    if match is None:
        raise ValueError(f"write {form}")
    return float(match["at"]), match["who"], int(match["group"] or 1), match["rest"]


def _say(line: str) -> Step:
    at, who, group, rest = _head(line, _SAY_FORM)
    if press := _PRESS.fullmatch(rest):
        return Press(at, press["label"], group, who)
    return Say(at, rest, group, who)


def _do(line: str) -> Do:
    at, _, group, rest = _head(line, _DO_FORM)
    match rest.split():
        case ["kill", "bot" | "worker" | "fetcher"] | ["crash", "chat"] | ["drop", "connections"]:
            return Do(at, Trouble(rest), group)
        case ["silence", "media", seconds]:
            return Do(at, Trouble.SILENCE_MEDIA, group, _seconds(seconds))
        case ["flood", method, seconds]:
            return Do(at, Trouble.FLOOD, group, _seconds(seconds), _method(method))
    raise ValueError(f"there is no trouble called {rest!r}: write {_TROUBLES}")


def _method(word: str) -> str:
    """As the schema has it; Telegram's own pages write the name with a small letter. Raises ValueError."""
    space, dot, name = word.rpartition(".")
    method = f"{space}{dot}{name[:1].upper()}{name[1:]}"
    Faults().flood(method, 1.0)  # knows the methods
    return method


def _seconds(word: str) -> float:
    try:
        seconds = float(word)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 3600:
        raise ValueError(f"{word!r} is no number of seconds below 3600: write one, such as 5")
    return seconds


def _check(step: Step, groups: int, people: tuple[str, ...]) -> None:
    if not 1 <= step.group <= groups:
        there = "is 1" if groups == 1 else f"are {groups}"
        raise ValueError(f"there is no group {step.group}: there {there}; --groups N makes more")
    if not isinstance(step, Do) and step.who is not None and step.who.lower() not in map(str.lower, people):
        raise ValueError(f"nobody here is called {step.who}: there are only {', '.join(people)}")
