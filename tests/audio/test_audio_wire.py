"""Laws of the line between bot and worker: whole messages, or none; nothing said is believed unread."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from ryzen.audio import wire
from ryzen.audio.ledger import SLOTS, Ledger


@pytest.fixture
def line():
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with here, there:
        here.setblocking(False)
        yield here, there


MESSAGES = [
    wire.Fork(),
    wire.Kill(7),
    wire.Forked(7),
    wire.Died(7, -9),
    wire.PutTape(1, 2, 3),
    wire.PutReader(1, 2),
    wire.Load(1, 2, "/müsic/\udcff\n.mp3", 1.5, None, 9600),
    wire.Load(1, 2, "/x", 1.5, 3, None, fetched=True, live=True, skips=((0.0, 1.5), (2, 3)), gain=-3.5),
    wire.Silence(1, 2),
    wire.Drop(1),
    wire.Laid(1, 2, 3, 4, 5.5),
    wire.Starved(1, 2, 3, 4),
    wire.Measure("/x"),
    wire.Measured(None),
    wire.Measured(-3.5),
    wire.Over(1, 2, 3, 4, 5.5, "broken"),
    wire.Failed(1, 2, "broken", "why"),
    wire.Beat(0.25),
]
LOAD = {"deck": 1, "turn": 1, "path": "/x", "offset": 0, "stated": None, "at": None}


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_what_is_sent_arrives(line, message):
    here, there = line
    wire.send(there, message)
    assert wire.receive(here) == (message, ())


def test_descriptors_arrive_with_their_message(line):
    here, there = line
    with Path(os.devnull).open() as one, Path(os.devnull).open() as two:
        wire.send(there, wire.Drop(1))
        wire.send(there, wire.Fork(), (one.fileno(), two.fileno()))
        assert wire.receive(here) == (wire.Drop(1), ())
        message, descriptors = wire.receive(here)
        assert message == wire.Fork()
        assert [os.path.sameopenfile(a, b.fileno()) for a, b in zip(descriptors, (one, two), strict=True)]
        for descriptor in descriptors:
            os.close(descriptor)


@pytest.mark.parametrize(
    "packet",
    [
        b"no json",
        b"[]",
        b"{}",
        b"\xff\xfe",
        json.dumps({"kind": "Nothing"}).encode(),
        json.dumps({"kind": "Beat"}).encode(),
        json.dumps({"kind": "Beat", "cpu": "much"}).encode(),
        json.dumps({"kind": "Beat", "cpu": 1, "more": 1}).encode(),
        *(
            json.dumps({"kind": "Load", **LOAD, **wrong}).encode()
            for wrong in (
                {"offset": float("nan")},
                {"stated": float("inf")},
                {"fetched": 1},
                {"gain": "loud"},
                {"gain": float("nan")},
                {"skips": [[1, 2, 3]]},
                {"skips": [["a", "b"]]},
                {"skips": [[0, float("inf")]]},
                {"skips": 7},
            )
        ),
        json.dumps({"kind": "Laid", "deck": None, "tape": 1, "turn": 1, "start": 1, "offset": 1}).encode(),
    ],
)
def test_nonsense_is_garbled_and_nothing_worse(line, packet):
    here, there = line
    there.send(packet)
    with pytest.raises(wire.Garbled):
        wire.receive(here)


def test_the_end_is_told_to_both_sides(line):
    here, there = line
    with pytest.raises(BlockingIOError):
        wire.receive(here)
    there.close()
    with pytest.raises(wire.Gone):
        wire.receive(here)
    with pytest.raises(wire.Gone):
        wire.send(here, wire.Drop(1))


def test_the_ledger_tells_another_process_what_is_in_hand():
    ours = Ledger.blank()
    theirs = Ledger(os.dup(ours.descriptor))
    assert ours.in_hand() == frozenset()
    for slot in range(SLOTS):
        theirs.take(slot, slot + 1, 40 + slot)
    assert ours.in_hand() == {(slot + 1, 40 + slot) for slot in range(SLOTS)}
    theirs.put_back(3)
    assert (4, 43) not in ours.in_hand()
    assert len(ours.in_hand()) == SLOTS - 1
    ours.close()
    theirs.close()
