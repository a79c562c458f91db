"""One chat: its mailbox, its player, its call. The shell round the pure reducer.

``receive`` never waits for a network. What is slow runs in a lane or a task of this actor and comes back as
mail, with the epoch that it belongs to; mail of an older epoch changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import anyio
import attrs

from ryzen.actors.actor import Actor
from ryzen.actors.alarm import Alarm
from ryzen.actors.health import Vitals
from ryzen.actors.lanes import CallLane, CardLane
from ryzen.actors.ref import Ref
from ryzen.errors import (
    ActorError,
    ActorStopped,
    MailboxFull,
    Refusal,
    TrackError,
    TrackTrouble,
    VoiceError,
    VoiceTrouble,
)
from ryzen.messages import (
    Admit,
    CallLost,
    Command,
    Fetch,
    Happened,
    Look,
    Missed,
    Mute,
    PauseFor,
    Redraw,
    Tick,
    TimeUp,
    ToAssistant,
    ToChat,
    ToDownload,
    Unmute,
    View,
    Warm,
)
from ryzen.player import effects as do
from ryzen.player import events as ev
from ryzen.player.effects import Answer, Refused
from ryzen.player.reduce import reduce
from ryzen.player.state import Entry, Phase, Player
from ryzen.ports import (
    Calls,
    Decks,
    Screen,
    SoundEnded,
    SoundEvent,
    SoundFailed,
    SoundStalled,
    SoundStarted,
)

_NOT_INSIDE = (VoiceTrouble.ASSISTANT_MISSING, VoiceTrouble.ASSISTANT_BANNED)


@attrs.frozen
class Surroundings:
    """What every chat is given. Seconds throughout."""

    decks: Decks
    calls: Calls
    download: Ref[ToDownload]
    assistants: Ref[ToAssistant]
    screen: Callable[[int], Screen]
    queue_limit: int = 50
    card_interval: float = 10.0  #: between two drawings of the progress row
    linger: float = 300.0  #: a chat with nothing to do retires after this
    fetch_within: float = 60.0
    admit_within: float = 25.0


class ChatActor(Actor[ToChat]):
    """Keeps one chat's music going. A lost call or a bug crashes this chat, and this chat alone."""

    def __init__(self, chat_id: int, snapshot: Player | None, attempt: int, world: Surroundings) -> None:
        self.player = snapshot or Player(limit=world.queue_limit)
        self._chat_id, self._attempt, self._world = chat_id, attempt, world
        self._life = object()  # marks this incarnation's CallLost mail
        self._resolving: anyio.CancelScope | None = None
        self._busy_at = 0.0

    # -- the life of the actor
    async def started(self) -> None:
        world = self._world
        self._busy_at = anyio.current_time()
        self._choked = anyio.Event()
        self._deck = world.decks.open(self._chat_id, self._on_sound)
        call = world.calls.of(self._chat_id, self._lose)
        self._call = CallLane(call, self._deck, self._admit)
        self._card = CardLane(world.screen(self._chat_id), self._view)
        self._resuming, self._unmuting = Alarm(self.tasks, self._mail), Alarm(self.tasks, self._mail)
        self.tasks.start_soon(self._keep_call, name="call lane")
        self.tasks.start_soon(self._card.run, name="card lane")
        self.tasks.start_soon(self._tick, name="tick")
        self.tasks.start_soon(self._choke, name="choke")
        if self._attempt:
            self._step(ev.Recovered(self._attempt))

    async def receive(self, message: ToChat) -> object:
        match message:
            case Command(wish):
                return self._grant(wish)
            case PauseFor(seconds):
                answer = self._grant(ev.Pause())
                self._resuming.set(seconds)
                return answer
            case Mute(seconds):
                self._mute(True)
                if seconds is not None:
                    self._unmuting.set(seconds)
            case Unmute():
                self._mute(False)
            case Look():
                self._locate()
                return self._view()
            case Happened(fact):
                self._step(fact)
            case CallLost(life, trouble, detail):
                self._on_lost(life, VoiceError(trouble, detail))
            case Redraw():
                self._card.redraw(fresh=True)
            case Tick():
                self._on_tick()
            case TimeUp():
                self._on_time(message)
            case _:
                self.unhandled(message)
        return None

    async def stopped(self) -> None:
        await self._call.leave()
        self._deck.close()

    def snapshot(self) -> Player:
        return self.player

    def vitals(self, now: float) -> Vitals:
        position = self.player.position(now) if self.player.current is not None else None
        return Vitals(self.player.epoch, position)

    # -- the player
    def _grant(self, wish: ev.Wish) -> Answer | None:
        self._locate()
        self._busy_at = anyio.current_time()
        return self._step(wish)

    def _step(self, event: ev.PlayerEvent) -> Answer | None:
        """Let the player decide, and do what it says. Raises Refusal if it refuses the wish."""
        self.player, effects = reduce(self.player, event, anyio.current_time())
        answer: Answer | None = None
        for effect in effects:
            match effect:
                case do.Answer():
                    answer = effect
                case do.Refuse(code, number, seconds):
                    raise Refusal(code, number=number, seconds=seconds)
                case _:
                    self._do(effect)
        return answer

    def _do(self, effect: do.Effect) -> None:
        match effect:
            case do.Connect():
                self._call.want(True)
            case do.Leave():
                self._forget_resolving()
                self._resuming.off()
                self._call.hold(False)  # the next call starts moving,
                self._be_muted(False)  # and heard
                self._call.want(False)
                self._deck.silence()
            case do.Resolve(epoch, entry):
                self._forget_resolving()
                self._resolving = anyio.CancelScope()
                self.tasks.start_soon(self._resolve, self._resolving, epoch, entry, name="resolve")
            case do.Load(epoch, media, offset):
                self._deck.load(epoch, media, offset)
            case do.Silence():
                self._deck.silence()
            case do.Hush():
                self._call.hold(True)
            case do.Unhush():
                self._resuming.off()
                self._call.hold(False)
            case do.Prefetch(entry):
                self._prefetch(entry)
            case do.Card():
                self._card.redraw()
            case do.Notice():
                self._card.notify(effect)

    def _locate(self) -> None:
        """Tell the player where the engine truly is, before anything is reckoned from the position."""
        if (found := self._deck.position()) is not None:
            self._step(ev.Positioned(*found))

    def _view(self) -> View:
        return View(self.player, self.player.position(anyio.current_time()), self._call.mutes)

    # -- the track
    async def _resolve(self, scope: anyio.CancelScope, epoch: int, entry: Entry) -> None:
        with scope:
            try:
                media = await self._world.download.ask(Fetch(entry.track), within=self._world.fetch_within)
            except TrackError as error:
                self._happened(ev.TrackFailed(epoch, error.trouble))
            except ActorError:
                # The download actor is busy, slow or restarting: not the track's fault, but it cannot be had.
                self._happened(ev.TrackFailed(epoch, TrackTrouble.UNAVAILABLE))
            else:
                self._happened(ev.Resolved(epoch, media))

    def _forget_resolving(self) -> None:
        if self._resolving is not None:
            self._resolving.cancel()
            self._resolving = None

    def _prefetch(self, entry: Entry) -> None:
        try:
            self._world.download.tell(Warm(entry.track))
        except (MailboxFull, ActorStopped):
            return  # only a head start is lost: it is resolved when its turn comes

    def _on_sound(self, event: SoundEvent) -> None:
        match event:
            case SoundStarted(epoch):
                self._happened(ev.Started(epoch))
            case SoundEnded(epoch):
                self._happened(ev.Ended(epoch))
            case SoundFailed(epoch, trouble):
                self._happened(ev.TrackFailed(epoch, trouble))
            case SoundStalled(seconds):
                self._lose(VoiceTrouble.LOST, f"the engine has not read for {seconds:.1f} s")

    # -- the call
    def _mute(self, mute: bool) -> None:
        if self.player.current is None:
            raise Refusal(Refused.NOTHING_PLAYING)
        if mute is self._call.mutes:
            raise Refusal(Refused.ALREADY_MUTED if mute else Refused.NOT_MUTED)
        self._be_muted(mute)
        self._card.redraw()

    def _be_muted(self, mute: bool) -> None:
        self._unmuting.off()
        self._call.mute(mute)

    async def _admit(self) -> None:
        await self._world.assistants.ask(Admit(self._chat_id), within=self._world.admit_within)

    async def _keep_call(self) -> None:
        while True:
            try:
                await self._call.run()
            except VoiceError as error:
                if not error.lasting:
                    raise  # a crash: a fresh incarnation joins again
                self._call.want(False)
                if error.trouble in _NOT_INSIDE:  # an update about it was missed, perhaps
                    self._world.assistants.tell(Missed(self._chat_id))
                self._happened(ev.VoiceFailed(error.trouble))
            except ActorError as error:
                raise VoiceError(VoiceTrouble.LOST, "the assistant did not answer") from error

    def _lose(self, trouble: VoiceTrouble, detail: str) -> None:
        self._mail(CallLost(self._life, trouble, detail))

    def _on_lost(self, life: object, error: VoiceError) -> None:
        if life is not self._life:
            return  # the call of an incarnation that is dead already
        if not error.lasting:
            raise error
        self._step(ev.VoiceFailed(error.trouble))

    # -- mail to itself
    def _happened(self, fact: ev.Fact) -> None:
        self._mail(Happened(fact))

    def _mail(self, message: ToChat) -> None:
        try:
            self.ref.tell(message)
        except ActorStopped:
            return  # on the way out, nothing that happens matters any more
        except MailboxFull:
            # Even the places kept for events are gone. What is lost may be the end of a track, so this is a
            # crash: a fresh incarnation finds its way without it. Raised there, for whoever brought the news
            # is not to suffer, and may come when this life is over already.
            self._choked.set()

    async def _choke(self) -> None:
        await self._choked.wait()
        raise MailboxFull(self.ref.name)

    # -- time
    def _on_time(self, news: TimeUp) -> None:
        if self._resuming.rings(news):
            self._grant(ev.Resume())
        elif self._unmuting.rings(news):
            self._mute(False)

    async def _tick(self) -> None:
        while True:
            await anyio.sleep(self._world.card_interval)
            self._mail(Tick())

    def _on_tick(self) -> None:
        now = anyio.current_time()
        if self.player.phase is not Phase.IDLE:
            self._busy_at = now
        if self.player.phase is Phase.PLAYING:
            self._locate()
            self._card.redraw()
        elif not self.player.queue and now - self._busy_at >= self._world.linger:
            self.retiring = self.player.phase is Phase.IDLE
