"""The outside of the bot, in memory: what it writes, whom it asks, and chats that really reduce."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from typing import Any

import anyio
import attrs
from bot_keeping import NOW, AwayStore, keeper

from ryzen.actors.actor import Actor
from ryzen.actors.health import Health
from ryzen.actors.lanes import CardLane
from ryzen.actors.mailbox import Mailbox
from ryzen.actors.ref import Ref
from ryzen.bot.commands import COMMANDS
from ryzen.bot.desk import Desk
from ryzen.bot.guard import Guard
from ryzen.bot.pace import Rate
from ryzen.bot.router import Manners, Router, route
from ryzen.bot.screen import Screens
from ryzen.bot.table import Table
from ryzen.bot.words import Words
from ryzen.errors import Refusal, RyzenError, SendError
from ryzen.messages import (
    Command,
    Find,
    Look,
    LyricsOf,
    MemberChanged,
    Mute,
    PauseFor,
    Redraw,
    ToAssistant,
    ToChat,
    ToDownload,
    ToStore,
    Unmute,
    View,
)
from ryzen.origins import Listing, Lyrics
from ryzen.player import effects as do
from ryzen.player import events as ev
from ryzen.player.reduce import reduce
from ryzen.player.state import Asker, Media, Player, Track
from ryzen.ports import Assistant, Person, Pressed, Rows, Said
from ryzen.supervisor import RestartPolicy, Supervisor, supervise

GROUP, OTHER = -1001, -1002
OWNER, SUDOER, ADMIN, GUEST = Person(1, "Olga"), Person(2, "Sven"), Person(3, "Ada"), Person(4, "Gus")
UNLIMITED = Rate(0, 1.0)
WORDS = Words.load("en", assistant="@helper")


def track(title: str, duration: float | None = 220.0, link: str | None = None) -> Track:
    return Track(f"fake:{title}", title, "fake", title, artist="Band", duration=duration, link=link)


@attrs.define
class Message:
    chat_id: int
    id: int
    text: str
    rows: Rows
    reply_to: int | None = None
    edits: int = 0

    def labels(self) -> list[str]:
        return [button.label for row in self.rows for button in row]

    def data(self, label: str) -> str:
        return next(button.data for row in self.rows for button in row if button.label == label)


class FakeOutbox:
    """Telegram's side of every chat. A chat in ``slow`` takes for ever, one in ``closed`` refuses."""

    def __init__(self) -> None:
        self.chats: dict[int, list[Message]] = {}
        self.answers: list[tuple[int, str, bool]] = []
        self.slow: set[int] = set()
        self.closed: set[int] = set()
        self.reason = "CHAT_WRITE_FORBIDDEN"
        self.log: list[str] = []
        self._ids = count(100)

    async def send(self, chat_id: int, text: str, rows: Rows = (), reply_to: int | None = None) -> int:
        await self._reach(chat_id, "send")
        message = Message(chat_id, next(self._ids), text, rows, reply_to)
        self.of(chat_id).append(message)
        return message.id

    async def edit(self, chat_id: int, message_id: int, text: str, rows: Rows = ()) -> None:
        await self._reach(chat_id, "edit")
        message = next((each for each in self.of(chat_id) if each.id == message_id), None)
        if message is None:
            raise SendError("MESSAGE_ID_INVALID")
        message.text, message.rows, message.edits = text, rows, message.edits + 1

    async def delete(self, chat_id: int, message_id: int) -> None:
        await self._reach(chat_id, "delete")
        self.chats[chat_id] = [each for each in self.of(chat_id) if each.id != message_id]

    async def answer(self, press_id: int, text: str = "", alert: bool = False) -> None:
        await anyio.sleep(0)
        self.answers.append((press_id, text, alert))

    def of(self, chat_id: int) -> list[Message]:
        return self.chats.setdefault(chat_id, [])

    def texts(self, chat_id: int) -> list[str]:
        return [message.text for message in self.of(chat_id)]

    async def _reach(self, chat_id: int, what: str) -> None:
        self.log.append(what)
        await anyio.sleep(0)
        if chat_id in self.slow:
            await anyio.sleep_forever()
        if chat_id in self.closed:
            raise SendError(self.reason)


class FakeGroups:
    """Who manages which group; ``down``: Telegram cannot be asked; ``gate``: it answers when that is open."""

    def __init__(self) -> None:
        self.admins: dict[int, frozenset[int]] = {GROUP: frozenset({3}), OTHER: frozenset({3})}
        self.asked = 0
        self.down = False
        self.gate: anyio.Event | None = None

    async def admit_assistant(self, chat_id: int) -> Assistant:
        return Assistant(99, "Assistant")

    async def managers(self, chat_id: int) -> frozenset[int]:
        self.asked += 1
        now = self.admins.get(chat_id, frozenset())
        if self.gate is not None:
            await self.gate.wait()
        if self.down:
            raise SendError("TIMEOUT")
        return now


