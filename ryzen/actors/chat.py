"""One chat: its mailbox, its player, its call. The shell round the pure reducer.

``receive`` never waits for a network. What is slow runs in a lane or a task of this actor and comes back as
mail, with the epoch that it belongs to; mail of an older epoch changes nothing.
"""

from __future__ import annotations

import anyio

from ryzen.actors.actor import Actor
from ryzen.actors.alarm import Alarm
from ryzen.actors.calling import Doorman, keep_call
from ryzen.actors.health import Vitals
from ryzen.actors.lanes import CallLane, CardLane
from ryzen.actors.saver import Saver
from ryzen.actors.supply import Supply
from ryzen.actors.surroundings import Inherited, Surroundings
from ryzen.errors import ActorStopped, MailboxFull, Refusal, VoiceError, VoiceTrouble
from ryzen.messages import (
    CallLost,
    CardMoved,
    Command,
    FoundLate,
    Happened,
    Look,
    Mute,
    PauseFor,
    Redraw,
    Tick,
    TimeUp,
    ToChat,
    Unmute,
    View,
)
from ryzen.player import effects as do
from ryzen.player import events as ev
from ryzen.player.effects import Answer, Refused
from ryzen.player.reduce import reduce
from ryzen.player.state import Phase, Player
from ryzen.ports import (
    SoundEnded,
    SoundEvent,
    SoundFailed,
    SoundStalled,
    SoundStarted,
)

#: Seconds after which what the engine has read is heard at the other end (measured: 0.2).
HEARD_AFTER = 0.3


class ChatActor(Actor[ToChat]):
    """Keeps one chat's music going. A lost call or a bug crashes this chat, and this chat alone.

    ``inherited`` is what an earlier process left of this chat, for the first incarnation here.
    """

    def __init__(
        self,
        chat_id: int,
        snapshot: Player | None,
        attempt: int,
        world: Surroundings,
        saver: Saver,
        inherited: Inherited | None = None,
    ) -> None:
        self.player = snapshot or Player(limit=world.queue_limit)
        self._chat_id, self._attempt, self._world = chat_id, attempt, world
        self._saver, self._inherited = saver, inherited
        self._life = object()  # marks this incarnation's CallLost mail
        self._busy_at = 0.0

    # -- the life of the actor
    async def started(self) -> None:
        world = self._world
        self._busy_at = anyio.current_time()
        self._choked = anyio.Event()
        self._deck = world.decks.open(self._chat_id, self._on_sound)
        call = world.calls.of(self._chat_id, self._lose)
        doorman = Doorman(self._chat_id, world.assistants, world.admit_within)
        self._call = CallLane(call, self._deck, doorman.admit)
        self._screen = world.screen(self._chat_id)
        self._card = CardLane(self._screen, self._view, self._on_card)
        self._supply = Supply(
            self._chat_id, world.download, world.fetch_within, self.tasks, self._happened, self.player
        )
        self._resuming, self._unmuting = Alarm(self.tasks, self._mail), Alarm(self.tasks, self._mail)
        self.tasks.start_soon(
            keep_call, self._call, doorman, self._happened, self._card.notify, name="call lane"
        )
        self.tasks.start_soon(self._card.run, name="card lane")
        self.tasks.start_soon(self._tick, name="tick")
        self.tasks.start_soon(self._choke, name="choke")
        if self._attempt:
            self._step(ev.Recovered(self._attempt))
        elif self._inherited is not None:
            self._take_over(self._inherited)
        self._save()

    async def receive(self, message: ToChat) -> object:
        try:
            answer = self._handle(message)
        except Refusal:
            self._save()  # a refused wish may have found the position
            raise
        self._save()
        return answer

    def _handle(self, message: ToChat) -> object:
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
            case CardMoved():
                pass  # it is saved with the rest
            case FoundLate(line, card):
                self._step(ev.Recollected(line))
                if card is not None:
                    self._card.discard(card)
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
        """Keep the exact position; the deck falls silent there, so that nothing is heard of what follows."""
        self._locate()
        self._deck.silence()
        self._saver.part(self.player, self._screen.card)
        if self.player.phase is Phase.PLAYING:
            await anyio.sleep(HEARD_AFTER)  # up to there it is to be heard; it goes on behind that
        await (self._call.leave() if self._world.leave_at_stop else self._call.release())
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
        before = self.player.phase
        self.player, effects = reduce(self.player, event, anyio.current_time())
        if (
            before is Phase.STARTING
            and self.player.phase is Phase.PLAYING
            and self.player.current is not None
        ):
            self._saver.heard(self.player.current)
        answer: Answer | None = None
        for effect in effects:
            match effect:
                case do.Answer():
                    answer = effect
                case do.Refuse(code, number, seconds):
                    raise Refusal(code, number=number, seconds=seconds)
                case _:
                    self._do(effect)
        self._supply.settle(self.player)
        return answer

    def _do(self, effect: do.Effect) -> None:
        match effect:
            case do.Connect():
                self._call.want(True)
            case do.Leave():
                self._supply.forget()
                self._resuming.off()
                self._call.hold(False)  # the next call starts moving,
                self._be_muted(False)  # and heard
                self._call.want(False)
                self._deck.silence()
            case do.Resolve(epoch, entry, again):
                self._supply.fetch(epoch, entry, again=again)
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
                self._supply.prefetch(entry)
            case do.Card():
                self._card.redraw()
            case do.Notice():
                self._card.notify(effect)

    def _locate(self) -> None:
        """Tell the player where the engine truly is, before anything is reckoned from the position."""
        if (found := self._deck.position()) is not None:
            self._step(ev.Positioned(*found))

    def _take_over(self, inherited: Inherited) -> None:
        if inherited.card is not None:
            self._screen.adopt(inherited.card)
        self._step(ev.TakenOver(inherited.hopeless))

    def _save(self) -> None:
        self._saver.save(self.player, self._screen.card)

    def _on_card(self) -> None:
        if self._screen.card is not self._saver.shown:
            self._mail(CardMoved())

    def _view(self) -> View:
        return View(self.player, self.player.position(anyio.current_time()), self._call.mutes)

    # -- the track
    def _on_sound(self, event: SoundEvent) -> None:
        match event:
            case SoundStarted(epoch):
                self._happened(ev.Started(epoch))
            case SoundEnded(epoch):
                self._happened(ev.Ended(epoch))
            case SoundFailed(epoch, trouble, played):
                self._happened(ev.TrackFailed(epoch, trouble, played))
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
            self._supply.in_use(self.player)
            self._card.redraw()
        elif not self.player.queue and now - self._busy_at >= self._world.linger:
            self.retiring = self.player.phase is Phase.IDLE
