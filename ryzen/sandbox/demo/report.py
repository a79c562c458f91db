"""What the demo prints: JSON lines for programs, or a transcript for people."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable

#: A line a second and call would drown the talk: people are told when the sound becomes another.
_SAME_HZ = 10.0
_SILENT = 0.01
#: Above this share of its loudest frequency a sound is called a tone; the notes of a tune have 0.8 at most.
_PURE = 0.9
_INDENT = " " * 10


class Report:
    """``emit(kind, …)`` for each thing that happens; ``names`` are the titles of the groups by chat id."""

    def __init__(
        self, as_json: bool, names: dict[int, str], write: Callable[[str], object] | None = None
    ) -> None:
        self._as_json, self._names = as_json, names
        self._write = write or _print
        self._heard: dict[int, float] = {}  # chat -> Hz of a tone, 0 for silence, -1 for music
        self._cards: dict[int, tuple[list[str], list[str]]] = {}  # chat -> lines and buttons, as told last

    def emit(self, kind: str, **fields: object) -> None:
        """Print one event: its JSON form, or what a person needs of it, which may be nothing."""
        if self._as_json:
            self._write(json.dumps({"kind": kind, **fields}, ensure_ascii=False))
        elif line := self._readable(kind, fields):
            self._write(line)

    def remark(self, at: float, text: str) -> None:
        """Something for people alone: programs get what the issue names, and no more."""
        if not self._as_json:
            self._write(f"{at:6.1f}    " + text.replace("\n", f"\n{_INDENT}"))

    def _readable(self, kind: str, fields: dict[str, object]) -> str:
        match {"kind": kind, **fields}:
            case {"kind": "ready"}:
                return "Ready."
            case {
                "kind": "message" | "edit",
                "at": at,
                "chat": int(chat),
                "from": who,
                "text": str(text),
                "buttons": list(buttons),
            }:
                body = self._said(kind == "edit", chat, text.splitlines() or ["(no text)"], buttons)
                mark = " ✎" if kind == "edit" else ""
                return f"{at:6.1f}  {self._name(chat)}{who}{mark}: " + body if body else ""
            case {"kind": "alert", "at": at, "chat": int(chat), "to": who, "text": text}:
                return f"{at:6.1f}  {self._name(chat)}{who} is shown: {text}"
            case {"kind": "fault", "at": at, "text": text}:
                return f"{at:6.1f}  ⚡ {text}"
            case {
                "kind": "heard",
                "at": at,
                "chat": int(chat),
                "hz": float(hz),
                "share": float(share),
                "rms": float(rms),
            }:
                return self._ear(at, chat, 0.0 if rms <= _SILENT else hz if share >= _PURE else -1.0)
            case {"kind": "back", "at": at, "chat": int(chat), "ms": int(ms)}:
                return f"{at:6.1f}  {self._name(chat)}♪ heard again, {ms} ms after the bot's new start"
            case {
                "kind": "summary",
                "first_audio_ms": first,
                "skip_ms": list(skips),
                "back_ms": list(backs),
                "errors": list(errors),
            }:
                return _summary(first, skips, backs, errors)
        return ""

    def _said(self, edited: bool, chat: int, lines: list[str], buttons: list[str]) -> str:
        """The whole of a message; of an edited card only what is new."""
        known = self._cards.get(chat) if edited and buttons else None
        if buttons:
            self._cards[chat] = lines, buttons
        if known is not None:
            lines = [line for line in lines if line not in known[0]]
            buttons = [button for button in buttons if button not in known[1]]
        row = "  ".join(f"[{button}]" for button in buttons)
        if known is not None:
            return "  ".join(filter(None, (*lines, row)))
        return f"\n{_INDENT}".join(filter(None, (*lines, row)))

    def _ear(self, at: object, chat: int, sound: float) -> str:
        known = self._heard.get(chat, 0.0)
        self._heard[chat] = sound
        if (min(known, sound) > 0 and abs(known - sound) <= _SAME_HZ) or known == sound:
            return ""
        what = "silence" if sound == 0 else "music" if sound < 0 else f"a tone of {sound:.0f} Hz"
        return f"{at:6.1f}  {self._name(chat)}♪ {what}"

    def _name(self, chat: int) -> str:
        if chat not in self._names:
            return "(in private) "
        return f"{self._names[chat]} | " if len(self._names) > 1 else ""


def _summary(first: object, skips: list[object], backs: list[int], errors: list[object]) -> str:
    lines = [] if first is None else [f"The first sound came {first} ms after its command."]
    if skips:
        lines.append(f"After a skip the next track was heard in {', '.join(f'{ms} ms' for ms in skips)}.")
    if backs:
        where = "one group" if len(backs) == 1 else f"{len(backs)} groups"
        lines.append(
            f"After the kill the music was back in {where}, {max(backs)} ms after the new start at most."
        )
    lines += [f"An error that nothing explains: {error}" for error in errors]
    return "\n".join(lines)


def _print(line: str) -> None:
    try:
        print(line, flush=True)
    except BrokenPipeError:  # nobody reads on (`| head`): go on unheard, and end in order
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
