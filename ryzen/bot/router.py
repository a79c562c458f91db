"""What comes in from Telegram goes to the chat it is for; what comes of it goes back as an answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import attrs
from anyio.abc import TaskGroup
from loguru import logger

from ryzen.actors.ref import Ref
from ryzen.beside import beside
from ryzen.bot import buttons, keeping, show
from ryzen.bot.commands import COMMANDS
from ryzen.bot.desk import Desk, Order, Reply, Toast
from ryzen.bot.guard import Verdict
from ryzen.bot.lanes import Failure, Job, Lanes
from ryzen.bot.pace import Pace, Paces, Rate
from ryzen.bot.table import Row, Table, Where
from ryzen.bot.trouble import explain, passing
from ryzen.errors import ActorStopped, MailboxFull, Misread, RyzenError, SendError
from ryzen.messages import MemberChanged, ToAssistant
from ryzen.ports import Incoming, MemberMoved, Pressed, Said, VoiceChatMoved

#: Seconds that a reply may wait for Telegram before it is not worth sending any more.
REPLY_PATIENCE = 60.0
#: Seconds after which Telegram forgets the press of a button.
TOAST_PATIENCE = 15.0
#: Presses in one chat that may wait for their answer; a small thing, and everyone who presses wants one.
TOASTS = 128

#: Commands of one person, and in one chat, unless the settings say otherwise.
PER_PERSON, PER_CHAT = Rate(5, 10.0), Rate(20, 10.0)
#: How often a chat is told that it is busy.
BUSY = Rate(1, 10.0)

_FAILED = {Failure.HUNG: "trouble.hung", Failure.CRASHED: "trouble.bug"}


@attrs.frozen
class Manners:
    """How the bot listens. ``username`` is its own, without the ``@``; times are in seconds."""

    username: str
    prefixes: str = "/"  #: the characters that a command may begin with
    per_person: Rate = PER_PERSON
    per_chat: Rate = PER_CHAT
    waiting: int = 16  #: commands and presses that may wait in one chat; more are dropped
    patience: float = 10.0  #: that a command or a press may take


class Router:
    """Takes whatever comes in, never waits, and never makes one chat wait for another.

    Each chat has three lanes: commands and presses one by one, replies, and answers to presses. A reply that
    is held up by Telegram's limits holds up no command behind it. Made by ``route``.
    """

    def __init__(
        self, desk: Desk, assistants: Ref[ToAssistant], manners: Manners, tasks: TaskGroup, table: Table
    ) -> None:
        self._desk, self._assistants, self._manners, self._table = desk, assistants, manners, table
        self._work = Lanes(tasks, manners.waiting, manners.patience)
        self._replies = Lanes(tasks, manners.waiting, REPLY_PATIENCE)
        self._toasts = Lanes(tasks, TOASTS, TOAST_PATIENCE)
        self._people, self._chats = Paces(manners.per_person), Paces(manners.per_chat)
        self._busy = Paces(BUSY)

    def accept(self, incoming: Incoming) -> None:
        """Take one thing in. Never waits, never raises."""
        match incoming:
            case Said():
                self._said(incoming)
            case Pressed():
                self._pressed(incoming)
            case MemberMoved(chat_id, user_id):
                self._desk.guard.forget(chat_id)
                self._tell_assistants(MemberChanged(chat_id, user_id))
            case VoiceChatMoved():
                pass  # the call's own adapter sees this, and knows whether it was in there

    # -- commands
    def _said(self, said: Said) -> None:
        typed = self._table.read(said.text, self._manners.prefixes, self._manners.username)
        if typed is None or (typed.row is None and not said.private) or not self._paced(said):
            return
        if (row := typed.row) is None:
            self._reply(said, Reply(self._desk.words("command.unknown")))
        elif said.private and row.where is Where.GROUP:
            self._reply(said, Reply(self._desk.words("command.group-only")))
        elif not said.private and row.where is Where.PRIVATE:
            self._reply(said, Reply(self._desk.words("command.private-only")))
        else:
            self._order(row, Order(said, typed.args, anyio.current_time()))

    def _paced(self, said: Said) -> bool:
        if self._desk.guard.trusts(said.sender):
            return True
        for paces, key, sentence in (
            (self._people, said.sender.id, "pace.person"),
            (self._chats, said.chat_id, "pace.chat"),
        ):
            match paces.take(key):
                case Pace.TOO_FAST:
                    self._reply(said, Reply(self._desk.words(sentence)))
                    return False
                case Pace.STILL_TOO_FAST:
                    return False
        return True

    def _order(self, row: Row, order: Order) -> None:
        def failed(failure: Failure) -> None:
            self._reply(order.said, Reply(self._desk.words(_FAILED[failure])))

        job = Job(f"/{row.name}", lambda: self._obey(row, order), failed)
        if self._work.put(order.chat_id, job):
            keeping.served(self._desk, order.said)
        elif self._busy.take(order.chat_id) is Pace.FINE:
            self._reply(order.said, Reply(self._desk.words("trouble.busy")))

    async def _obey(self, row: Row, order: Order) -> None:
        desk, words = self._desk, self._desk.words
        reply: Reply | None
        try:
            verdict = await desk.guard.may(row.who, order.said.sender, order.chat_id)
            if verdict is Verdict.YES:
                reply = await row.handler(desk, order)
            else:
                reply = Reply(words(f"denied.{verdict}"))
        except Misread as error:
            reply = Reply(words("command.usage", problem=explain(words, error), usage=words(row.usage)))
        except RyzenError as error:
            reply = Reply(explain(words, error))
        if reply is not None:
            self._reply(order.said, reply)

    def _reply(self, said: Said, reply: Reply) -> None:
        async def send() -> None:
            reply_to = None if said.private else said.message_id
            try:
                message_id = await self._desk.outbox.send(
                    said.chat_id, reply.text.markup, reply.rows, reply_to
                )
            except SendError as error:
                logger.warning("a reply in {} was refused: {}", said.chat_id, error.reason)
            else:
                if reply.rows and reply.owner is not None:
                    self._desk.owners.note(said.chat_id, message_id, reply.owner, reply.tracks)

        self._replies.put(said.chat_id, Job("reply", send, _let_go))

    # -- buttons
    def _pressed(self, pressed: Pressed) -> None:
        def failed(failure: Failure) -> None:
            self._toast(pressed, Toast(self._desk.words(_FAILED[failure]), alert=True))

        if not self._work.put(pressed.chat_id, Job("button", lambda: self._press(pressed), failed)):
            self._toast(pressed, Toast(self._desk.words("trouble.busy"), alert=True))

    async def _press(self, pressed: Pressed) -> None:
        try:
            toast = await buttons.press(self._desk, pressed)
        except RyzenError as error:
            toast = Toast(explain(self._desk.words, error), alert=not passing(error))
        self._toast(pressed, toast)

    def _toast(self, pressed: Pressed, toast: Toast) -> None:
        async def answer() -> None:
            text = show.cut(toast.text.plain, show.TOAST)
            try:
                await self._desk.outbox.answer(pressed.press_id, text, toast.alert)
            except SendError as error:
                logger.warning("an answer to a press in {} was refused: {}", pressed.chat_id, error.reason)

        self._toasts.put(pressed.chat_id, Job("answer", answer, _let_go))

    # -- standing
    def _tell_assistants(self, changed: MemberChanged) -> None:
        try:
            self._assistants.tell(changed)
        except (MailboxFull, ActorStopped) as error:
            logger.warning("a change of members in {} was lost: {}", changed.chat_id, type(error).__name__)


@asynccontextmanager
async def route(
    desk: Desk, assistants: Ref[ToAssistant], manners: Manners, table: Table = COMMANDS
) -> AsyncIterator[Router]:
    """A router for the length of the block; what is still in its lanes then is dropped."""
    async with beside() as tasks:
        yield Router(desk, assistants, manners, tasks, table)


def _let_go(failure: Failure) -> None:
    """A reply that could not be said; there is nobody to tell, and the lane has logged it."""
