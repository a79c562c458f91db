"""The chats that run, and what is known of those which do not."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

import attrs
from attrs import evolve
from cachetools import LRUCache

from ryzen.actors.chat import ChatActor
from ryzen.actors.ref import Ref
from ryzen.actors.saver import Saver
from ryzen.actors.surroundings import Inherited, Surroundings
from ryzen.messages import ToChat, ToStore
from ryzen.player.events import TakenOver
from ryzen.player.reduce import reduce
from ryzen.player.state import Player
from ryzen.ports import Card
from ryzen.records import LiveChat
from ryzen.supervisor import Supervisor

#: Chats with nothing to play whose history and cleared entries are at hand all the same.
REMEMBERED = 1000
#: Restores in a row without a sound, after which a chat is left to people.
HOPELESS = 3
#: Seconds that a chat may take to leave its call when the bot stops.
_GRACE = 8.0


@attrs.frozen
class Keeping:
    """With what the chats are kept: the store, our process' name, the wall clock, ids for plays."""

    store: Ref[ToStore]
    process: str
    wall: Callable[[], float] = time.time
    new_id: Callable[[], str] = lambda: uuid.uuid4().hex


class RunningChats:
    """``ports.Chats``: one actor for each chat that has something to do.

    A chat whose player is known, from an earlier process or from before it retired, wakes up with that.
    """

    def __init__(self, supervisor: Supervisor, world: Surroundings, keeping: Keeping) -> None:
        self._supervisor, self._world, self._keeping = supervisor, world, keeping
        self._savers: dict[int, Saver] = {}  # of those that run
        self._asleep: dict[int, LiveChat] = {}  # with something to go on with, or to tidy up
        self._idle: LRUCache[int, LiveChat] = LRUCache(REMEMBERED)  # without

    def open(self, chat_id: int) -> Ref[ToChat]:
        running = self._running(chat_id)
        return self._start(chat_id) if running is None else running

    def get(self, chat_id: int) -> Ref[ToChat] | None:
        running = self._running(chat_id)
        if running is None and (chat_id in self._asleep or chat_id in self._idle):
            return self._start(chat_id)
        return running

    def put_to_sleep(self, live: LiveChat) -> bool:
        """This is how a chat stands that does not run. Returns False if it runs already, and nothing is done.

        ``live.player.offset`` is where it goes on.
        """
        if self._running(live.chat_id) is not None:
            return False
        self._remember(live)
        return True

    def _remember(self, live: LiveChat) -> None:
        player = live.player
        if player.current is not None or player.queue or live.card is not None:
            self._asleep[live.chat_id] = live
        else:
            self._idle[live.chat_id] = live

    def replace(self, old: LiveChat, new: LiveChat) -> bool:
        """If it does not run, and that is how it stands, it is how it stands no longer."""
        if self._asleep.get(old.chat_id) is not old:
            return False
        self._asleep[old.chat_id] = new
        return True

    def give_up(self, chat_id: int) -> None:
        """Its actor is not coming back: the line is kept for whoever tries it next."""
        saver = self._savers.pop(chat_id, None)
        if saver is None or saver.last is None:
            return
        rested, _ = reduce(saver.last.player, TakenOver(hopeless=True), 0.0)
        saver.save(rested, None)
        self._remember(saver.last)

    def _start(self, chat_id: int) -> Ref[ToChat]:
        keeping = self._keeping
        found = self._asleep.pop(chat_id, None) or self._idle.pop(chat_id, None)
        saver = Saver(chat_id, keeping.store, keeping.process, keeping.wall, keeping.new_id, found)
        inherited = None if found is None else Inherited(_card_of(found), hopeless=found.attempts > HOPELESS)

        def make(snapshot: Player | None, attempt: int) -> ChatActor:
            nonlocal inherited
            mine, inherited = inherited, None  # a later incarnation has our own snapshot to go by
            return ChatActor(chat_id, snapshot, attempt, self._world, saver, mine)

        self._lay_down()
        self._savers[chat_id] = saver
        player = None if found is None else evolve(found.player, limit=self._world.queue_limit)
        return self._supervisor.spawn(name_of(chat_id), make, grace=_GRACE, snapshot=player)

    def _running(self, chat_id: int) -> Ref[ToChat] | None:
        if (ref := self._supervisor.get(name_of(chat_id))) is not None:
            return ref
        self._lay_down()
        return None

    def _lay_down(self) -> None:
        """Those that have retired."""
        for chat_id, saver in list(self._savers.items()):
            if self._supervisor.get(name_of(chat_id)) is None:
                del self._savers[chat_id]
                if saver.last is not None:
                    self._remember(saver.last)


def name_of(chat_id: int | str) -> str:
    """Of the chat's actor."""
    return f"chat:{chat_id}"


def id_of(name: str) -> int:
    """The chat whose actor has this name."""
    return int(name.removeprefix(name_of("")))


def _card_of(live: LiveChat) -> Card | None:
    if live.card is None or live.card_entry is None:
        return None
    return Card(live.card, live.card_entry)


def standing(live: LiveChat, until: float) -> LiveChat:
    """As its process left it ``until`` then: standing still at the position it had reached."""
    player = evolve(live.player, offset=live.position(until), since=None, media=None)
    return evolve(live, player=player, moving_since=None)
