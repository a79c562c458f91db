"""What is printed: lines for programs, words for people."""

import json
import subprocess
import sys

from ryzen.sandbox.demo.report import Report

CARD = "🎵 tone 440\n00:00 ●— 01:00\n⏳ Loading"
BUTTONS = ["⏸ Pause", "⏭ Skip"]


def readable(groups: int = 1) -> tuple[Report, list[str]]:
    lines: list[str] = []
    return Report(False, {-number: f"Group {number}" for number in range(1, groups + 1)}, lines.append), lines


def said(report: Report, text: str, kind: str = "message", buttons: list[str] | None = None) -> None:
    report.emit(kind, at=1.0, chat=-1, **{"from": "Ryzen"}, text=text, buttons=buttons or [])


def heard(report: Report, hz: float, share: float = 1.0, rms: float = 0.2) -> None:
    report.emit("heard", at=2.0, chat=-1, hz=hz, share=share, rms=rms, packets=17, lost=0)


def test_programs_get_every_event_as_one_line_of_json_and_no_remarks() -> None:
    lines: list[str] = []
    report = Report(True, {-1: "Group 1"}, lines.append)
    report.emit("ready")
    report.remark(1.0, "for people")
    said(report, "dé\nja", buttons=BUTTONS)
    assert all("\n" not in line for line in lines)
    assert [json.loads(line) for line in lines] == [
        {"kind": "ready"},
        {"kind": "message", "at": 1.0, "chat": -1, "from": "Ryzen", "text": "dé\nja", "buttons": BUTTONS},
    ]


def test_people_read_a_card_once_and_then_what_is_new_on_it() -> None:
    report, lines = readable()
    said(report, CARD, buttons=BUTTONS)
    assert lines == [
        "   1.0  Ryzen: 🎵 tone 440\n          00:00 ●— 01:00\n          ⏳ Loading\n"
        "          [⏸ Pause]  [⏭ Skip]"
    ]
    said(report, CARD.replace("⏳ Loading", "⏸ Paused"), "edit", ["▶ Resume", "⏭ Skip"])
    assert lines[1:] == ["   1.0  Ryzen ✎: ⏸ Paused  [▶ Resume]"]
    said(report, CARD.replace("⏳ Loading", "⏸ Paused"), "edit", ["▶ Resume", "⏭ Skip"])
    assert len(lines) == 2  # nothing new


def test_people_read_the_whole_of_an_edited_message_that_is_no_card() -> None:
    report, lines = readable()
    said(report, "…")
    said(report, "Pong! 3 ms", "edit")
    assert lines[1] == "   1.0  Ryzen ✎: Pong! 3 ms"


def test_people_are_told_of_sound_when_it_changes() -> None:
    report, lines = readable()
    for hz, share, rms in (
        (440.0, 1.0, 0.2),
        (440.6, 1.0, 0.2),
        (880.0, 1.0, 0.2),
        (262.0, 0.7, 0.1),
        (294.0, 0.6, 0.1),
        (294.0, 1.0, 0.001),
        (0.0, 0.0, 0.0),
    ):
        heard(report, hz, share, rms)
    assert [line.partition("♪ ")[2] for line in lines] == [
        "a tone of 440 Hz",
        "a tone of 880 Hz",
        "music",
        "silence",
    ]


def test_a_group_is_named_where_there_are_several() -> None:
    for groups, begins in (
        (1, "   3.0  ⚡ x|   1.0  Ryzen: a"),
        (2, "   3.0  ⚡ x|   1.0  Group 1 | Ryzen: a"),
    ):
        report, lines = readable(groups)
        report.emit("fault", at=3.0, text="x")
        said(report, "a")
        assert "|".join(lines[:1]) + "|" + lines[1] == begins


def test_alerts_private_talk_and_remarks_are_told() -> None:
    report, lines = readable(2)
    report.emit("alert", at=1.0, chat=-2, to="Bob", text="Only admins")
    report.emit("message", at=1.0, chat=77, **{"from": "Ryzen"}, text="Hello", buttons=[])
    report.remark(4.0, "first\nsecond")
    assert lines == [
        "   1.0  Group 2 | Bob is shown: Only admins",
        "   1.0  (in private) Ryzen: Hello",
        "   4.0    first\n          second",
    ]


def test_the_sum_of_it_says_what_was_measured_and_what_went_wrong() -> None:
    report, lines = readable()
    errors = ["chat:1 fell"]
    report.emit("summary", first_audio_ms=140, skip_ms=[201, 190], back_ms=[900, 1200], errors=errors)
    assert lines == [
        "The first sound came 140 ms after its command.\n"
        "After a skip the next track was heard in 201 ms, 190 ms.\n"
        "After the kill the music was back in 2 groups, 1200 ms after the new start at most.\n"
        "An error that nothing explains: chat:1 fell"
    ]
    report.emit("summary", first_audio_ms=None, skip_ms=[], back_ms=[], errors=[])
    assert len(lines) == 1  # nothing happened, and nothing is said


def test_a_reader_who_goes_away_is_no_error() -> None:
    script = (
        "from ryzen.sandbox.demo.report import Report\n"
        "report = Report(False, {})\n"
        "input()\n"
        "for at in range(3):\n"
        "    report.emit('fault', at=float(at), text='x')\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        process.stdout = None
        _, complaint = process.communicate(b"\n", timeout=30)
    assert (process.returncode, complaint) == (0, b"")
