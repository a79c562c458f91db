"""The composition root: builds everything, and shows in one place in which order it starts and stops."""

from __future__ import annotations

import gc
import signal
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import anyio
import attrs
from anyio.abc import TaskStatus
from loguru import logger

from ryzen.actors.assistants import AssistantActor
from ryzen.actors.download import DownloadActor, DownloadPolicy
from ryzen.actors.health import Health
from ryzen.actors.ledger import Ledger
from ryzen.actors.mailbox import Mailbox
from ryzen.actors.ref import Ref
from ryzen.actors.store import Policy, StoreActor
from ryzen.actors.surroundings import Surroundings
from ryzen.audio import client as audio
from ryzen.beside import beside
from ryzen.bot.desk import Desk
from ryzen.bot.guard import Guard
from ryzen.bot.pace import Rate
from ryzen.bot.router import Manners, route
from ryzen.bot.screen import Screens
from ryzen.bot.words import Words
from ryzen.errors import ActorStopped, MailboxFull, VoiceTrouble
from ryzen.messages import Drop, Keep, ToStore, View
from ryzen.outside import Outside
from ryzen.player.effects import Notice, Noticed
from ryzen.player.state import Player
from ryzen.ports import Incoming
from ryzen.records import Prune
from ryzen.resume import Restorer
from ryzen.running import Keeping, RunningChats, id_of
from ryzen.settings import Settings
from ryzen.sources.links import find_link
from ryzen.sources.local import LocalSource
from ryzen.sourcing import Sourcing, sourcing
from ryzen.store import open_store
from ryzen.store.pulse import Pulse
from ryzen.store.spill import Spill
from ryzen.supervisor import RestartPolicy, Supervisor, supervise
from ryzen.telegram.client import Access
from ryzen.telegram.files import TelegramFiles
from ryzen.telegram.groups import AccountGroups
from ryzen.telegram.inbox import Inbox
from ryzen.telegram.outbox import BotOutbox
from ryzen.telegram.voice import VoiceCalls

#: Commands that may come in before the router is there to take them.
_EARLY = 1000
#: These are needed by everybody: if one of them cannot be kept alive, the process ends.
_VITAL = RestartPolicy(escalates=True)
#: The store's mail: a thousand chats may tell it something in one moment.
_STORE_MAIL = 4096
#: Seconds that the store may take to write the last of it when the bot stops.
_STORE_GRACE = 10.0
_DAY = 86_400.0
#: How long plays, daily charts and the players of quiet chats are remembered, in seconds.
_REMEMBERED = 90 * _DAY
#: How often the lateness of the event loop is measured, and for how long the worst is remembered, in seconds.
_LAG_EVERY, _LAG_KEPT = 0.1, 10.0

Reach = Callable[[int, str], Access]


class Door:
    """Lets in what Telegram sends; what comes before the house is ready waits outside."""

    def __init__(self) -> None:
        self._early: list[Incoming] = []
        self._through: Callable[[Incoming], None] | None = None

    def take(self, incoming: Incoming) -> None:
        if self._through is not None:
            self._through(incoming)
        elif len(self._early) < _EARLY:
            self._early.append(incoming)

    def open(self, through: Callable[[Incoming], None]) -> None:
        self._through = through
        while self._early:
            through(self._early.pop(0))

    def shut(self) -> None:
        """Nobody is in any more: what comes now is lost, as it would be a moment later."""
        self._through = None


class Gauges:
    """``bot.desk.Instruments``."""

    def __init__(self) -> None:
        self._supervisors: list[Supervisor] = []
        self._began = anyio.current_time()
        self._lags: list[tuple[float, float]] = []

    def watch(self, supervisor: Supervisor) -> None:
        self._supervisors.append(supervisor)

    def health(self) -> tuple[Health, ...]:
        return tuple(health for supervisor in self._supervisors for health in supervisor.health())

    def loop_lag(self) -> float:
        return max((lag for _, lag in self._lags), default=0.0)

    def uptime(self) -> float:
        return anyio.current_time() - self._began

    async def measure(self, alive: Callable[[float], None]) -> None:
        """Run for ever; ``alive`` is told the wall clock each time."""
        while True:
            due = anyio.current_time() + _LAG_EVERY
            await anyio.sleep_until(due)
            now = anyio.current_time()
            alive(time.time())
            self._lags.append((now, now - due))
            while self._lags[0][0] < now - _LAG_KEPT:
                self._lags.pop(0)


