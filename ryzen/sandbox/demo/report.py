"""What the demo prints: JSON lines for programs, or a transcript for people."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

#: A line a second and call would drown the talk: people are told when what is heard has changed by this much.
_SAME_HZ = 10.0
_SILENT = 0.01


class Report:
    """``emit(kind, …)`` for each thing that happens; ``names`` are the titles of the groups by chat id."""

    def __init__(
        self, as_json: bool, names: dict[int, str], write: Callable[[str], object] | None = None
    ) -> None:
        self._as_json, self._names = as_json, names
        self._write = write or (lambda line: print(line, file=sys.stdout, flush=True))
        self._heard: dict[int, float] = {}

    def emit(self, kind: str, **fields: object) -> None:
        if self._as_json:
            self._write(json.dumps({"kind": kind, **fields}, ensure_ascii=False))
        elif line := self._readable(kind, fields):
            self._write(line)

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
                **rest,
            }:
                mark = " (edited)" if kind == "edit" else ""
                head = f"{at:6.1f}  {self._name(chat)} | {who}{mark}: "
                body = text.replace("\n", "\n" + " " * 10)
                buttons = rest.get("buttons")
                assert isinstance(buttons, (list, tuple))
                return (
                    head + body + ("\n" + " " * 10 + "  ".join(f"[{b}]" for b in buttons) if buttons else "")
                )
            case {"kind": "alert", "at": at, "chat": int(chat), "to": who, "text": text}:
                return f"{at:6.1f}  {self._name(chat)} | {who} is shown: {text}"
            case {"kind": "fault", "at": at, "text": text}:
                return f"{at:6.1f}  ⚡ {text}"
            case {"kind": "heard", "at": at, "chat": int(chat), "hz": float(hz), "rms": float(rms)}:
                return self._ear(at, chat, hz if rms > _SILENT else 0.0)
            case {"kind": "summary", "first_audio_ms": first, "skip_ms": skips, "errors": errors}:
                return _summary(first, skips, errors)
        return ""

    def _ear(self, at: object, chat: int, hz: float) -> str:
        if abs(hz - self._heard.get(chat, 0.0)) <= _SAME_HZ:
            return ""
        self._heard[chat] = hz
        what = f"♪ {hz:.0f} Hz is the loudest" if hz else "♪ silence"
        return f"{at:6.1f}  {self._name(chat)} | {what}"

    def _name(self, chat: int) -> str:
        return self._names.get(chat, "private")


def _summary(first: object, skips: object, errors: object) -> str:
    assert isinstance(skips, list)
    assert isinstance(errors, list)
    lines = [] if first is None else [f"First sound {first} ms after the command."]
    if skips:
        lines.append(f"Skips heard after {', '.join(f'{ms} ms' for ms in skips)}.")
    lines += [f"Unexplained: {error}" for error in errors]
    return "\n".join(lines)
