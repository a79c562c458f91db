"""What could not be written at the end is brought to the database by the next process, exactly."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loguru import logger

from ryzen.player.state import Asker, Entry, Loop, Media, Phase, Player, Track
from ryzen.records import (
    FAVOURITES,
    AddToPlaylist,
    AssignAssistant,
    Batch,
    Beat,
    Broadcast,
    Change,
    Control,
    DropPlaylist,
    Enlist,
    LiveChat,
    LostChat,
    Member,
    Play,
    Played,
    Prune,
    ResetSettings,
    Roll,
    SaveBroadcast,
    SaveLive,
    SawChat,
    SawUser,
    SetFlag,
    SetLanguage,
    SetSetting,
    Strike,
    TakeFromPlaylist,
)
from ryzen.store.spill import Spill, decoded, encoded, heading

pytestmark = pytest.mark.anyio

TRACK = Track("local:1", 'a "song"\n\u2028 ♥ \ud83d', "local", "/music/1", "Ann", 61.5, "https://example.org")
PLAYER = Player(
    limit=7,
    phase=Phase.PAUSED,
    current=Entry(3, TRACK, Asker(1, "Ann")),
    queue=(Entry(4, TRACK, Asker(-1, "")),),
    history=(Entry(2, attrs.evolve(TRACK, duration=None, link=None), Asker(2, "Bob")),),
    loop=Loop.TRACK,
    loops_left=2,
    offset=12.5,
    media=Media("/cache/1", 61.0),
    next_id=5,
)
#: One of every kind.
CHANGES: tuple[Change, ...] = (
    SetSetting(-1, "volume", 7),
    SetSetting(-1, "clean", True),
    SetSetting(-1, "queue_limit", None),
    SetSetting(-1, "control", Control.VOTING),
    ResetSettings(-1),
    Enlist(Roll.AUTHORISED, Member(5, "Eve", 1, 2.5, "kind"), -1),
    Strike(Roll.BLOCKED, 5),
    SawChat(-(2**62), "Group", 1.0),
    SawUser(2**62, "Ann", 1.5),
    LostChat(-1),
    SetLanguage(5, None),
    SetLanguage(5, "de"),
    AddToPlaylist(5, FAVOURITES, TRACK, 3.0),
    TakeFromPlaylist(5, "x", "local:1"),
    DropPlaylist(5, "x"),
    Played(Play("p", -1, Asker(5, "Eve"), TRACK, 4.0)),
    AssignAssistant(-1, 99),
    AssignAssistant(-1, None),
    SaveBroadcast(Broadcast("b", 1, 2.0, -3, 4, ("pin", "all"), 5, 6, 7, True)),
    SaveLive(LiveChat(-1, PLAYER, 5.0, "me", 4.5, 10**16, 6, 3, 1, 2)),
    SaveLive(LiveChat(-2, Player(), 5.0, "me")),
    Beat("me", 6.0),
    SetFlag("maintenance", None),
    SetFlag("maintenance", "soon"),
    Prune(7.0),
)
BATCHES = (Batch("one", CHANGES), Batch("two.3", CHANGES[:1]))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def spill(tmp_path: Path) -> Spill:
    return Spill(tmp_path / "state" / "spill")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "spill"


@pytest.fixture
def log() -> Iterator[Callable[[str], list[str]]]:
    """``log("ERROR")``: the lines written at that level so far."""
    lines: list[tuple[str, str]] = []
    sink = logger.add(lambda line: lines.append((line.record["level"].name, line.record["message"])))
    yield lambda level: [text for at, text in lines if at == level]
    logger.remove(sink)


def test_no_kind_of_change_is_forgotten_here() -> None:
    assert {type(change) for change in CHANGES} == set(Change.__args__)


async def test_every_change_comes_back_as_it_went_and_in_order(spill: Spill) -> None:
    await spill.write(BATCHES)
    assert await spill.read() == BATCHES
    assert [type(each) for each in (await spill.read())[0].changes] == [type(each) for each in CHANGES]
    assert (await spill.read())[0].changes[1].value is True


async def test_without_a_spill_there_is_nothing_to_read_and_nothing_to_clear(
    spill: Spill, file: Path
) -> None:
    assert await spill.read() == ()
    await spill.clear()
    await spill.write(())
    assert not file.exists()


async def test_it_stays_until_it_is_said_that_it_may_go(spill: Spill, file: Path) -> None:
    await spill.write(BATCHES)
    await spill.read()
    await spill.write(BATCHES[:1])
    assert await spill.read() == BATCHES[:1]
    await spill.clear()
    assert await spill.read() == ()
    await spill.write(BATCHES)
    await spill.write(())
    assert list(file.parent.iterdir()) == []


async def test_nobody_else_may_read_it(spill: Spill, file: Path) -> None:
    await spill.write(BATCHES)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.iterdir()) == [file]


async def test_one_that_cannot_be_written_is_told_and_leaves_the_one_before(
    spill: Spill, file: Path, tmp_path: Path, log: Callable[[str], list[str]]
) -> None:
    await Spill(tmp_path / "state" / "there").write(BATCHES)
    file.mkdir()  # nothing can take its place
    await spill.write(BATCHES)
    await spill.clear()
    assert log("ERROR")[0].startswith(f"{len(CHANGES) + 1} changes are lost: {file} cannot be written")
    assert f"{file} cannot be removed, do it by hand" in log("ERROR")[1]
    assert await Spill(tmp_path / "state" / "there").read() == BATCHES


def bare(change: dict[str, object]) -> bytes:
    return json.dumps({"id": "x", "changes": [change]}).encode()


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: data[: len(data) // 2],
        lambda data: data.replace(b"spill 1", b"spill 2"),
        lambda data: data.replace(b"Eve", b"Eva"),
        lambda data: b"\xff" * 100,
    ],
)
async def test_a_damaged_one_is_kept_aside_and_told_and_the_bot_starts(
    spill: Spill, file: Path, log: Callable[[str], list[str]], damage: Callable[[bytes], bytes]
) -> None:
    for number in (1, 2):
        await spill.write(BATCHES)
        damaged = damage(file.read_bytes())
        file.write_bytes(damaged)
        assert await spill.read() == ()
        assert await spill.read() == ()
        aside = file.with_name(f"spill.damaged-{number}")
        assert aside.read_bytes() == damaged
        assert len(log("ERROR")) == number
        assert str(aside) in log("ERROR")[-1]
        assert "Eva" not in log("ERROR")[-1]


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"{",
        b'{"id": "x", "changes": 5}',
        bare({"change": "Nonsense"}),
        bare({"chat_id": 1}),
        bare({"change": "SetSetting", "chat_id": 1, "name": "nonsense", "value": 1}),
        bare({"change": "SetSetting", "chat_id": 1, "name": "volume", "value": 1000}),
        bare({"change": "ResetSettings"}),
        bare({"change": "SaveLive", "live": None}),
        b"[" * 100_000,
    ],
)
async def test_one_that_says_what_we_do_not_know_is_kept_aside_as_well(
    spill: Spill, file: Path, log: Callable[[str], list[str]], body: bytes
) -> None:
    file.parent.mkdir()
    file.write_bytes(heading(body) + b"\n" + body)
    assert await spill.read() == ()
    assert file.with_name("spill.damaged-1").exists()
    assert len(log("ERROR")) == 1


async def test_one_that_cannot_even_be_moved_is_told(
    spill: Spill, file: Path, tmp_path: Path, log: Callable[[str], list[str]]
) -> None:
    file.parent.mkdir()
    file.symlink_to(file)  # an error to read, but not to move
    assert await spill.read() == ()
    assert file.with_name("spill.damaged-1").is_symlink()
    nowhere = Spill(tmp_path / ("x" * 250))  # may be read, were it there; its name aside is too long
    (tmp_path / ("x" * 250)).write_bytes(b"?")
    assert await nowhere.read() == ()
    assert "nor moved" in log("ERROR")[-1]


@given(name=st.text(), at=st.floats(allow_nan=False), value=st.integers(-(2**63), 2**63 - 1))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_whatever_text_and_number_there_is_comes_back(name: str, at: float, value: int) -> None:
    batch = Batch(name, (SawUser(value, name, at), SetFlag(name, name), Beat(name, at)))
    assert decoded(encoded([batch])) == (batch,)
