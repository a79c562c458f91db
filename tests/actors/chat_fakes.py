"""The outside of a chat, in memory: it does what the real one does, on any clock."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import anyio
import attrs
from fetch_fakes import EASY, QUICK, FakeCache, FakeSource, find_link

from ryzen.actors.actor import Actor
from ryzen.actors.assistants import AssistantActor
from ryzen.actors.chat import ChatActor
from ryzen.actors.download import DownloadActor
from ryzen.actors.gate import Gate
from ryzen.actors.mailbox import Mailbox
from ryzen.actors.ref import Ref, Request
from ryzen.actors.saver import Saver
from ryzen.actors.surroundings import Inherited, Surroundings
from ryzen.errors import TrackTrouble, VoiceError, VoiceTrouble
from ryzen.messages import Command, Commit, Keep, Look, Restorable, Saved, Stored, ToStore, View
from ryzen.player import effects as do
from ryzen.player import events as ev
from ryzen.player.state import Asker, Media, Player, Track
from ryzen.ports import (
    Assistant,
    Call,
    Card,
    Deck,
    SoundEnded,
    SoundEvent,
    SoundFailed,
    SoundStalled,
    SoundStarted,
)
from ryzen.records import Change, LiveChat, Play, Played, SaveLive
from ryzen.supervisor import Supervisor, supervise

ADA = Asker(1, "Ada")
ASSISTANT = Assistant(99, "Assistant", "ryzen_assistant")


NOTHING = Saved((), {})
#: The wall clock is so far ahead of the loop's.
EPOCH = 1_700_000_000.0
GROUPS = (-1001, -1002, -1003)


def wall() -> float:
    return EPOCH + anyio.current_time()


def track(title: str, duration: float | None = 60.0) -> Track:
    return Track(f"fake:{title}", title, "fake", title, duration=duration)


class FakeDeck:
    """Moves with the clock once a call reads it; the test says when a track ends."""

    def __init__(self, on_event: Callable[[SoundEvent], None]) -> None:
        self._on_event = on_event
        self.loads: list[tuple[str, float]] = []
        self.loaded: tuple[int, float] | None = None
        self.since: float | None = None
        self.attached = self.held = self.closed = False
        self.silenced = 0

    def renew(self) -> str:
        return "/fake"

    def attach(self) -> None:
        self.attached = True
        self._move()

    def load(self, epoch: int, media: Media, offset: float) -> None:
        self.loads.append((media.path, round(offset, 2)))
        self.loaded, self.since = (epoch, offset), None
        if self.attached:
            self._move()

    def _move(self) -> None:
        if self.loaded is not None and not self.held and self.since is None:
            self.since = anyio.current_time()
            self._on_event(SoundStarted(self.loaded[0]))

    def silence(self) -> None:
        self.silenced += 1
        self.loaded = self.since = None

    def hold(self, held: bool) -> None:
        if self.loaded is not None:
            self.loaded = (self.loaded[0], self._at())
        self.held, self.since = held, None
        if self.attached:
            self._move()

    def _at(self) -> float:
        assert self.loaded is not None
        moved = 0.0 if self.since is None else anyio.current_time() - self.since
        return self.loaded[1] + moved

    def position(self) -> tuple[int, float] | None:
        return None if self.loaded is None or not self.attached else (self.loaded[0], self._at())

    def bytes_read(self) -> int:
        return int(self.attached)

    def close(self) -> None:
        self.closed = True

    # what the world does
    def end(self) -> None:
        assert self.loaded is not None
        self._on_event(SoundEnded(self.loaded[0], self._at()))

    def fail(self, trouble: TrackTrouble, played: float | None = None) -> None:
        assert self.loaded is not None
        self._on_event(SoundFailed(self.loaded[0], trouble, played))

    def stall(self) -> None:
        self._on_event(SoundStalled(4.0))


class FakeCall:
    def __init__(self, room: FakeRoom, on_lost: Callable[[VoiceTrouble, str], None]) -> None:
        self._room, self.on_lost = room, on_lost
        self.log: list[str] = []

    async def join(self, deck: Deck) -> None:
        await anyio.sleep(self._room.join_takes)
        if self._room.floods:
            raise VoiceError(VoiceTrouble.FLOODED, retry_after=self._room.floods.pop(0))
        if self._room.troubles:
            raise VoiceError(self._room.troubles.pop(0))
        assert isinstance(deck, FakeDeck)
        self.log.append("join")
        if not self._room.inside:
            self._room.muted = False
        self._room.inside = True
        deck.attach()

    async def leave(self) -> None:
        self.log.append("leave")
        self._room.inside = False

    async def release(self) -> None:
        self.log.append("release")
        self._room.inside = False

    async def pause(self) -> None:
        self.log.append("pause")

    async def resume(self) -> None:
        self.log.append("resume")

    async def mute(self, muted: bool) -> None:
        if self._room.muted is not muted:
            self.log.append("mute" if muted else "unmute")
            self._room.muted = muted


@attrs.define
class FakeRoom:
    """One group's voice chat, its deck and its screen: what a test looks at."""

    join_takes: float = 0.05
    troubles: list[VoiceTrouble] = attrs.Factory(list)
    floods: list[float] = attrs.Factory(list)
    inside: bool = False
    muted: bool = False  # as the engine has it: another deck, or another incarnation, does not change it
    decks: list[FakeDeck] = attrs.Factory(list)
    calls: list[FakeCall] = attrs.Factory(list)
    cards: list[View] = attrs.Factory(list)
    notices: list[do.Notice] = attrs.Factory(list)
    card: Card | None = None
    messages: int = 0
    discarded: list[int] = attrs.Factory(list)

    @property
    def deck(self) -> FakeDeck:
        return self.decks[-1]

    @property
    def call(self) -> FakeCall:
        return self.calls[-1]

    def adopt(self, card: Card) -> None:
        self.card, self.messages = card, max(self.messages, card.message)

    async def discard(self, message: int) -> None:
        self.discarded.append(message)

    async def show(self, view: View, fresh: bool = False, drawn: Callable[[], None] | None = None) -> None:
        self.cards.append(view)
        entry = view.player.current
        if entry is None:
            self.card = None
        elif self.card is None or self.card.entry != entry.id or fresh:
            self.messages += 1
            self.card = Card(self.messages, entry.id)

    async def notify(self, notice: do.Notice) -> None:
        self.notices.append(notice)

    def codes(self) -> list[str]:
        return [str(notice.code) for notice in self.notices]