@attrs.frozen
class Running:
    """A bot that is up: what the sandbox and the benches look at."""

    chats: RunningChats
    gauges: Gauges
    audio: audio.AudioEngine
    music: Sourcing


@asynccontextmanager
async def running(
    settings: Settings, reach: Reach = Access, outside: Outside | None = None
) -> AsyncIterator[Running]:
    """The whole bot, for the length of the block. What is entered first is left last.

    ``reach`` is how Telegram is reached, ``outside`` the internet; the sandbox gives its own, and nothing
    else differs.
    Raises ConfigError if Telegram refuses an account, StoreUnusable or StoreAway if there is no database to
    begin with, and Escalation if the actors cannot be kept alive.
    """
    access = reach(settings.api_id, settings.api_hash.reveal())
    bot = access.bot(settings.bot_token.reveal(), settings.state_dir / "bot.session-string")
    assistant = access.assistant(settings.sessions[0].reveal())
    if len(settings.sessions) > 1:
        logger.warning("{} sessions are set; this version uses the first", len(settings.sessions))
    door = Door()
    gauges = Gauges()
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        # The worker before anything native: no process is started once the voice engine runs (facts.md).
        engine = await enter(audio.serve(lead=settings.audio_lead))
        store = await enter(open_store(settings.database.reveal()))
        library = await enter(LocalSource.open(settings.music_dir or _no_music(settings), settings.state_dir))
        files = TelegramFiles(
            bot, audio_limit=settings.telegram_audio_limit, video_limit=settings.telegram_video_limit
        )

        async def measure(path: Path) -> float | None:
            return await engine.loudness(str(path))

        music = await enter(sourcing(settings, outside or Outside(), library, files, measure))
        process = uuid.uuid4().hex
        pulse = stack.enter_context(Pulse(settings.state_dir / "pulse", process))
        tasks = await enter(beside())
        tasks.start_soon(library.watch)
        tasks.start_soon(gauges.measure, pulse.beat)

        calls = VoiceCalls(
            assistant, leave_at_end=settings.leave_at_stop
        )  # listens from the start, so that it misses no update
        bot.listen(Inbox(door.take, now=bot.now).take)
        async with anyio.create_task_group() as starting:
            for account in (assistant, bot):
                stack.push_async_callback(account.stop)
                starting.start_soon(account.start)
        for account in (assistant, bot):
            tasks.start_soon(account.watch)
        await enter(calls)
        words = Words.load(assistant=f"@{assistant.username}" if assistant.username else assistant.name)
        outbox = BotOutbox(bot)
        groups = AccountGroups(bot, assistant)
        screens = Screens(outbox, words)

        spill = Spill(settings.state_dir / "unwritten")
        ledger = Ledger(backlog=await spill.read())
        stack.push_async_callback(_leave_behind, ledger, spill)  # when the store's actor is gone
        services = await enter(supervise("services"))
        gauges.watch(services)
        policy = Policy(flush_interval=settings.flush_interval, flush_size=settings.flush_size)
        keeper = await services.start(
            "store",
            lambda *_: StoreActor(store, ledger, process, policy, caught_up=spill.clear),
            policy=_VITAL,
            mailbox=Mailbox(capacity=_STORE_MAIL),
            grace=_STORE_GRACE,
        )
        download = await services.start(
            "download",
            lambda *_: DownloadActor(
                music.gates,
                music.cache,
                find_link,
                searched=music.searched,
                songbook=music.songbook,
                policy=DownloadPolicy(at_once=settings.fetch_jobs),
                conditions=(music.cache.condition,),
            ),
            policy=_VITAL,
        )
        assistants = await services.start(
            "assistants", lambda *_: AssistantActor(groups, assistant.id), policy=_VITAL
        )
        world = Surroundings(
            decks=engine,
            calls=calls,
            download=download,
            assistants=assistants,
            screen=screens.of,
            queue_limit=settings.queue_limit,
            card_interval=settings.card_interval,
            leave_at_stop=settings.leave_at_stop,
        )

        def give_up(name: str, _: Exception) -> None:
            chat_id = id_of(name)
            chats.give_up(chat_id)
            tasks.start_soon(_clear_up, world, chat_id)

        chats_supervisor = await enter(supervise("chats", on_give_up=give_up, together=True))
        gauges.watch(chats_supervisor)
        chats = RunningChats(chats_supervisor, world, Keeping(keeper, process))

        desk = Desk(
            words=words,
            outbox=outbox,
            chats=chats,
            download=download,
            attachments=files,
            store=keeper,
            guard=Guard(groups, settings.owner_id, settings.sudoers),
            screens=screens,
            instruments=gauges,
            duration_limit=settings.duration_limit,
            playlist_limit=settings.playlist_limit,
            fetch_limit=settings.fetch_limit,
        )
        manners = Manners(
            bot.username,
            settings.command_prefixes,
            per_person=Rate(*settings.person_rate),
            per_chat=Rate(*settings.chat_rate),
        )
        router = await enter(route(desk, assistants, manners))
        restoring = await enter(beside())
        await restoring.start(Restorer(keeper, chats, pulse, settings.resume_rate).run)
        restoring.start_soon(_prune, keeper)
        door.open(router.accept)
        stack.callback(door.shut)  # before the router goes: the accounts hear Telegram until the end
        gc.freeze()  # what is there now stays: to look through it all took the loop 0.14 s each time
        logger.info("ready: @{}, with {} as the assistant", bot.username, assistant.name)
        yield Running(chats, gauges, engine, music)
        logger.info("stopping")


