"""Music from arithmetic: notes, instruments and a little echo. Samples are float32, mono, 48 kHz."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import attrs
import numpy as np
import numpy.typing as npt

RATE = 48_000
Wave = npt.NDArray[np.float32]
#: An instrument turns a pitch (Hz) and a length (seconds) into a sound, which may ring on for longer.
Instrument = Callable[[float, float], Wave]

_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


@attrs.frozen
class Part:
    """One voice: ``score`` is notes like ``C4 D#5:2 -:.5`` (``:`` and how many beats, one if not said; ``-``
    is a rest; ``C4+E4+G4`` a chord).
    """

    instrument: Instrument
    score: str
    level: float = 1.0
    transpose: int = 0


def tone(hz: float, seconds: float, level: float = 0.35) -> Wave:
    """A pure tone; it fades in and out over 10 ms, so that it does not click."""
    at = np.arange(round(seconds * RATE)) / RATE
    edge = np.minimum(1, np.minimum(at, seconds - at) / 0.01)
    return (level * edge * np.sin(2 * np.pi * hz * at)).astype(np.float32)


def perform(parts: Iterable[Part], beat: float, echo: float = 0.25) -> Wave:
    """All parts together, ``beat`` seconds to the beat, with an echo; its peak is at 0.7 of full scale."""
    voices = [_voice(part, beat) for part in parts]
    mix = np.zeros(max(map(len, voices)) + RATE, np.float32)
    for voice in voices:
        mix[: len(voice)] += voice
    for delay, level in ((0.19, echo), (0.31, echo / 2), (0.47, echo / 3)):
        late = round(delay * RATE)
        mix[late:] += level * mix[:-late]
    mix *= 0.7 / np.abs(mix).max()
    mix = mix[: np.flatnonzero(np.abs(mix) > 0.005)[-1] + 1]
    fade = RATE // 2
    mix[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return mix


def _voice(part: Part, beat: float) -> Wave:
    notes = [note.partition(":") for note in part.score.split()]
    lengths = [float(beats or 1) * beat for _, _, beats in notes]
    voice = np.zeros(round((sum(lengths) + 3) * RATE), np.float32)
    at = 0.0
    for (names, _, _), length in zip(notes, lengths, strict=True):
        for name in names.split("+"):
            if name != "-":
                sound = part.level * part.instrument(_pitch(name, part.transpose), length)
                start = round(at * RATE)
                voice[start : start + len(sound)] += sound[: len(voice) - start]
        at += length
    return voice


def _pitch(name: str, transpose: int) -> float:
    """Hz of ``A4``, ``F#3`` …"""
    step = _STEPS[name[0]] + name.count("#") + 12 * (int(name[-1]) + 1) + transpose
    return float(440 * 2 ** ((step - 69) / 12))


def _partials(hz: float, seconds: float, partials: Iterable[tuple[float, float, float]]) -> Wave:
    """A sum of (multiple, level, seconds to fade to a third)."""
    at = np.arange(round(seconds * RATE), dtype=np.float32) / RATE
    sound = np.zeros(len(at), np.float32)
    for multiple, level, fade in partials:
        if multiple * hz < RATE / 2.5:
            sound += level * np.exp(-at / fade) * np.sin(2 * np.pi * multiple * hz * at)
    attack = round(0.004 * RATE)
    sound[:attack] *= np.linspace(0, 1, attack, dtype=np.float32)
    sound[-attack:] *= np.linspace(1, 0, attack, dtype=np.float32)
    return sound


def music_box(hz: float, length: float) -> Wave:
    return _partials(hz, max(length, 1.2), [(1, 1, 0.5), (2.76, 0.25, 0.15), (5.4, 0.1, 0.06)])


def piano(hz: float, length: float) -> Wave:
    return _partials(hz, length + 0.4, [(n, 0.9 / n**1.3, 0.9 / n**0.5) for n in range(1, 8)])


def strings(hz: float, length: float) -> Wave:
    """Soft and slow: a pad under the others."""
    sound = _partials(hz, length + 0.3, [(n, 1 / n**2, 9) for n in (1, 1.003, 2, 3, 4)])
    swell = round(min(0.15, length / 3) * RATE)
    sound[:swell] *= np.linspace(0, 1, swell, dtype=np.float32)
    sound[-2 * swell :] *= np.linspace(1, 0, 2 * swell, dtype=np.float32)
    return sound


def harp(hz: float, length: float) -> Wave:
    """A plucked string (Karplus and Strong, 1983), a whole period at a time."""
    period = round(RATE / hz)
    string = np.random.default_rng(period).uniform(-1, 1, period).astype(np.float32)
    periods = []
    for _ in range(int(max(length, 1.5) * hz)):
        periods.append(string)
        string = 0.4985 * (string + np.roll(string, 1))
    sound = np.concatenate(periods)
    fade = min(len(sound), RATE // 10)
    sound[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return sound
