"""Break the code on purpose, one small change at a time, and expect the tests to notice.

    .venv/bin/python scripts/mutate [--jobs N] [--path TEXT] [PART ...]

Each ``tests/PART/mutants.py`` defines ``TESTS``, the folders to run, and ``MUTANTS``, a list of (path, old
text, new text). The old text must be found exactly once; with the new one in its place, in a copy of the
tree, the tests must turn red, or hang. Ends with 1 if a mutant survives, or cannot be tried.
"""

from __future__ import annotations

import argparse
import os
import runpy
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
COPIED = ("ryzen", "tests", "pyproject.toml")
LONGEST_TEST = 30  # seconds; a mutant that hangs is as dead as one that fails
LONGEST_RUN = 600
PATIENCE = 3  # how much longer than the unharmed run before it counts as hanging


class Mutant(NamedTuple):
    path: str
    old: str
    new: str
    tests: tuple[str, ...]

    def __str__(self) -> str:
        old, new = (" ".join(text.split()) for text in (self.old, self.new))
        return f"{self.path}: {old[:60]!r} -> {new[:40]!r}"


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("parts", nargs="*", metavar="PART", help="folders of tests/; all by default")
    arguments.add_argument("--jobs", type=int, default=os.cpu_count(), help="mutants tried at the same time")
    arguments.add_argument("--path", default="", help="only mutants of files whose path contains this")
    options = arguments.parse_args()

    mutants = [mutant for mutant in collect(options.parts) if options.path in mutant.path]
    unfit = [mutant for mutant in mutants if (ROOT / mutant.path).read_text().count(mutant.old) != 1]
    for mutant in unfit:
        print("NOT FOUND EXACTLY ONCE", mutant)
    if unfit:
        return 1
    with ThreadPoolExecutor(options.jobs) as pool:
        limits: dict[tuple[str, ...], float] = {}
        suites = {mutant.tests for mutant in mutants}
        for tests, (verdict, seconds) in zip(suites, pool.map(unharmed, suites), strict=True):
            if verdict != "SURVIVED":
                print("not green to begin with:", *tests)
                return 1
            limits[tests] = LONGEST_TEST + PATIENCE * seconds
        alive = 0
        verdicts = pool.map(lambda mutant: attempt(mutant, limits[mutant.tests]), mutants)
        for mutant, verdict in zip(mutants, verdicts, strict=True):
            print(f"{verdict:8}", mutant, flush=True)
            alive += not verdict.startswith("killed")
    print(f"{len(mutants)} mutants, {alive} not killed")
    return 1 if alive or not mutants else 0


def collect(parts: list[str]) -> list[Mutant]:
    files = sorted(ROOT.glob("tests/*/mutants.py"))
    if unknown := set(parts) - {file.parent.name for file in files}:
        sys.exit(f"no mutants.py in: {', '.join(sorted(unknown))}")
    mutants = []
    for file in files:
        if not parts or file.parent.name in parts:
            listed = runpy.run_path(str(file))
            tests = tuple(listed["TESTS"])
            mutants += [Mutant(path, old, new, tests) for path, old, new in listed["MUTANTS"]]
    return mutants


def unharmed(tests: tuple[str, ...]) -> tuple[str, float]:
    """The verdict on the tree as it is, and how many seconds that took."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        tree = copy_to(Path(folder))
        began = time.monotonic()
        return run_tests(tree, tests, LONGEST_RUN), time.monotonic() - began


def attempt(mutant: Mutant, limit: float) -> str:
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        tree = copy_to(Path(folder))
        file = tree / mutant.path
        file.write_text(file.read_text().replace(mutant.old, mutant.new))
        return run_tests(tree, mutant.tests, limit)


def copy_to(folder: Path) -> Path:
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        else:
            shutil.copy(source, folder / name)
    return folder


def run_tests(tree: Path, tests: tuple[str, ...], limit: float) -> str:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
    try:
        run = subprocess.run(
            [*command, f"--timeout={LONGEST_TEST}", *tests],
            cwd=tree,
            env={**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            timeout=limit,
        )
    except subprocess.TimeoutExpired:
        return "killed, it hangs:"
    if run.returncode == 1 and b"Timeout (" in run.stdout + run.stderr:
        return "killed, it hangs:"
    return {0: "SURVIVED", 1: "killed"}.get(run.returncode, f"BROKEN, pytest ended with {run.returncode}:")


if __name__ == "__main__":
    sys.exit(main())
