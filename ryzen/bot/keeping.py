"""What the bot tells the store, asks of it, and wants kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from loguru import logger

from ryzen.bot.desk import Desk, somebody
from ryzen.errors import ActorStopped, MailboxFull
from ryzen.messages import Commit, Keep, Recall, Stored
from ryzen.ports import Said, Store
from ryzen.records import Change, SawChat, SawUser

R = TypeVar("R")

#: Seconds for an answer, and for a change: for that a little more than the store waits before it says LATER.
#: With a look at the chat, together less than a command's time on its lane.
RECALL_WITHIN, COMMIT_WITHIN = 3.0, 3.5


async def recall(desk: Desk, question: Callable[[Store], Awaitable[R]]) -> R:
    """Raises what ``Ref.ask`` raises; a Refusal (``Declined.AWAY``) while the database is away."""
    return await desk.store.ask(Recall(question), within=RECALL_WITHIN)


async def commit(desk: Desk, change: Change) -> Stored:
    """Raises what ``Ref.ask`` raises; a Refusal (``Declined``) if it cannot be kept at all."""
    return await desk.store.ask(Commit((change,)), within=COMMIT_WITHIN)


def served(desk: Desk, said: Said) -> None:
    """Somebody has used the bot: note who, and where. A store that takes nothing costs this note alone."""
    now = desk.wall()
    seen: list[Change] = []
    if not said.private:
        seen.append(SawChat(said.chat_id, said.chat_title, now))
    if somebody(said.sender):
        seen.append(SawUser(said.sender.id, said.sender.name, now))
    try:
        for change in seen:
            desk.store.tell(Keep(change))
    except (MailboxFull, ActorStopped) as error:
        logger.warning("that {} was served is not noted: {}", said.chat_id, type(error).__name__)