class PlayerActor(Actor[ToChat]):
    """A chat without sound: the real reducer, whose tracks start as soon as they are wished for."""

    def __init__(self, chat_id: int, snapshot: Player | None, stage: Stage) -> None:
        self.player, self._chat_id, self._stage = snapshot or Player(limit=stage.player_limit), chat_id, stage

    async def started(self) -> None:
        self._card = CardLane(self._stage.desk.screens.of(self._chat_id), self._view, lambda: None)
        self.tasks.start_soon(self._card.run)

    async def receive(self, message: ToChat) -> object:
        match message:
            case Command(wish):
                if self._stage.gate is not None:
                    await self._stage.gate.wait()
                if self._stage.trouble is not None:
                    raise self._stage.trouble
                return self._step(wish)
            case PauseFor() | Mute() | Unmute():
                if self._stage.trouble is not None:
                    raise self._stage.trouble
                self._stage.hushed.append(message)
                if isinstance(message, PauseFor):
                    return self._step(ev.Pause())
            case Look():
                return self._view()
            case Redraw():
                self._card.redraw(fresh=True)
        return None

    def snapshot(self) -> Player:
        return self.player

    def _step(self, event: ev.PlayerEvent) -> do.Answer | None:
        self.player, effects = reduce(self.player, event, anyio.current_time())
        answer = None
        for effect in effects:
            match effect:
                case do.Answer():
                    answer = effect
                case do.Refuse(code, number, seconds):
                    raise Refusal(code, number=number, seconds=seconds)
                case do.Resolve(epoch, entry):
                    self._step(ev.Resolved(epoch, Media(entry.track.title, entry.track.duration)))
                case do.Load(epoch):
                    self._step(ev.Started(epoch))
                case do.Card():
                    self._card.redraw()
        return answer

    def _view(self) -> View:
        return View(self.player, self.player.position(anyio.current_time()))


@attrs.define
class FakeMusic:
    """What is found for a text, and the lyrics of a title; everything else is a track of that very name."""

    listings: dict[str, Listing] = attrs.Factory(dict)
    lyrics: dict[str, Lyrics] = attrs.Factory(dict)
    trouble: RyzenError | None = None
    asked: list[Find | LyricsOf] = attrs.Factory(list)


class FakeDownload(Actor[ToDownload]):
    """What is in ``music``; ``nothing`` is not found, ``slow`` takes for ever, ``bug`` crashes."""

    def __init__(self, music: FakeMusic) -> None:
        self._music = music

    async def receive(self, message: ToDownload) -> object:
        assert isinstance(message, Find | LyricsOf)
        self._music.asked.append(message)
        if self._music.trouble is not None:
            raise self._music.trouble
        if isinstance(message, LyricsOf):
            return self._music.lyrics.get(message.title)
        match message.text:
            case known if known in self._music.listings:
                return self._music.listings[known]
            case "nothing":
                return Listing(())
            case "slow":
                return self.later(anyio.sleep_forever)
            case "bug":
                raise ZeroDivisionError
            case "epic":
                return Listing((track("epic", duration=3601.0),))
            case words:
                return Listing((track(words),))


class FakeAttachments:
    """The files in messages, by chat and message."""

    def __init__(self) -> None:
        self.files: dict[tuple[int, int], Track] = {}

    async def attached(self, chat_id: int, message_id: int) -> Track | None:
        await anyio.sleep(0)
        return self.files.get((chat_id, message_id))


class FakeAssistants(Actor[ToAssistant]):
    def __init__(self) -> None:
        self.heard: list[MemberChanged] = []

    async def receive(self, message: ToAssistant) -> object:
        assert isinstance(message, MemberChanged)
        self.heard.append(message)
        return None


class Instruments:
    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor

    def health(self) -> tuple[Health, ...]:
        return self._supervisor.health()

    def loop_lag(self) -> float:
        return 0.0025

    def uptime(self) -> float:
        return 3725.0


