"""Members, admins and invitations: ``ports.Groups`` with the bot's and the assistant's account."""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import anyio
from loguru import logger
from pyrogram import raw, utils
from pyrogram.errors import Flood, FloodWait, RPCError

from ryzen.errors import SendError, VoiceError, VoiceTrouble
from ryzen.ports import Assistant
from ryzen.telegram.client import Account
from ryzen.telegram.line import reason_of

R = TypeVar("R")
T, F = raw.types, raw.functions

ADMINS_AT_MOST = 200  #: Telegram allows 50 admins a group, bots included
FLOOD_BORNE = 10.0  #: seconds; whoever typed /play does not wait longer for the assistant
INVITE_LIVES = 600  #: seconds
DIALOG_PAGES = 10  #: of 100 dialogs, a folder
FOLDERS = (0, 1)  #: the main list and the archive
KEPT_OUT = {"USER_BANNED_IN_CHANNEL", "CHANNEL_PRIVATE", "USER_KICKED"}


class _Standing(enum.Enum):
    INSIDE = "inside"
    OUTSIDE = "outside"
    BANNED = "banned"


class AccountGroups:
    """What the bot and one assistant know of groups, and can do in them."""

    def __init__(self, bot: Account, assistant: Account) -> None:
        self._bot, self._assistant = bot, assistant
        self._looked_through = False  # the assistant's list of chats
        self._looking = anyio.Lock()

    async def admit_assistant(self, chat_id: int) -> Assistant:
        """Have the assistant in the group, and let its client know the group well enough to join calls."""
        me = Assistant(self._assistant.id, self._assistant.name, self._assistant.username or None)
        try:
            standing = await _patiently(lambda: self._standing(chat_id))
            if standing is _Standing.BANNED:
                raise self._trouble(VoiceTrouble.ASSISTANT_BANNED)
            if standing is _Standing.OUTSIDE or not await self._assistant_knows(chat_id):
                await _patiently(lambda: self._bring_in(chat_id))
        except (
            FloodWait
        ) as wait:  # other floods, a frozen account's for one, name no time: they need a person
            raise VoiceError(
                VoiceTrouble.FLOODED, reason_of(wait), retry_after=float(wait.value or 0)
            ) from wait
        except RPCError as error:
            banned = reason_of(error) in KEPT_OUT
            trouble = VoiceTrouble.ASSISTANT_BANNED if banned else VoiceTrouble.ASSISTANT_MISSING
            raise self._trouble(trouble, reason_of(error)) from error
        except (SendError, ValueError) as error:
            raise self._trouble(VoiceTrouble.ASSISTANT_MISSING, str(error)) from error
        if not self._assistant.knows(chat_id):
            raise self._trouble(VoiceTrouble.ASSISTANT_MISSING, "its account does not see the group")
        return me

    async def managers(self, chat_id: int) -> frozenset[int]:
        """The owner, and the admins who may manage video chats. Raises SendError."""
        try:
            answer = await self._bot.call(
                F.channels.GetParticipants(
                    channel=_channel(await self._bot.peer(chat_id)),
                    filter=T.ChannelParticipantsAdmins(),
                    offset=0,
                    limit=ADMINS_AT_MOST,
                    hash=0,
                )
            )
        except RPCError as error:
            raise SendError(reason_of(error)) from error
        except ValueError as error:
            raise SendError(str(error)) from error
        return frozenset(
            one.user_id
            for one in answer.participants
            if isinstance(one, T.ChannelParticipantCreator)
            or (isinstance(one, T.ChannelParticipantAdmin) and one.admin_rights.manage_call)
        )

    # -- the assistant's standing, as the bot sees it
    async def _standing(self, chat_id: int) -> _Standing:
        channel = _channel(await self._bot.peer(chat_id))
        try:
            who = await self._assistant_for_bot()
            answer = await self._bot.call(F.channels.GetParticipant(channel=channel, participant=who))
        except RPCError as error:
            if reason_of(error) in (
                "USER_NOT_PARTICIPANT",
                "PARTICIPANT_ID_INVALID",
                "CHAT_ADMIN_REQUIRED",
                "PEER_ID_INVALID",
            ):
                return _Standing.OUTSIDE  # or not to be seen by the bot: joining will tell
            raise
        match answer.participant:
            case T.ChannelParticipantBanned(banned_rights=rights) if rights.view_messages:
                return _Standing.BANNED
            case T.ChannelParticipantBanned(left=True) | T.ChannelParticipantLeft():
                return _Standing.OUTSIDE
        return _Standing.INSIDE

    async def _assistant_for_bot(self) -> Any:
        """The bot's own view of the assistant's account: access hashes hold for one account only."""
        if not self._bot.knows(self._assistant.id) and self._assistant.username:
            await self._bot.call(F.contacts.ResolveUsername(username=self._assistant.username))
        return await self._bot.peer(self._assistant.id)

    # -- bringing it in
    async def _bring_in(self, chat_id: int) -> None:
        """Join as anybody would: by the public name, else by a link the bot makes. Inside already is fine."""
        peer = await self._bot.peer(chat_id)
        found = await self._bot.call(F.channels.GetChannels(id=[_channel(peer)]))
        username = found.chats[0].username
        if username:
            public = await self._assistant.call(F.contacts.ResolveUsername(username=username))
            query = F.channels.JoinChannel(
                channel=_channel(await self._assistant.peer(utils.get_peer_id(public.peer)))
            )
            link = None
        else:
            expires = int(self._bot.now()) + INVITE_LIVES
            invite = F.messages.ExportChatInvite(
                peer=peer, expire_date=expires, usage_limit=1, title="assistant"
            )
            link = (await self._bot.call(invite)).link.rsplit("/", 1)[-1].removeprefix("+")
            query = F.messages.ImportChatInvite(hash=link)
        try:
            answer = await self._assistant.call(query)
        except RPCError as error:
            match reason_of(error):
                case "USER_ALREADY_PARTICIPANT":
                    pass
                case "INVITE_REQUEST_SENT":
                    await self._approve(peer)
                case _:
                    raise
        else:
            await self._learn(answer)
            logger.info("{}: joined {}", self._assistant.name, chat_id)
        if link is not None and not self._assistant.knows(chat_id):
            seen = await self._assistant.call(F.messages.CheckChatInvite(hash=link))
            await self._assistant.learn([seen.chat] if isinstance(seen, T.ChatInviteAlready) else [])

    async def _approve(self, peer: Any) -> None:
        who = await self._assistant_for_bot()
        user = T.InputUser(user_id=who.user_id, access_hash=who.access_hash)
        await self._bot.call(F.messages.HideChatJoinRequest(peer=peer, user_id=user, approved=True))

    async def _learn(self, answer: Any) -> None:
        """Layer 229 wraps the updates of a join in a result of its own."""
        updates = getattr(answer, "updates", None)
        if isinstance(updates, (T.Updates, T.UpdatesCombined)):
            await self._assistant.learn(updates.chats)

    # -- what the assistant's client knows
    async def _assistant_knows(self, chat_id: int) -> bool:
        """A member since before the process began: only its own list of chats tells the access hash."""
        if not self._assistant.knows(chat_id):
            async with self._looking:
                if not self._looked_through:
                    for folder in FOLDERS:
                        await self._look_through(folder)
                    self._looked_through = True
        return self._assistant.knows(chat_id)

    async def _look_through(self, folder: int) -> None:
        """Answers teach the client every group they name; what comes later it learns from updates."""
        date, last, peer = 0, 0, T.InputPeerEmpty()
        for _ in range(DIALOG_PAGES):
            page = await self._assistant.call(
                F.messages.GetDialogs(
                    offset_date=date,
                    offset_id=last,
                    offset_peer=peer,
                    limit=100,
                    hash=0,
                    folder_id=folder or None,
                )
            )
            dated = [message for message in page.messages if hasattr(message, "date")]
            if isinstance(page, T.messages.Dialogs) or not page.dialogs or not dated:
                return
            oldest = dated[-1]
            date, last = oldest.date, oldest.id
            peer = await self._assistant.peer(utils.get_peer_id(oldest.peer_id))

    def _trouble(self, trouble: VoiceTrouble, reason: str = "") -> VoiceError:
        """The detail says who, as an admin would look for the account."""
        name = f"@{self._assistant.username}" if self._assistant.username else self._assistant.name
        return VoiceError(trouble, f"{name} ({reason})" if reason else name)


async def _patiently(ask: Callable[[], Awaitable[R]]) -> R:
    """Once more after a short flood; a long one is the caller's."""
    try:
        return await ask()
    except Flood as flood:
        seconds = float(flood.value or 0)
        if seconds > FLOOD_BORNE:
            raise
        await anyio.sleep(seconds)
        return await ask()


def _channel(peer: Any) -> Any:
    """Raises ValueError for a basic group: Telegram gives it no admin rights to speak of."""
    if not isinstance(peer, T.InputPeerChannel):
        raise ValueError("a basic group: make it a supergroup")  # noqa: TRY004 # a wrong value, to whoever asked
    return T.InputChannel(channel_id=peer.channel_id, access_hash=peer.access_hash)
