"""Telegram's side of voice chats: finding the open one, our seat in it, being told that it is gone."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import anyio
import attrs
from loguru import logger
from pyrogram import raw, utils
from pyrogram.errors import FloodWait, RPCError

from ryzen.errors import SendError, VoiceError, VoiceTrouble
from ryzen.telegram.client import Account
from ryzen.telegram.line import reason_of
from ryzen.telegram.voice_gate import Gates, flooded

F, T = raw.functions, raw.types

ANSWER_WITHIN = 10.0  #: seconds for one request; from afar a join takes 0.3 to 0.5

ENDED = frozenset({"GROUPCALL_INVALID", "GROUPCALL_ALREADY_DISCARDED"})
GONE = ENDED | {"GROUPCALL_FORBIDDEN"}  #: which Telegram says of ended ones, too, and of those not for us
MISSING = frozenset({"CHANNEL_PRIVATE", "CHANNEL_INVALID", "CHAT_ID_INVALID", "PEER_ID_INVALID"})
BANNED = frozenset({"USER_BANNED_IN_CHANNEL", "USER_KICKED"})
SSRC_TAKEN = "GROUPCALL_SSRC_DUPLICATE_MUCH"


class SsrcError(Exception):
    """Telegram knows this SSRC in the voice chat already: a new offer is needed."""


class OutdatedError(Exception):
    """The voice chat that we knew of is not there any more; there may be another."""


@attrs.frozen
class Seat:
    """A place in one voice chat (an InputGroupCall) for one offer of the engine, known by its SSRC (signed).

    ``looked_up``: Telegram was asked for it just now; otherwise it is what updates have told.
    """

    chat_id: int
    call: Any
    ssrc: int
    looked_up: bool


@attrs.frozen
class Gone:
    """A voice chat or a seat in it has ended; None is whichever."""

    trouble: VoiceTrouble
    detail: str = ""
    chat_id: int | None = None
    call_id: int | None = None
    ssrc: int | None = None

    def concerns(self, seat: Seat) -> bool:
        there = (seat.chat_id, seat.call.id, seat.ssrc)
        mine = (self.chat_id, self.call_id, self.ssrc)
        return all(one is None or one == other for one, other in zip(mine, there, strict=True))


class VoiceChats:
    """Asks through ``account``, whose updates ``take`` must be given.

    ``on_gone`` is called on the event loop, for any seat, ours or not; it must neither wait nor raise.
    """

    def __init__(self, account: Account, on_gone: Callable[[Gone], None]) -> None:
        self._account, self._on_gone = account, on_gone
        self._open: dict[int, Any] = {}  #: InputGroupCall by chat, as updates tell
        self._gates = Gates()

    # -- updates
    def take(self, update: Any, _users: dict[int, Any], chats: dict[int, Any]) -> None:
        """A ``client.Listener``."""
        match update:
            case T.UpdateGroupCall(call=T.GroupCallDiscarded() as call):
                self._open = {chat: one for chat, one in self._open.items() if one.id != call.id}
                self._on_gone(Gone(VoiceTrouble.CLOSED, call_id=call.id))
            case T.UpdateGroupCall(call=T.GroupCall() as call) if update.peer is not None:
                if call.schedule_date is None:
                    known = T.InputGroupCall(id=call.id, access_hash=call.access_hash)
                    self._open[utils.get_peer_id(update.peer)] = known
            case T.UpdateGroupCallParticipants(call=T.InputGroupCall() as call):
                for one in update.participants:
                    if one.left:
                        detail = "taken out of the voice chat"
                        self._on_gone(Gone(VoiceTrouble.LOST, detail, call_id=call.id, ssrc=one.source))
            case T.UpdateChannel():
                self._look_for_the_door(chats.get(update.channel_id), utils.get_channel_id(update.channel_id))
            case T.UpdateChat():
                self._look_for_the_door(chats.get(update.chat_id), -update.chat_id)

    def _look_for_the_door(self, chat: Any, chat_id: int) -> None:
        if isinstance(chat, T.ChannelForbidden | T.ChatForbidden) or getattr(chat, "left", False):
            self._open.pop(chat_id, None)
            self._on_gone(Gone(VoiceTrouble.LOST, "the assistant was put out of the group", chat_id=chat_id))

    # -- requests
    async def find(self, chat_id: int, offer: str) -> Seat:
        """A seat for this offer, not taken yet. Raises VoiceError."""
        ssrc = json.loads(offer)["ssrc"]
        known = self._open.get(chat_id)
        if known is not None:
            return Seat(chat_id, known, ssrc, looked_up=False)
        full = await self._ask(await self._full_chat(chat_id))
        call = full.full_chat.call
        if call is None:
            raise VoiceError(VoiceTrouble.NO_VOICE_CHAT)
        return Seat(chat_id, call, ssrc, looked_up=True)

    async def join(self, seat: Seat, offer: str) -> str:
        """Take the seat; returns the media server's answer to the offer.

        Raises OutdatedError, SsrcError or VoiceError. If it is cancelled, a request that is under way is
        waited for first. After that, or a VoiceError but FLOODED, we may sit there: ``leave`` must follow.
        """
        query = F.phone.JoinGroupCall(
            call=seat.call,
            join_as=T.InputPeerSelf(),
            params=T.DataJSON(data=offer),
            muted=False,
            video_stopped=True,
        )
        try:
            # To its end: a join that is answered after we have left would leave a ghost in the voice chat.
            answer = await self._ask(query, to_its_end=True)
        except VoiceError as error:
            if error.detail in GONE:
                self._open.pop(seat.chat_id, None)
                if not seat.looked_up:
                    raise OutdatedError from error
            if error.detail == SSRC_TAKEN:
                raise SsrcError from error
            raise
        return self._read(seat, answer.updates)

    def _read(self, seat: Seat, updates: list[Any]) -> str:
        media = None
        for update in updates:
            match update:
                case T.UpdateGroupCallConnection():
                    media = str(update.params.data)
                case T.UpdateGroupCall(call=T.GroupCall() as call) if call.schedule_date is not None:
                    raise VoiceError(VoiceTrouble.NO_VOICE_CHAT, "it is scheduled and has not begun")
        transport = json.loads(media or "{}").get("transport")
        if transport is None:  # a live stream, or a voice chat with too many: one may listen only
            raise VoiceError(VoiceTrouble.JOIN_REFUSED, "there is no speaking in this voice chat")
        self._open[seat.chat_id] = seat.call
        assert media is not None
        return media

    async def leave(self, seat: Seat) -> None:
        """Off the seat; nothing if we do not sit there. Never raises."""
        try:
            await self._ask(F.phone.LeaveGroupCall(call=seat.call, source=seat.ssrc))
        except VoiceError as error:  # most often: Telegram has taken us off it already
            logger.debug("voice {}: nothing to leave: {}", seat.chat_id, error.detail)

    async def sits(self, seat: Seat) -> bool:
        """Whether Telegram has us in the voice chat, and hears us. Raises VoiceError if it will not say."""
        try:
            heard = await self._ask(F.phone.CheckGroupCall(call=seat.call, sources=[seat.ssrc]))
        except VoiceError as error:
            if error.detail in GONE or error.detail.endswith("_JOIN_MISSING"):
                return False
            raise
        return seat.ssrc in heard

    async def _full_chat(self, chat_id: int) -> Any:
        try:
            peer = await self._account.peer(chat_id)
        except FloodWait as wait:
            raise flooded("asking for a group", float(wait.value)) from wait
        except (RPCError, ValueError, KeyError) as error:
            raise VoiceError(VoiceTrouble.ASSISTANT_MISSING, "it does not know the group") from error
        if isinstance(peer, T.InputPeerChat):
            return F.messages.GetFullChat(chat_id=peer.chat_id)
        channel = T.InputChannel(channel_id=peer.channel_id, access_hash=peer.access_hash)
        return F.channels.GetFullChannel(channel=channel)

    async def _ask(self, query: Any, *, to_its_end: bool = False) -> Any:
        """Telegram's answer. Raises VoiceError; its detail is Telegram's own word, if it gave one.

        ``to_its_end``: what has been asked is waited for, even by those who are cancelled.
        """
        deadline = anyio.current_time() + ANSWER_WITHIN

        async def call() -> Any:
            with anyio.CancelScope(shield=to_its_end):
                return await self._account.call(query, within=deadline - anyio.current_time())

        method = query.QUALNAME.removeprefix("functions.")
        with anyio.move_on_after(ANSWER_WITHIN):
            try:
                return await self._gates.through(method, call)
            except RPCError as error:
                raise _refusal(reason_of(error)) from error
            except SendError as error:
                raise VoiceError(VoiceTrouble.UNREACHABLE, "Telegram does not answer") from error
        raise VoiceError(VoiceTrouble.UNREACHABLE, "Telegram does not answer")


def _refusal(reason: str) -> VoiceError:
    if reason in ENDED:
        return VoiceError(VoiceTrouble.NO_VOICE_CHAT, reason)
    if reason in MISSING:
        return VoiceError(VoiceTrouble.ASSISTANT_MISSING, reason)
    if reason in BANNED:
        return VoiceError(VoiceTrouble.ASSISTANT_BANNED, reason)
    return VoiceError(VoiceTrouble.JOIN_REFUSED, reason)
