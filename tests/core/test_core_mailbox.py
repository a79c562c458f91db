"""A mailbox under random use, beside a model of it: nothing is lost but what is counted."""

from __future__ import annotations

import asyncio
from collections import deque

import anyio
import attrs
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ryzen.actors.mailbox import Mailbox, Overflow, Question
from ryzen.actors.ref import Event
from ryzen.errors import ActorStopped, MailboxFull


@attrs.frozen
class Command:
    n: int


@attrs.frozen
class Fact(Event):
    n: int


class MailboxMachine(RuleBasedStateMachine):
    """The model: a deque, and what became of each message."""

    @initialize(capacity=st.integers(1, 6), reserve=st.integers(0, 5), overflow=st.sampled_from(Overflow))
    def open(self, capacity, reserve, overflow):
        self.runner = asyncio.Runner()
        self.runner.get_loop()
        self.now = 0.0
        self.room = capacity - min(reserve, capacity - 1)
        self.box = Mailbox(capacity, capacity - self.room, overflow)
        self.box.clock = lambda: self.now
        self.model = deque()
        self.sent = 0
        self.lost = 0
        self.questions = {}
        self.closed = self.sealed = False

    def expect(self, urgent):
        """What the model says of a message: an error, or None."""
        if self.sealed or (self.closed and not urgent):
            return ActorStopped
        if len(self.model) < (self.box.capacity if urgent else self.room):
            return None
        self.lost += 1
        commands = [message for message in self.model if isinstance(message, Command)]
        if self.box.overflow is Overflow.REFUSE or not commands:
            return MailboxFull
        self.model.remove(commands[0])
        if (question := self.questions.pop(commands[0].n, None)) is not None:
            assert isinstance(question.error, MailboxFull)
        return None

    @rule(urgent=st.booleans(), asked=st.booleans(), later=st.floats(0, 10))
    def send(self, urgent, asked, later):
        self.now += later
        self.sent += 1
        message = Fact(self.sent) if urgent else Command(self.sent)
        try:
            if asked and not urgent:
                self.questions[self.sent] = self.runner.run(self.ask(message))
            else:
                self.box.put(message)
        except (MailboxFull, ActorStopped) as error:
            outcome = type(error)
        else:
            outcome = None
        assert outcome is self.expect(urgent)
        if outcome is None:
            self.model.append(message)

    async def ask(self, message):
        return self.box.put_question(message)

    @rule()
    def take(self):
        envelope = self.box.take()
        if not self.model:
            assert envelope is None
            return
        message = self.model.popleft()
        assert envelope.message == message
        assert envelope.sent_at <= self.now
        if message.n in self.questions:
            assert self.questions.pop(message.n) is envelope
            assert not envelope.answered.is_set()

    @precondition(lambda self: self.sent > 8)
    @rule()
    def close(self):
        self.box.close()
        self.closed = True

    @precondition(lambda self: self.closed)
    @rule()
    def seal(self):
        self.box.seal()
        self.sealed = True
        for question in self.questions.values():
            assert isinstance(question.error, ActorStopped)
        self.questions.clear()
        self.model.clear()

    @invariant()
    def agrees_with_the_model(self):
        if not hasattr(self, "box"):
            return
        assert self.box.used == len(self.model) <= self.box.capacity
        assert self.box.refused == self.lost
        assert self.box.closed is self.closed
        assert (self.box.oldest is None) is (not self.model)

    def teardown(self):
        if hasattr(self, "runner"):
            self.runner.close()


MailboxMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestMailboxAgainstItsModel = MailboxMachine.TestCase


@pytest.mark.parametrize(("capacity", "reserve"), [(0, 0), (4, 4), (4, -1), (2, 3)])
def test_a_mailbox_has_room_for_commands(capacity, reserve):
    with pytest.raises(ValueError, match="mailbox"):
        Mailbox(capacity, reserve)


@pytest.mark.anyio
async def test_the_reader_is_woken_by_mail_and_by_the_closing():
    box, woken = Mailbox(), []

    async def read():
        while not box.closed:
            await box.wait()
            woken.append(None if (envelope := box.take()) is None else envelope.message)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read)
        await anyio.sleep(1)
        assert woken == []
        box.put("one")
        box.put("two")
        await anyio.sleep(1)
        box.put_question("three")
        await anyio.sleep(1)
        box.close()
    assert woken == ["one", "two", "three", None]


@pytest.mark.anyio
async def test_a_question_has_one_answer():
    question = Question("?", 0.0)
    question.answer(1)
    question.answer(2)
    question.fail(ActorStopped())
    assert (question.value, question.error) == (1, None)
