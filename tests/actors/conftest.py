"""Here nothing touches the outside, so time is free on both backends."""

import pytest
import trio.testing
from clocks import JumpingLoop


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, object]]:
    if request.param == "trio":
        return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}
    return "asyncio", {"loop_factory": JumpingLoop}