@attrs.define
class Stage:
    """The bot's words on a supervised system of fakes; a test types, presses and reads."""

    chats: Supervisor
    outbox: FakeOutbox
    groups: FakeGroups
    assistants: FakeAssistants
    services: Supervisor
    away: AwayStore
    attachments: FakeAttachments
    music: FakeMusic
    desk: Desk = attrs.field(init=False)
    router: Router = attrs.field(init=False)
    player_limit: int = 3
    trouble: Exception | None = None  # what a chat raises over the next wishes
    gate: anyio.Event | None = None  # where a chat is stuck over the next wish
    hushed: list[PauseFor | Mute | Unmute] = attrs.Factory(list)  # what chats were asked for
    titles: dict[int, str] = attrs.Factory(lambda: {GROUP: "The <b>Group</b>", OTHER: "The Other"})
    _ids: count[int] = attrs.Factory(lambda: count(1))

    # ports.Chats
    def open(self, chat_id: int) -> Ref[ToChat]:
        def make(snapshot: Player | None, attempt: int) -> PlayerActor:
            return PlayerActor(chat_id, snapshot, self)

        policy = RestartPolicy(first=0.01, ceiling=0.01)
        return self.chats.spawn(f"chat:{chat_id}", make, policy=policy)

    def get(self, chat_id: int) -> Ref[ToChat] | None:
        return self.chats.get(f"chat:{chat_id}")

    # people
    def type(
        self,
        text: str,
        sender: Person = ADMIN,
        chat_id: int = GROUP,
        private: bool = False,
        **more: Any,
    ) -> int:
        """Returns the message id. ``more`` are fields of ``Said``."""
        message_id = next(self._ids)
        title = "" if private else self.titles[chat_id]
        said = Said(chat_id, message_id, sender, text, private=private, chat_title=title, **more)
        self.router.accept(said)
        return message_id

    async def say(
        self, text: str, sender: Person = ADMIN, chat_id: int = GROUP, private: bool = False
    ) -> str:
        """Type it, and wait for what the bot replies."""
        message_id = self.type(text, sender, chat_id, private)
        reply_to = None if private else message_id
        seen = {each.id for each in self.outbox.of(chat_id)}

        def replied() -> list[Message]:
            new = [each for each in self.outbox.of(chat_id) if each.id not in seen]
            return [each for each in new if each.reply_to == reply_to]

        await until(replied)
        return replied()[0].text

    async def press(
        self, label: str, sender: Person = ADMIN, chat_id: int = GROUP, message: Message | None = None
    ) -> tuple[str, bool]:
        """Press a button of the card; returns the answer, and whether it is an alert."""
        message = message or self.card(chat_id)
        return await self.press_data(message.data(label), sender, chat_id, message.id)

    async def press_data(self, data: str, sender: Person, chat_id: int, message_id: int) -> tuple[str, bool]:
        press_id = next(self._ids)
        self.router.accept(Pressed(press_id, chat_id, message_id, sender, data))
        await until(lambda: any(each[0] == press_id for each in self.outbox.answers))
        [(_, text, alert)] = [each for each in self.outbox.answers if each[0] == press_id]
        return text, alert

    # what a test looks at
    def card(self, chat_id: int = GROUP) -> Message:
        return [each for each in self.outbox.of(chat_id) if "⏭ Skip" in each.labels()][-1]

    def cards(self, chat_id: int = GROUP) -> list[Message]:
        return [each for each in self.outbox.of(chat_id) if "⏭ Skip" in each.labels()]

    async def player(self, chat_id: int = GROUP) -> Player:
        return (await self.open(chat_id).ask(Look(), within=5)).player

    async def playing(self, *titles: str, chat_id: int = GROUP) -> None:
        """Have these played and queued, with a card."""
        tracks = tuple(track(title) for title in titles)
        await self.open(chat_id).ask(Command(ev.Play(tracks, asker(GUEST))), within=5)
        await until(lambda: self.cards(chat_id))


def asker(person: Person) -> Asker:
    return Asker(person.id, person.name)


async def until(condition: Callable[[], object]) -> None:
    """Wait for something that is on its way."""
    with anyio.fail_after(5):
        while not condition():
            await anyio.sleep(0.002)


@asynccontextmanager
async def stage(table: Table = COMMANDS, kept: bool = False, **manners: object) -> AsyncIterator[Stage]:
    """``kept``: with the real store and a database, which is away otherwise."""
    assistants, away, music = FakeAssistants(), AwayStore(), FakeMusic()
    options = {"username": "ryzen_bot", "per_person": UNLIMITED, "per_chat": UNLIMITED, **manners}
    async with AsyncExitStack() as stack:
        keep = await stack.enter_async_context(keeper()) if kept else lambda: away
        services = await stack.enter_async_context(supervise("services"))
        chats = await stack.enter_async_context(supervise("chats", together=True))
        download: Ref[ToDownload] = await services.start("download", lambda *_: FakeDownload(music))
        ref: Ref[ToAssistant] = await services.start("assistants", lambda *_: assistants)
        store: Ref[ToStore] = await services.start("store", lambda *_: keep(), mailbox=Mailbox(8, 2))
        outbox, groups = FakeOutbox(), FakeGroups()
        set_up = Stage(chats, outbox, groups, assistants, services, away, FakeAttachments(), music)
        set_up.desk = Desk(
            words=WORDS,
            outbox=outbox,
            chats=set_up,
            download=download,
            store=store,
            attachments=set_up.attachments,
            guard=Guard(groups, OWNER.id, frozenset({SUDOER.id})),
            screens=Screens(outbox, WORDS),
            instruments=Instruments(chats),
            playlist_limit=12,
            wall=lambda: NOW,
        )
        async with route(set_up.desk, ref, Manners(**options), table) as set_up.router:  # type: ignore[arg-type]
            yield set_up
