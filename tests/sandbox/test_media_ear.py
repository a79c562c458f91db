"""What the ear says of packets that come, do not come, come late, or are nonsense."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ryzen.sandbox.media.ear import MEMORY, PACKETS, Ear
from ryzen.sandbox.media.rtp import Count, payload

RATE, FRAME = 48_000, 2880
PACE = FRAME / RATE
START = 1000.0


def opus(*parts: tuple[float, float]) -> list[bytes]:
    """Packets of 60 ms, of tones one after the other: (hz, seconds); 0 Hz is silence."""
    encoder = av.AudioCodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = RATE, "mono", "s16"
    encoder.options = {"frame_duration": "60"}
    encoder.time_base = Fraction(1, RATE)
    encoder.open()
    wave = np.concatenate([np.sin(2 * np.pi * hz * np.arange(round(s * RATE)) / RATE) for hz, s in parts])
    samples = (wave * 0.5 * 32767).astype(np.int16)
    packets = []
    for at in range(0, len(samples) - FRAME + 1, FRAME):
        frame = av.AudioFrame.from_ndarray(samples[None, at : at + FRAME], format="s16", layout="mono")
        frame.sample_rate, frame.pts = RATE, at
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    return packets


def ear_of(packets: Iterable[bytes], first: int = 0) -> Ear:
    """An ear that has heard them in time, numbered from ``first``."""
    ear = Ear()
    for index, packet in enumerate(packets):
        ear.take((first + index) & 0xFFFF, packet, START + index * PACE)
    return ear


@pytest.mark.parametrize("hz", [60, 440, 441.5, 1320, 8000])
def test_a_tone_is_named_to_a_fifth_of_a_hertz(hz: float) -> None:
    heard = ear_of(opus((hz, 3))).hears(START + 1, START + 2)
    assert heard.hz == pytest.approx(hz, abs=0.2)
    assert heard.share > 0.95
    assert heard.rms == pytest.approx(0.5 / math.sqrt(2), rel=0.1)
    assert heard.gap == pytest.approx(PACE, abs=0.001)
    assert (heard.packets, heard.lost) == (17, 0)


def test_two_tones_at_once_share_the_energy() -> None:
    packets = opus((440, 1.2), (880, 1.2))
    heard = ear_of(packets).hears(START, START + 2.4)
    assert 0.3 < heard.share < 0.7


def test_silence_has_no_level_and_no_first_sound() -> None:
    ear = ear_of(opus((0, 1)))
    heard = ear.hears(START, START + 1)
    assert heard.rms < 0.001
    assert heard.packets == 16
    assert ear.first_at == START
    assert ear.first_sound_at is None


def test_the_first_sound_is_found_although_nobody_asks_in_time() -> None:
    ear = ear_of(opus((0, 0.6), (440, 30)))
    assert ear.first_sound_at == pytest.approx(START + 0.6, abs=1.5 * PACE)


def test_moments_are_those_of_the_packets() -> None:
    ear = ear_of(opus((440, 1.2), (880, 1.2), (0, 0.6), (440, 0.6)))
    changed = ear.tone_changed_at(START + 0.6)
    assert changed == ear.heard_at(880, 0)
    assert changed == pytest.approx(START + 1.2, abs=1.5 * PACE)
    assert ear.heard_at(440, 0) == START
    assert ear.heard_at(440, START + 1.5) == pytest.approx(START + 3.0, abs=1.5 * PACE)
    assert ear.heard_at(660, 0) is None
    assert ear.tone_changed_at(START) == START
    assert ear.tone_changed_at(START + 3.3) is None


def test_what_is_asked_late_is_answered_like_what_is_asked_at_once() -> None:
    packets = opus((440, 1.2), (880, 1.2))
    patient, curious = ear_of(packets), Ear()
    for index, packet in enumerate(packets):
        at = START + index * PACE
        curious.take(index, packet, at)
        curious.hears(at, at)
    assert patient.hears(START + 1, START + 2) == curious.hears(START + 1, START + 2)


def test_a_window_counts_what_is_missing_in_it_and_nothing_else() -> None:
    packets = opus((440, 3))
    ear = Ear()
    for index, packet in enumerate(packets):
        if index not in (0, 1, 20, 21, 22, 40):
            ear.take(65_520 + index & 0xFFFF, packet, START + index * PACE)
    end = START + 3
    assert ear.count.lost == 4
    assert ear.hears(START, end).lost == 4
    assert ear.hears(START, START + 19 * PACE).lost == 0
    assert ear.hears(START + 22.5 * PACE, end).lost == 4  # the gap ends in this window
    assert ear.hears(START + 23.5 * PACE, end).lost == 1
    assert ear.hears(START + 40.5 * PACE + PACE, end).lost == 0


def test_the_gap_reaches_to_the_edges_of_the_window() -> None:
    ear = ear_of(opus((440, 1)))
    assert ear.hears(START, START + 5).gap == pytest.approx(4.1, abs=0.01)
    assert ear.hears(START + 3, START + 5).gap == 2
    assert ear.hears(START - 5, START + 1).gap < 2 * PACE  # before the first packet there was no call
    assert Ear().hears(3, 5).gap == 2


def test_nonsense_is_counted_and_what_follows_is_heard() -> None:
    ear = Ear()
    packets = opus((440, 2))
    for index, packet in enumerate([b"", b"\xff\xff\xff", *packets]):
        ear.take(index, packet, START + index * PACE)
    assert ear.undecodable == 2
    assert ear.hears(START + 1, START + 2).share > 0.95


def test_memory_is_bounded_by_time_and_by_number() -> None:
    packet = opus((440, 0.1))[0]
    long = Ear()
    for index in range(1000):
        long.take(index, packet, START + index * PACE)
    now = START + 999 * PACE
    assert long.hears(START, now).packets == pytest.approx(MEMORY / PACE, abs=1)
    fast = Ear()
    for index in range(3 * PACKETS):
        fast.take(index & 0xFFFF, packet, START)
    assert fast.hears(START, START).packets == PACKETS
    assert fast.count.received == 3 * PACKETS


@settings(deadline=None)
@given(
    start=st.integers(0, 0xFFFF),
    fate=st.lists(st.tuples(st.booleans(), st.integers(0, 50)), min_size=1, max_size=400),
)
def test_lost_is_exact_in_any_order_over_any_wrap(start: int, fate: list[tuple[bool, int]]) -> None:
    """Each packet is lost or not, and late by some places or not."""
    arriving = sorted((index + late, index) for index, (lost, late) in enumerate(fate) if not lost)
    count = Count()
    for _, index in arriving:
        count.take((start + index) & 0xFFFF)
    came = {index for _, index in arriving}
    expected = max(came) - min(came) + 1 - len(came) if came else 0
    assert count.lost == expected


def test_the_payload_is_what_lies_between_header_and_padding() -> None:
    header = bytes(12)
    assert payload(header + b"opus") == b"opus"
    two_sources = bytes([0x82]) + bytes(11 + 8)
    assert payload(two_sources + b"opus") == b"opus"
    extended = bytes([0x90]) + bytes(11) + b"\xbe\xde\x00\x02" + bytes(8)
    assert payload(extended + b"opus") == b"opus"
    padded = bytes([0xA0]) + bytes(11)
    assert payload(padded + b"opus" + b"\x00\x00\x03") == b"opus"