class FakeWorld:
    """Implements Decks, Calls and Groups for any number of rooms.

    ``disk`` has the tracks of ``track``, ``tube`` those of ``web``, which are fetched into ``cache``.
    """

    def __init__(self) -> None:
        self.rooms: dict[int, FakeRoom] = {}
        self.disk, self.tube, self.cache = FakeSource("fake", on_disk=True), FakeSource("tube"), FakeCache()
        self.admitted: list[int] = []
        self.barred: VoiceTrouble | None = None

    def room(self, chat_id: int) -> FakeRoom:
        return self.rooms.setdefault(chat_id, FakeRoom())

    def open(self, chat_id: int, on_event: Callable[[SoundEvent], None]) -> Deck:
        deck = FakeDeck(on_event)
        self.room(chat_id).decks.append(deck)
        return deck

    def of(self, chat_id: int, on_lost: Callable[[VoiceTrouble, str], None]) -> Call:
        call = FakeCall(self.room(chat_id), on_lost)
        self.room(chat_id).calls.append(call)
        return call

    async def admit_assistant(self, chat_id: int) -> Assistant:
        await anyio.sleep(0.01)
        if self.barred is not None:
            raise VoiceError(self.barred)
        self.admitted.append(chat_id)
        return ASSISTANT

    async def managers(self, chat_id: int) -> frozenset[int]:
        return frozenset({ADA.id})


class Book(Actor[ToStore]):
    """In place of the store's actor: writes down what it is told."""

    def __init__(self, told: list[Change], before: Saved) -> None:
        self._told, self._before = told, before

    async def receive(self, message: ToStore) -> object:
        match message:
            case Keep(change):
                self._told.append(change)
                return None
            case Commit(changes):
                self._told.extend(changes)
                return Stored.NOW
            case Restorable():
                return self._before
            case _:
                raise AssertionError(message)


@attrs.frozen
class Stage:
    """A running system of fakes: the supervisor of the chats, the shared actors, the world."""

    chats: Supervisor
    world: FakeWorld
    surroundings: Surroundings
    store: Ref[ToStore]
    told: list[Change]
    services: Supervisor
    savers: dict[int, Saver] = attrs.Factory(dict)

    def open(self, chat_id: int, left: LiveChat | None = None) -> Ref[object]:
        """``left`` is what an earlier process left of it."""
        new = Saver(chat_id, self.store, "now", wall, iter(map(str, range(1000))).__next__, left)
        saver = self.savers.setdefault(chat_id, new)
        inherited = None if left is None else Inherited(Card(7, 1) if left.card else None)

        def make(snapshot: Player | None, attempt: int) -> ChatActor:
            return ChatActor(chat_id, snapshot, attempt, self.surroundings, saver, inherited)

        player = None if left is None else left.player
        return self.chats.spawn(f"chat:{chat_id}", make, policy=QUICK, snapshot=player)

    def kept(self, chat_id: int) -> list[LiveChat]:
        return [
            each.live for each in self.told if isinstance(each, SaveLive) and each.live.chat_id == chat_id
        ]

    @contextmanager
    def store_full(self) -> Iterator[None]:
        """As long as this lasts, the store's mailbox takes nothing."""
        box = self.store._mailbox
        before, box.capacity = box.capacity, 0
        yield
        box.capacity = before

    def plays(self) -> list[Play]:
        return [each.play for each in self.told if isinstance(each, Played)]

    async def ask(self, chat_id: int, request: Request[object]) -> object:
        return await self.open(chat_id).ask(request, within=5)

    async def wish(self, chat_id: int, wish: ev.Wish) -> do.Answer:
        answer = await self.ask(chat_id, Command(wish))
        assert isinstance(answer, do.Answer)
        return answer

    async def play(self, chat_id: int, *tracks: str | Track) -> do.Answer:
        """Titles are of tracks on the disk."""
        wanted = tuple(track(each) if isinstance(each, str) else each for each in tracks)
        return await self.wish(chat_id, ev.Play(wanted, ADA))

    async def look(self, chat_id: int) -> View:
        view = await self.open(chat_id).ask(Look(), within=5)
        assert isinstance(view, View)
        return view


@asynccontextmanager
async def stage(before: Saved = NOTHING, **options: float) -> AsyncIterator[Stage]:
    world = FakeWorld()
    gates = tuple(Gate(source, EASY) for source in (world.disk, world.tube))

    def downloading(_: object, __: int) -> DownloadActor:
        return DownloadActor(gates, world.cache, find_link, searched=("fake", "tube"))

    async with supervise("services") as services:
        download = await services.start("download", downloading, policy=QUICK)
        assistants = await services.start("assistants", lambda *_: AssistantActor(world, ASSISTANT.id))
        surroundings = Surroundings(world, world, download, assistants, world.room, **options)  # type: ignore[arg-type]
        told: list[Change] = []
        book = await services.start("store", lambda *_: Book(told, before), mailbox=Mailbox(capacity=1000))
        async with supervise("chats", together=True) as chats:
            yield Stage(chats, world, surroundings, book, told, services)
