"""A player on a stage: events go in, every step is checked, and the tests read what came of it."""

from __future__ import annotations

from player_invariants import check, standing

from ryzen.player.effects import Answer, Effect, Notice, Refuse
from ryzen.player.events import Play, PlayerEvent, Resolved, Started, VoiceFailed
from ryzen.player.reduce import reduce
from ryzen.player.state import Asker, Entry, Media, Phase, Player, Track

ANN = Asker(7, "Ann")
A, B, C, D, E = (Track(f"local:{x}", x, "local", f"/music/{x}", duration=100.0) for x in "ABCDE")
ENDLESS = Track("radio:x", "x", "radio", "https://radio.example")
FILE = Media("/music/file")


class Stage:
    """Time stands still unless a test moves ``now``."""

    def __init__(self, **fields: object) -> None:
        self.player = Player(**fields)  # type: ignore[arg-type]  # fields of Player, by name
        self.now = 1000.0
        self.effects: tuple[Effect, ...] = ()

    @classmethod
    def playing(cls, *tracks: Track, **fields: object) -> Stage:
        """The first of these is heard, the others wait."""
        stage = cls(**fields)
        stage.do(Play(tracks, ANN))
        stage.sound()
        return stage

    @classmethod
    def resting(cls, *tracks: Track, **fields: object) -> Stage:
        """Nothing plays, and these wait."""
        stage = cls(**fields)
        stage.do(Play(tracks, ANN))
        stage.do(VoiceFailed("no-voice-chat"))
        assert stage.phase is Phase.IDLE
        return stage

    def do(self, event: PlayerEvent) -> tuple[Effect, ...]:
        before = self.player
        self.player, self.effects = reduce(before, event, self.now)
        check(before, event, self.now, self.player, self.effects)
        return self.effects

    def kill(self) -> None:
        """The process is gone; the clock of the next one begins anew, and it has what a store keeps."""
        self.player = standing(self.player, self.now)
        self.now = 5.0

    def sound(self, media: Media = FILE) -> None:
        """What was asked for is found, loaded and heard."""
        if self.player.media is None:
            self.do(Resolved(self.player.epoch, media))
        self.do(Started(self.player.epoch))

    def reply(self, event: PlayerEvent) -> Answer | Refuse:
        return next(effect for effect in self.do(event) if isinstance(effect, Answer | Refuse))

    def notices(self, event: PlayerEvent) -> list[Notice]:
        return [effect for effect in self.do(event) if isinstance(effect, Notice)]

    @property
    def phase(self) -> Phase:
        return self.player.phase

    @property
    def position(self) -> float:
        return self.player.position(self.now)

    @property
    def current(self) -> str:
        """Its title, "" for none."""
        return titles(*(entry for entry in (self.player.current,) if entry))

    @property
    def line(self) -> str:
        return titles(*self.player.queue)

    @property
    def history(self) -> str:
        return titles(*self.player.history)

    @property
    def cleared(self) -> str:
        return titles(*self.player.cleared)


def titles(*entries: Entry) -> str:
    return "".join(entry.track.title for entry in entries)
