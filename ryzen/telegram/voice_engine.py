"""The native voice engine, for group calls and files only.

py-tgcalls 3.0.0 starts ntgcalls 3.0.5 and brings what its native threads report to the event loop. Its
``play()`` is not used; what it does step by step is done here step by step, because of these (all measured
on these versions):

- It returns when CONNECTED is reported, and CONNECTED is reported only if ICE and DTLS are through *after*
  ``connect`` has registered its observer. On a way of 0 ms 9 of 10 are lost, on a longer one a few when the
  processor is busy, and ``play()`` then waits for ever. The sure sign is the return of ``connect``: from
  there on a reader that is given to the engine starts at once, reported or not.
- Its cleanup is not run when it is cancelled, and it has no deadline of its own.
- When the media server does not answer, it joins four times, leaves never, and fails after 41 s.
- It finds the voice chat through a cache which swallows errors and may be an hour old, joins again and again
  without end while Telegram says GROUPCALL_FORBIDDEN, and *creates* a voice chat unless told otherwise.
- Updates about an earlier join of the same chat end the present one.
"""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Callable
from typing import Any, TypeVar

import anyio
from ntgcalls import BaseRTCException, ConnectionNotFound, ConnectionState, MediaSource, StreamMode
from pytgcalls import PyTgCalls
from pytgcalls.methods.utilities.stream_params import StreamParams
from pytgcalls.pytgcalls_session import PyTgCallsSession
from pytgcalls.types.raw import AudioParameters, AudioStream, Stream

from ryzen.telegram.client import Account

R = TypeVar("R")

RATE = 48_000
NATIVE_WITHIN = 5.0  #: seconds for one native call; the slowest seen, ten at once on two cores, took 0.2


class EngineError(Exception):
    """The engine refused, or did not answer in time."""


class Link(enum.Enum):
    """The way to the media server."""

    UP = enum.auto()
    SILENT = enum.auto()  #: it has never answered, for 10 s
    BROKEN = enum.auto()


LINKS = {
    ConnectionState.CONNECTED: Link.UP,
    ConnectionState.TIMEOUT: Link.SILENT,
    ConnectionState.FAILED: Link.BROKEN,
    ConnectionState.CLOSED: Link.BROKEN,
}


class Engine(PyTgCalls):  # type: ignore[misc] # py-tgcalls is untyped
    """Every method is one native call: not cancelled with its caller, but given up after ``NATIVE_WITHIN``.

    All raise EngineError. ``on_link`` (chat id, how it stands) and ``on_end`` (chat id: its file has ended)
    are called on the event loop; what they raise would vanish in a future that nobody reads. The engine does
    not say which of a chat's calls, one after the other, it means. After SILENT, BROKEN and an end the call
    is of no use, and must be dropped.
    """

    def __init__(
        self, account: Account, on_link: Callable[[int, Link], None], on_end: Callable[[int], None]
    ) -> None:
        super().__init__(account.client)
        self._account, self._on_link, self._on_end = account, on_link, on_end

    async def start(self) -> None:
        """The account must have been started."""
        # Or it prints a notice and asks a web server for its version.
        PyTgCallsSession.notice_displayed = True
        # It asks Telegram who we are: one way there and back, at a time when chats wait for their music.
        self._app.get_id = self._who_we_are
        await super().start()

    async def _who_we_are(self) -> int:
        return self._account.id

    # -- native calls
    async def offer(self, chat_id: int) -> str:
        """A new call; returns the JSON to join with. It has a new SSRC each time."""
        offer: str = await _native(self._binding.create_call(chat_id))
        return offer

    async def connect(self, chat_id: int, answer: str) -> None:
        """Reach out to the media server that Telegram has named. ``on_link`` says whether it answers."""
        await _native(self._binding.connect(chat_id, answer, False))

    async def read(self, chat_id: int, path: str) -> None:
        """Have this file as the microphone, from its start: 48 kHz mono s16le.

        A raw Stream: MediaStream would run ffprobe and ffmpeg first.
        """
        microphone = AudioStream(MediaSource.FILE, path, AudioParameters(RATE, 1))
        sources = await StreamParams.get_stream_params(Stream(microphone))
        await _native(self._binding.set_stream_sources(chat_id, StreamMode.CAPTURE, sources))

    async def pause(self, chat_id: int) -> None:
        await _native(self._binding.pause(chat_id))

    async def resume(self, chat_id: int) -> None:
        await _native(self._binding.resume(chat_id))

    async def mute(self, chat_id: int, muted: bool) -> None:
        """Send nothing, and read on. It holds for whatever is read in this call; a new call is not muted."""
        await _native(self._binding.mute(chat_id) if muted else self._binding.unmute(chat_id))

    async def drop(self, chat_id: int) -> None:
        """No call of this chat any more; nothing if there is none. Telegram is not told."""
        try:
            await _native(self._binding.stop(chat_id))
        except EngineError as error:
            if not isinstance(error.__cause__, ConnectionNotFound):
                raise

    async def chats(self) -> frozenset[int]:
        """Where the engine has a call."""
        return frozenset(await _native(self._binding.calls()))

    # -- what py-tgcalls calls, on the event loop, for the native threads
    async def _handle_connection_changed(self, chat_id: int, net_state: Any) -> None:
        link = LINKS.get(net_state.state)
        if link is not None:
            self._on_link(chat_id, link)

    async def _handle_stream_ended(self, chat_id: int, _type: Any, _device: Any) -> None:
        self._on_end(chat_id)

    async def _handle_mtproto_updates(self, update: Any) -> None:
        """Nothing: voice_chats.py heeds updates itself, by call and SSRC."""

    async def _update_status(self, chat_id: int, state: Any) -> None:
        """Nothing: it would tell Telegram, at every pause, that the camera which we have not is paused."""


async def _native(answer: asyncio.Future[R]) -> R:
    # Waited for and never cancelled: the native thread sets its result, and a cancelled future takes none.
    with anyio.CancelScope(shield=True):
        done, _ = await asyncio.wait((answer,), timeout=NATIVE_WITHIN)
    if not done:
        answer.add_done_callback(asyncio.Future.exception)  # or asyncio complains that nobody looked
        raise EngineError(f"no answer for {NATIVE_WITHIN:g} s")
    try:
        return answer.result()
    except BaseRTCException as error:
        raise EngineError(f"{type(error).__name__}: {error}") from error
