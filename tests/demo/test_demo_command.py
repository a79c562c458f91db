"""`ryzen demo` as its users run it: what it prints, how it ends, what it leaves."""

import json
import os
import signal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from demo_runs import Terminal, await_end_of, children_of, ryzen

FORMS = {
    "ready": {"kind"},
    "message": {"kind", "at", "chat", "from", "text", "buttons"},
    "edit": {"kind", "at", "chat", "from", "text", "buttons"},
    "alert": {"kind", "at", "chat", "to", "text"},
    "fault": {"kind", "at", "text"},
    "heard": {"kind", "at", "chat", "hz", "share", "rms", "packets", "lost"},
    "back": {"kind", "at", "chat", "ms"},
    "summary": {"kind", "first_audio_ms", "skip_ms", "back_ms", "errors"},
}

Told = list[dict[str, Any]]


def perform(folder: Path, music: Path, *words: str) -> tuple[int, Told]:
    """The exit code of a headless demo, and its lines, which are in form and in order."""
    done = ryzen("demo", "--headless", "--json", "--music", str(music), *words, cwd=folder)
    assert done.stderr == ""
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(FORMS[line["kind"]] == set(line) for line in told)
    assert [line["kind"] for line in told].count("summary") == 1
    assert (told[0], told[-1]["kind"]) == ({"kind": "ready"}, "summary")
    assert all(one["at"] <= next_["at"] for one, next_ in pairwise(told[1:-1]))
    assert list(folder.iterdir()) == []  # nothing is left in the working directory
    return done.returncode, told


def heard(told: Told, since: float, until: float) -> Told:
    """What was heard between these seconds; each line is about the second before it."""
    return [line for line in told if line["kind"] == "heard" and since + 1 <= line["at"] <= until]


def texts(told: Told, *kinds: str) -> str:
    return "\n".join(line["text"] for line in told if line["kind"] in kinds)


def test_the_example_of_the_readme_is_heard(tmp_path: Path, tones: Path) -> None:
    code, told = perform(
        tmp_path,
        tones,
        *("--say", "0: /play tone 440", "--say", "6: /skip", "--say", "0: /play tone 880", "--until", "12"),
    )
    assert code == 0
    for hz, lines in ((440, heard(told, 2, 6)), (880, heard(told, 8, 12.5))):
        assert len(lines) >= 3
        right = [line for line in lines if abs(line["hz"] - hz) < 2 and line["share"] > 0.95]
        assert right == lines, "\n".join(map(str, told))
    assert all(line["lost"] == 0 for line in told if line["kind"] == "heard")
    summary = told[-1]
    assert isinstance(summary["first_audio_ms"], int)
    assert 0 < summary["first_audio_ms"] < 6000
    assert len(summary["skip_ms"]) == 1
    assert 0 < summary["skip_ms"][0] < 6000
    assert summary["errors"] == []
    assert "tone 440" in texts(told, "message")


def test_every_trouble_is_survived_and_explained(tmp_path: Path, tones: Path) -> None:
    code, told = perform(
        tmp_path,
        tones,
        *("--groups", "2", "--state", str(tmp_path.parent / f"{tmp_path.name}-state")),
        *("--say", "0: /play tone 440", "--say", "0#2: /play tone 880"),
        *("--do", "2: kill worker", "--say", "2.5@Bob: press pause", "--do", "3.5: crash chat"),
        *("--do", "4: kill fetcher"),
        *("--do", "5.1: silence media 1", "--do", "6.5: drop connections"),
        *("--do", "7.5: flood messages.sendMessage 1", "--say", "7.7: /queue"),
        *("--do", "9.5: kill bot", "--do", "9.6: kill worker", "--until", "10"),
    )
    assert told[-1]["errors"] == []
    assert code == 0
    faults = texts(told, "fault").splitlines()
    assert faults == [
        "kill worker",
        "crash chat",
        "kill fetcher",
        "silence media 1",
        "drop connections",
        "flood messages.SendMessage 1",
        "kill bot",
        "kill worker",
    ]
    assert "admins" in texts(told, "alert")  # Bob is none
    assert "goes on" in texts(told, "message")  # after the crash
    first, second = (
        {round(line["hz"], -1) for line in heard(told, 0, 5.1) if line["chat"] == chat and line["rms"] > 0.1}
        for chat in sorted({line["chat"] for line in told if line["kind"] == "heard"}, reverse=True)
    )
    assert (first, second) == ({440}, {880})
    assert list((tmp_path.parent / f"{tmp_path.name}-state").iterdir())  # kept


def test_what_cannot_be_done_is_told_and_the_demo_goes_on(tmp_path: Path, tones: Path) -> None:
    code, told = perform(
        tmp_path,
        tones,
        *("--say", "0: press Skip", "--do", "0.1: crash chat", "--say", "0.5: /ping", "--until", "3"),
    )
    assert code == 0
    assert "no card to press 'Skip' on" in texts(told, "fault")
    assert "nothing plays in this group" in texts(told, "fault")
    assert "ong" in texts(told, "message")
    assert told[-1]["first_audio_ms"] is None


def test_a_terminal_is_talked_with_until_ctrl_d(tmp_path: Path, tones: Path) -> None:
    terminal = Terminal.open("--groups", "2", "--music", str(tones), cwd=tmp_path)
    terminal.read("Ctrl-D.")
    terminal.type("#2 /play tone 440\n")
    terminal.read("Group 2 | ♪ a tone of 440 Hz")
    terminal.type("#2 @Bob press pause\n@Zoe hi\ndo explode\n\n")
    terminal.read("Bob is shown: Only admins")
    terminal.read("only Ada, Bob, Cleo")
    terminal.read("no trouble called 'explode': write kill bot, kill worker")
    family = children_of(terminal.pid)
    assert len(family) >= 3  # the bot, its worker and the nursery
    terminal.type("\x04")
    assert terminal.end() == 0
    assert "Stopping …" in terminal.seen
    assert "Traceback" not in terminal.seen
    await_end_of(family)


@pytest.mark.parametrize("end", ["\x03", "SIGTERM"])
def test_ctrl_c_ends_it_quietly_and_leaves_nothing(end: str, tmp_path: Path, tones: Path) -> None:
    terminal = Terminal.open("--music", str(tones), cwd=tmp_path)
    terminal.read("Ctrl-D.")
    terminal.type("/play tone 440\n")
    terminal.read("Playing")
    family = children_of(terminal.pid)
    assert len(family) >= 3
    before = len(terminal.seen)
    if end == "SIGTERM":
        os.kill(terminal.pid, signal.SIGTERM)
    else:
        terminal.type(end)
    assert terminal.end() == 130
    assert "Traceback" not in terminal.seen
    assert "rror" not in terminal.seen[before:]
    await_end_of(family)


def test_an_error_that_nothing_explains_makes_it_1(tmp_path: Path, tones: Path) -> None:
    terminal = Terminal.open("--music", str(tones), cwd=tmp_path)
    terminal.read("Ctrl-D.")
    for pid in _bots(terminal.pid):
        os.kill(pid, signal.SIGKILL)
    terminal.read("⚡ the bot has ended by itself, with -9")
    terminal.type("do kill worker\n")
    terminal.read("the bot is not running")
    terminal.type("\x04")
    assert terminal.end() == 1
    assert "An error that nothing explains: the bot ended by itself, with -9" in terminal.seen
    assert "Traceback" not in terminal.seen


def _bots(demo: int) -> list[int]:
    own = [pid for pid, _ in children_of(demo)]
    return [pid for pid in own if b"ryzen.sandbox.demo.bot" in Path(f"/proc/{pid}/cmdline").read_bytes()]
