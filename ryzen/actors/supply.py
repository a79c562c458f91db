"""What a chat has of the download actor: the media of what plays, and of what comes next."""

from __future__ import annotations

from collections.abc import Callable

import anyio
from anyio.abc import TaskGroup

from ryzen.actors.ref import Ref
from ryzen.errors import (
    ActorCrashed,
    ActorError,
    ActorStopped,
    MailboxFull,
    SourceAway,
    TrackError,
    TrackTrouble,
)
from ryzen.messages import Drop, Fetch, InUse, ToDownload, Warm
from ryzen.player.events import Fact, Resolved, SourceFailed, TrackFailed
from ryzen.player.lineup import coming
from ryzen.player.state import Entry, Media, Player

#: Times that a track is asked for once more because the download actor fell over or was busy, and the seconds
#: before it. A track over which it falls each time would bring down everybody's music.
TRIES, PAUSE = 2, 1.0


class Supply:
    """One for each incarnation of a chat; ``before`` is the player as the one before has left it.

    Answers come as facts through ``happened``. ``within``: seconds that a track may take.
    """

    def __init__(
        self,
        chat_id: int,
        download: Ref[ToDownload],
        within: float,
        tasks: TaskGroup,
        happened: Callable[[Fact], None],
        before: Player,
    ) -> None:
        self._chat_id, self._download, self._within = chat_id, download, within
        self._tasks, self._happened = tasks, happened
        self._asking: anyio.CancelScope | None = None
        self._wanted = _wanted(before)  # what the download actor takes us to want

    def fetch(self, epoch: int, entry: Entry, *, again: bool) -> None:
        """Instead of what was asked for before."""
        self.forget()
        self._asking = anyio.CancelScope()
        self._tasks.start_soon(self._fetch, self._asking, epoch, entry, again, name="fetch")

    def forget(self) -> None:
        """Wait for nothing any more."""
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None

    def prefetch(self, entry: Entry) -> None:
        self._tell(Warm(entry.track, self._chat_id))  # if that fails, only a head start is lost

    def settle(self, player: Player) -> None:
        """Give up what this player does not need, so that nobody works for it."""
        wanted = _wanted(player)
        kept = {each for each in self._wanted - wanted if not self._tell(Drop(each, self._chat_id))}
        self._wanted = wanted | kept

    def in_use(self, player: Player) -> None:
        """What plays is the last to be put out of the cache."""
        if player.current is not None and player.media is not None and player.media.fetched:
            self._tell(InUse(player.current.track.id))

    def _tell(self, message: ToDownload) -> bool:
        """Whether it was taken."""
        try:
            self._download.tell(message)
        except (MailboxFull, ActorStopped):
            return False
        return True

    async def _fetch(self, scope: anyio.CancelScope, epoch: int, entry: Entry, again: bool) -> None:
        with scope:
            try:
                media = await self._ask(Fetch(entry.track, self._chat_id, again))
            except TrackError as error:
                self._happened(TrackFailed(epoch, error.trouble))
            except SourceAway as away:
                self._happened(SourceFailed(epoch, away.source, away.trouble))
            except ActorError:
                # Busy, slow or gone for good: not the track's fault, but it cannot be had.
                self._happened(TrackFailed(epoch, TrackTrouble.UNAVAILABLE))
            else:
                self._happened(Resolved(epoch, media))

    async def _ask(self, wanted: Fetch) -> Media:
        for _ in range(TRIES):
            try:
                return await self._download.ask(wanted, within=self._within)
            except (ActorCrashed, MailboxFull):
                await anyio.sleep(PAUSE)
        return await self._download.ask(wanted, within=self._within)


def _wanted(player: Player) -> frozenset[str]:
    """The ids of what plays and of what comes next."""
    following = coming(player)
    if player.current is None:
        return frozenset()
    entries = (player.current,) if following is None else (player.current, following)
    return frozenset(entry.track.id for entry in entries)
