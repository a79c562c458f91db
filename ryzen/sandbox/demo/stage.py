"""The scene of the demo: a local Telegram with its media server, some groups, some people, our accounts; and
an internet to get music from."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import attrs

from ryzen.sandbox.box import Box, Group, User
from ryzen.sandbox.internet import Internet, Site
from ryzen.sandbox.media import MediaServer, Peer

#: Everybody is in every group; the first one owns them all, and the bot.
PEOPLE = ("Ada", "Bob", "Cleo")
API_ID = 1
_OWNER, _BOT, _ASSISTANT = 2_000_001, 1_000_001, 2_000_100
_TOKEN = f"{_BOT}:local-telegram-needs-no-real-token-000"
#: New groups of Telegram have ids above 2**31.
_FIRST_GROUP = 2_500_000_000


@attrs.frozen
class Stage:
    box: Box
    media: MediaServer
    people: tuple[User, ...]
    bot: User
    assistant: User
    groups: tuple[Group, ...]
    internet: Internet

    @property
    def owner(self) -> User:
        return self.people[0]

    def person(self, name: str | None) -> User:
        """By name, whatever the case; None is the owner."""
        if name is None:
            return self.owner
        return next(user for user in self.people if user.name.casefold() == name.casefold())

    def peer(self, group: Group) -> Peer | None:
        """The assistant's end in the voice chat of this group, if it is in there."""
        if group.call is None or (member := group.call.members.get(self.assistant.id)) is None:
            return None
        return member.peer

    def environment(self) -> dict[str, str]:
        """What the bot's settings are, to be at home here."""
        return {
            "API_ID": str(API_ID),
            "API_HASH": "0" * 32,
            "BOT_TOKEN": _TOKEN,
            "OWNER_ID": str(self.owner.id),
            "SESSION": self.box.session_string(self.assistant.id, API_ID),
        }


@asynccontextmanager
async def set_stage(groups: int = 1, delay: float = 0.02, sites: Iterable[Site] = ()) -> AsyncIterator[Stage]:
    """``groups`` groups with an open voice chat each, the bot an admin, the assistant still outside.

    ``delay`` is the way from the media server, in seconds. ``sites`` are all there is of the internet.
    """
    async with (
        MediaServer.serve(delay) as media,
        Box.serve(media) as box,
        Internet.serve(sites) as internet,
    ):
        people = tuple(
            box.add_user(_OWNER + number, name, name.lower()) for number, name in enumerate(PEOPLE)
        )
        bot = box.add_user(_BOT, "Ryzen", "ryzen_bot", bot=True, token=_TOKEN)
        assistant = box.add_user(_ASSISTANT, "Ryzen's voice", "ryzen_voice", phone="9990000001")
        made = []
        for number in range(1, groups + 1):
            group = box.add_group(
                _FIRST_GROUP + number, f"Group {number}", people[0], members=people[1:], admins=[bot]
            )
            box.open_voice_chat(group)
            made.append(group)
        yield Stage(box, media, people, bot, assistant, tuple(made), internet)