async def run(
    settings: Settings,
    reach: Reach = Access,
    outside: Outside | None = None,
    on_ready: Callable[[Running], None] | None = None,
) -> None:
    """Run until SIGTERM or SIGINT, then drain. A second signal kills the process at once."""
    async with beside() as tasks:
        asked = anyio.Event()
        await tasks.start(_heed_signals, asked)
        async with running(settings, reach, outside) as bot:
            if on_ready is not None:
                on_ready(bot)
            await asked.wait()


async def _heed_signals(asked: anyio.Event, *, task_status: TaskStatus[None]) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        task_status.started()
        async for number in signals:
            if asked.is_set():  # whoever insists gets it at once: a drain's shields would hold it up
                signal.signal(number, signal.SIG_DFL)
                signal.raise_signal(number)
            logger.info("{}: stopping", signal.Signals(number).name)
            asked.set()


async def _leave_behind(ledger: Ledger, spill: Spill) -> None:
    """What the database did not take until now, for the next process."""
    with anyio.CancelScope(shield=True):
        await spill.write(ledger.unwritten(time.time()))


async def _prune(store: Ref[ToStore]) -> None:
    """Once a day."""
    while True:
        try:
            store.tell(Keep(Prune(time.time() - _REMEMBERED)))
        except MailboxFull:
            logger.warning("the store is too busy to forget what is old: it is asked again tomorrow")
        await anyio.sleep(_DAY)


async def _clear_up(world: Surroundings, chat_id: int) -> None:
    """A chat's actor is not coming back: leave its call, fetch nothing more for it, and tell the chat."""
    try:
        world.download.tell(Drop(None, chat_id))
    except (MailboxFull, ActorStopped):
        logger.warning("chat {}: what it wanted is fetched all the same", chat_id)
    await world.calls.of(chat_id, _nobody_minds).leave()
    world.decks.open(chat_id, lambda _: None).close()
    screen = world.screen(chat_id)
    await screen.show(View(Player(), 0.0))  # nothing plays: the card goes
    await screen.notify(Notice(Noticed.FELL_OVER))


def _nobody_minds(_trouble: VoiceTrouble, _detail: str) -> None: ...


def _no_music(settings: Settings) -> Path:
    """Without MUSIC_DIR an empty folder of our own, where music may be put."""
    folder = settings.state_dir / "music"
    folder.mkdir(parents=True, exist_ok=True)
    logger.warning("MUSIC_DIR is not set: put music into {}, or set it", folder)
    return folder
