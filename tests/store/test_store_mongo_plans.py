"""Each question and each change finds its documents by an index, and nothing is sorted on the way.

The server writes down what it is really asked (its profiler); then we ask how it does that (``explain``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from mongod import Mongod
from pymongo.database import Database
from store_values import ANN, BOB, DAY, GROUP, MIDNIGHT, OTHER, TODAY, answers, apply, batch, everything, rows

from ryzen.records import Prune
from ryzen.store.mongo import open_mongo
from ryzen.store.schema import TABLES

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_every_question_and_every_change_has_its_index(mongod: Mongod) -> None:
    url = mongod.url("plans")
    with mongod.client() as client:
        database = client.plans
        async with open_mongo(url) as store:
            await store.apply(batch(*everything(), id="first"))
            database.command("profile", 2)
            await store.apply(batch(*everything(), id="first"))
            await apply(store, Prune(MIDNIGHT + DAY))
            await apply(store, *everything())
            await answers(store, [GROUP, OTHER], [ANN, BOB], [TODAY])
            await store.chats(after=GROUP, limit=1)
            await rows(store)
            database.command("profile", 0)
        asked = list(_asked(database))
        plans = [(table, command, list(_stages(_plan(database, command)))) for table, command in asked]
    assert {table for table, _, _ in plans} == {table.name for table in TABLES}
    assert {next(iter(command)) for _, command, _ in plans} == {"find", "update", "delete"}
    for table, command, stages in plans:
        names = {stage.get("stage") for stage in stages}
        assert names & {"IXSCAN", "IDHACK", "EXPRESS_IXSCAN"}, (table, command)
        assert not names & {"COLLSCAN", "SORT"}, (table, command)
        if command.get("filter") != {}:  # all of it is all of it; anything else is found, not looked for
            assert "[MinKey, MaxKey]" not in _first_bounds(stages), (table, command)


def _asked(database: Database[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Table and command of everything that was asked of our tables."""
    ours = {table.name for table in TABLES}
    for entry in database["system.profile"].find({"op": {"$in": ["query", "update", "remove"]}}):
        table, command = entry["ns"].partition(".")[2], entry["command"]
        if table not in ours:
            continue
        if entry["op"] == "query":
            shape = ("find", "filter", "sort", "projection", "limit")
            yield table, {name: command[name] for name in shape if name in command}
        elif entry["op"] == "update":
            yield table, {"update": table, "updates": [command]}
        else:
            yield table, {"delete": table, "deletes": [command]}


def _plan(database: Database[dict[str, Any]], command: dict[str, Any]) -> dict[str, Any]:
    plan: dict[str, Any] = database.command("explain", command, verbosity="queryPlanner")
    return dict(plan["queryPlanner"]["winningPlan"])


def _stages(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """This one and all that feed it."""
    yield plan
    for inner in [plan[name] for name in ("inputStage", "queryPlan") if name in plan] + plan.get(
        "inputStages", []
    ):
        yield from _stages(inner)


def _first_bounds(stages: list[dict[str, Any]]) -> list[str]:
    """Of the first field of each index: what of it is read."""
    return [each for stage in stages for each in next(iter(stage.get("indexBounds", {}).values()), [])]
