"""The backends that tests marked ``anyio`` run on; a folder overrides ``anyio_backend`` to choose.

And no test may print a secret: what each of them, and every program that it starts, has written is searched.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator, Mapping

import hypothesis
import pytest
import trio.testing
from clocks import JumpingLoop
from mongod import Mongod

# A shell which starts us in the background has SIGINT ignored, and so would have every program that we start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes says something of the machine, not of the code.
hypothesis.settings.register_profile(
    "ryzen", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("ryzen")

#: What a bot's token and a session string look like; the local Telegram's own have the same form.
SECRET = re.compile(r"\b\d{6,12}:[A-Za-z0-9_-]{30,}|(?<![\w-])[A-Za-z0-9_-]{320,}={0,2}")

Backend = tuple[str, Mapping[str, object]]


def trio_backend() -> Backend:
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> Backend:
    """asyncio in real time, and trio with a jumping clock."""
    return trio_backend() if request.param == "trio" else ("asyncio", {})


@pytest.fixture(params=["asyncio", "trio"])
def jumping_backend(request: pytest.FixtureRequest) -> Backend:
    """asyncio and trio, both with a jumping clock: an hour takes no time."""
    return trio_backend() if request.param == "trio" else ("asyncio", {"loop_factory": JumpingLoop})


@pytest.fixture(scope="session")
def mongod_of_the_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    with Mongod(tmp_path_factory.mktemp("mongod")) as server:
        yield server


@pytest.fixture
def mongod(mongod_of_the_session: Mongod) -> Mongod:
    """A single-node replica set that runs, whatever the test before has done to it.

    ``mongod.url()`` is a database that nobody has used before.
    """
    if not mongod_of_the_session.running:
        mongod_of_the_session.start()
    return mongod_of_the_session


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Iterator[None] | pytest.TestReport:
    report = yield
    printed = [(name, text) for name, text in report.sections if "stdout" in name or "stderr" in name]
    leaks = [name for name, text in printed if SECRET.search(text)]
    if report.passed and call.when == "teardown" and leaks:
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} has printed a secret; see {', '.join(leaks)}"
    return report
