"""People who act without a client: they type, press, join and leave inside the server."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ryzen.sandbox.box import membership, posting, voice
from ryzen.sandbox.box.records import RIGHTS, Chat, Group, Message, User, VoiceChat
from ryzen.sandbox.box.telegram import Telegram
from ryzen.sandbox.box.tl import T, Tl


@attrs.frozen
class PressAnswer:
    """What the presser gets to read; ``alert``: in a window that must be closed."""

    text: str
    alert: bool


class People(Telegram):
    """Every method raises RequestError where Telegram would refuse a client."""

    async def say(
        self,
        chat: Chat,
        user: User,
        text: str,
        reply_to: int | None = None,
        *,
        anonymous: bool | None = None,
    ) -> Message:
        """``anonymous``: in the name of the group; None: as the right of that name says."""
        message, _ = posting.write(self, chat, user, text, reply_to=reply_to, anonymous=anonymous)
        return message

    async def send_file(
        self,
        chat: Chat,
        user: User,
        data: bytes,
        *,
        mime_type: str = "audio/mpeg",
        attributes: Sequence[Tl] = (),
        caption: str = "",
    ) -> Message:
        """Somebody sends a file; ``attributes`` are DocumentAttribute… of Telegram."""
        document = self.files.keep(data, mime_type, list(attributes))
        media = T.MessageMediaDocument(document=document)
        message, _ = posting.write(self, chat, user, caption, media=media)
        return message

    def private(self, user: User, bot: User) -> Chat:
        """Their private chat, to ``say`` something in."""
        return self.world.private(user, bot)

    async def press(self, chat: Chat, user: User, message_id: int, label: str) -> PressAnswer:
        """Press the button with this label, or the only one that contains it, whatever the case.

        Returns when the bot has answered; raises RequestError BOT_RESPONSE_TIMEOUT if it does not,
        LookupError if there is no such message or button.
        """
        message = chat.ledger_of(user).messages[message_id]
        answer = await self.presses.press(message, user, _data_of(message, label))
        return PressAnswer(answer.message or "", bool(answer.alert))

    def newest_card(self, chat: Chat) -> Message | None:
        """The newest message with buttons."""
        messages = chat.ledger_of(next(iter(chat.people()))).messages
        cards = (one for one in reversed(messages.values()) if one.chat is chat and one.buttons)
        return next(cards, None)

    # -- membership
    async def join(self, group: Group, user: User) -> None:
        membership.admit(self, group, user)

    async def leave(self, group: Group, user: User) -> None:
        membership.remove(self, group, user)

    async def add(self, group: Group, user: User, *, by: User | None = None) -> None:
        """A member, the owner if not told otherwise, brings ``user`` in."""
        membership.admit(self, group, user, by=by or group.owner)

    async def ban(self, group: Group, user: User) -> None:
        """Out, and not to come back."""
        membership.restrict(self, group, user, frozenset({"view_messages"}), by=group.owner)

    async def unban(self, group: Group, user: User) -> None:
        membership.restrict(self, group, user, frozenset(), by=group.owner)

    async def silence(self, group: Group, user: User) -> None:
        """Still in, may not write."""
        membership.restrict(self, group, user, frozenset({"send_messages"}), by=group.owner)

    async def promote(self, group: Group, user: User, **rights: bool) -> None:
        """To an admin with these rights, named as in ChatAdminRights; none named: all but anonymity."""
        unknown = set(rights) - RIGHTS - {"anonymous"}
        if unknown:
            raise ValueError(f"there are no such rights: {', '.join(sorted(unknown))}")
        given = frozenset(name for name, has in rights.items() if has) if rights else RIGHTS
        membership.promote(self, group, user, given, by=group.owner)

    async def demote(self, group: Group, user: User) -> None:
        membership.promote(self, group, user, frozenset(), by=group.owner)

    async def decide(self, group: Group, user: User, approved: bool) -> None:
        """The owner answers a wish to join."""
        membership.decide(self, group, user, approved, by=group.owner)

    # -- voice chats
    def open_voice_chat(self, group: Group) -> VoiceChat:
        """The owner opens it."""
        voice.open_chat(self, group, group.owner)
        return self.call_of(group)

    def close_voice_chat(self, group: Group) -> None:
        voice.close_chat(self, group, group.owner)

    def call_of(self, group: Group) -> VoiceChat:
        """Raises LookupError if none is open."""
        if group.call is None:
            raise LookupError(f"no voice chat is open in {group.title}")
        return group.call

    def mute(self, group: Group, user: User, muted: bool = True) -> None:
        """The owner mutes somebody in the voice chat; who is muted so cannot unmute."""
        voice.change(self, group, self.call_of(group), user, group.owner, muted=muted, volume=None)

    def kick_from_call(self, group: Group, user: User) -> None:
        """Out of the voice chat, still in the group."""
        voice.leave(self, group, self.call_of(group), user)


def _data_of(message: Message, label: str) -> bytes:
    exact = [data for text, data in message.callbacks if text == label]
    found = exact or [data for text, data in message.callbacks if label.casefold() in text.casefold()]
    if len(found) != 1:
        raise LookupError(f"{len(found)} buttons are called {label!r} among {message.buttons}")
    return found[0]
