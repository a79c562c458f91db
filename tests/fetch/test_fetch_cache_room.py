"""The shelf's arithmetic, over whatever may be asked of it."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ryzen.fetch import sidecar
from ryzen.fetch.shelf import NoRoom, Shelf
from ryzen.fetch.sidecar import Recording

BUDGET = 1000
KEYS = st.sampled_from("abcdef")


class Claim:
    """What flies: its file, and how much of its claim is there."""

    def __init__(self, folder: Path, key: str) -> None:
        self.key, self.path, self.claimed = key, sidecar.new_path(folder, key), 0


class Room(RuleBasedStateMachine):
    """Claims, landings, uses and restarts in any order, on a real folder."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.now = 0.0
        self.flying: list[Claim] = []
        self.used: dict[str, float] = {}
        self.shelf = self.opened()

    def opened(self) -> Shelf:
        shelf = Shelf(Path(self.folder.name), BUDGET, lambda: self.now)
        anyio.run(shelf.tidy)
        return shelf

    def teardown(self) -> None:
        self.folder.cleanup()

    def there(self) -> set[str]:
        return {key for key in "abcdef" if self.shelf.find(key) is not None}

    @rule(key=KEYS, size=st.integers(1, 1200))
    def begin(self, key: str, size: int) -> None:
        claim = Claim(self.shelf.folder, key)
        self.flying.append(claim)
        self.claim(len(self.flying) - 1, size)

    @precondition(lambda self: self.flying)
    @rule(which=st.integers(0, 9), size=st.integers(1, 1200))
    def claim(self, which: int, size: int) -> None:
        claim = self.flying[which % len(self.flying)]
        before = self.there()
        others = self.shelf.claimed - claim.claimed
        try:
            anyio.run(self.shelf.claim, claim, size)
        except NoRoom:
            assert others + size > BUDGET, "there was room"
            assert self.there() == before, "nothing is put out in vain"
            return
        claim.claimed = size
        claim.path.write_bytes(bytes(size))
        self.check_order(before)

    def check_order(self, before: set[str]) -> None:
        """Whatever went was used no later than what stayed, among those used lately and the others."""
        out, left = before - self.there(), self.there()
        for gone in out:
            assert all(self.used[gone] <= self.used[key] for key in left)

    @precondition(lambda self: any(claim.claimed for claim in self.flying))
    @rule(which=st.integers(0, 9))
    def land(self, which: int) -> None:
        flying = [claim for claim in self.flying if claim.claimed]
        claim = flying[which % len(flying)]
        self.flying.remove(claim)
        recording = Recording(claim.path, claim.key, claim.claimed, self.now)
        os.utime(claim.path, (self.now, self.now))  # as a flight does, for the next process
        sidecar.write_sidecar(recording)
        anyio.run(self.shelf.put, recording, claim)
        self.used[claim.key] = self.now
        assert self.shelf.find(claim.key) == recording

    @precondition(lambda self: self.flying)
    @rule()
    def give_up(self) -> None:
        claim = self.flying.pop()
        claim.path.unlink(missing_ok=True)
        self.shelf.release(claim)

    @rule(key=KEYS, later=st.floats(0.5, 100))
    def use(self, key: str, later: float) -> None:
        self.now += later
        if (recording := self.shelf.find(key)) is not None:
            assert self.shelf.use(recording)
            self.used[key] = self.now

    @rule()
    def restart(self) -> None:
        """What flies is lost, what is whole is not."""
        before = self.there()
        self.flying.clear()
        self.shelf = self.opened()
        assert self.there() == before

    @invariant()
    def never_over_budget(self) -> None:
        assert self.shelf.used <= BUDGET
        assert sum(file.stat().st_size for file in self.shelf.folder.glob("*.media")) <= BUDGET

    @invariant()
    def what_flies_is_never_put_out(self) -> None:
        assert all(claim.path.exists() for claim in self.flying if claim.claimed)

    @invariant()
    def what_is_there_is_there(self) -> None:
        for key in self.there():
            recording = self.shelf.find(key)
            assert recording is not None
            assert recording.path.stat().st_size == recording.size


Room.TestCase.settings = settings(max_examples=40, stateful_step_count=25)
TestRoom = Room.TestCase


@pytest.mark.parametrize("size", [400, 900])
def test_on_a_full_disk_only_as_much_goes_as_has_to(tmp_path: Path, size: int) -> None:
    async def run() -> None:
        shelf = Shelf(tmp_path, BUDGET, lambda: now[0])
        for key in "ab":
            now[0] += 100
            path = sidecar.new_path(tmp_path, key)
            path.write_bytes(bytes(400))
            await shelf.put(Recording(path, key, 400, now[0]), None)
        assert await shelf.free(size, OSError(28, "full"))
        assert [key for key in "ab" if shelf.find(key)] == (["b"] if size == 400 else [])
        assert await shelf.free(1, OSError(28, "full")) is (size == 400)

    now = [0.0]
    anyio.run(run)


@pytest.mark.parametrize("how", ["claim", "free", "put"])
def test_what_the_index_has_let_go_is_removed_even_for_who_is_cancelled(tmp_path: Path, how: str) -> None:
    """Nobody else would: it would take room until the next start."""

    async def run() -> None:
        shelf = Shelf(tmp_path, BUDGET, lambda: 0.0)
        for key in "ab":
            path = sidecar.new_path(tmp_path, key)
            path.write_bytes(bytes(400))
            await shelf.put(Recording(path, key, 400, 0.0), None)
        with anyio.CancelScope() as scope:
            scope.cancel()
            match how:
                case "claim":
                    await shelf.claim(object(), 900)
                case "free":
                    await shelf.free(900, OSError(28, "full"))
                case _:
                    fresh = sidecar.new_path(tmp_path, "a")
                    fresh.write_bytes(bytes(10))
                    await shelf.put(Recording(fresh, "a", 10, 0.0), None)
        left = [recording.path for key in "ab" if (recording := shelf.find(key))]
        assert sorted(tmp_path.glob("*.media")) == sorted(left)

    anyio.run(run)


@given(st.text(), st.text())
def test_every_key_has_a_file_of_its_own(one: str, other: str) -> None:
    first, second = sidecar.new_path(Path(), one), sidecar.new_path(Path(), other)
    assert (first.name[:32] == second.name[:32]) is (one == other)
    assert first != second
