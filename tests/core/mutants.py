"""Breaks of the core that its tests must notice; for ``scripts/mutate``. One line each."""

# ruff: noqa: E501

TESTS = ["tests/core"]

REF, MAILBOX, LIFE = "ryzen/actors/ref.py", "ryzen/actors/mailbox.py", "ryzen/actors/life.py"
CHILD, POLICY, HEALTH = "ryzen/actors/child.py", "ryzen/actors/policy.py", "ryzen/actors/health.py"
ACTOR, SUPERVISOR = "ryzen/actors/actor.py", "ryzen/supervisor.py"

MUTANTS = [
    # asking
    (REF, "            question.withdrawn = True\n", "            pass\n"),
    (REF, "        if question.error is not None:\n            raise question.error\n", ""),
    (REF, "raise AskExpired(self.name)", "return cast('R', None)"),
    (REF, "with anyio.move_on_after(within):", "with anyio.move_on_after(2 * within):"),
    # the mailbox
    (MAILBOX, "if urgent and len(self._mail) < self.capacity:", "if urgent:"),
    (MAILBOX, "if urgent and len(self._mail) < self.capacity:", "if False:"),
    (MAILBOX, "(self.closed and not urgent)", "self.closed"),
    (MAILBOX, "if self._sealed or (", "if ("),
    (MAILBOX, "        self.refused += 1\n", ""),
    (MAILBOX, "self.overflow is Overflow.REFUSE or not", "not"),
    (MAILBOX, "if not isinstance(envelope.message, Event):", "if True:"),
    (MAILBOX, "envelope.fail(MailboxFull())", "pass"),
    (MAILBOX, "envelope.fail(ActorStopped())", "pass"),
    (MAILBOX, "return self._mail.popleft() if self._mail else None", "return self._mail.pop() if self._mail else None"),
    (MAILBOX, "        self.closed = True\n        self._rouse()\n", "        self.closed = True\n"),
    (MAILBOX, "            self._wake.set()\n", "            pass\n"),
    (MAILBOX, "self._mail[0].sent_at", "self._mail[-1].sent_at"),
    # handling mail
    (LIFE, "            if question.withdrawn:\n                return\n", ""),
    (LIFE, "elif not isinstance(error, Refusal):", "elif False:"),
    (LIFE, "elif not isinstance(error, Refusal):", "else:"),
    (LIFE, "            question.fail(error)\n        elif", "            raise error\n        elif"),
    (LIFE, "            if isinstance(answer, Later):", "            if False:"),
    (LIFE, "        self.snapshot = self.actor.snapshot()\n", ""),
    (LIFE, "        self.handled += 1\n", ""),
    (LIFE, "                await checkpoint()\n", "                pass\n"),
    (LIFE, "mailbox.closed or self.actor.retiring", "mailbox.closed"),
    (LIFE, "                if self._fallen:\n", "                if False:\n"),
    (LIFE, "            self.busy_since = None\n            if mailbox.used", "            if mailbox.used"),
    # patience
    (LIFE, "self.actor.tasks.start_soon(self._watch, name=f\"{self.name}: watch\")", "pass"),
    (LIFE, "limit = (now if self.busy_since is None else self.busy_since) + patience", "limit = now + patience"),
    (LIFE, "with anyio.move_on_after(self.actor.patience) as limit:", "with anyio.CancelScope() as limit:"),
    (LIFE, "                    self.busy_since = self.mailbox.clock()\n                    with", "                    with"),
    (LIFE, "fell_at - self.ready_since", "now - self.ready_since"),
    (LIFE, "                self.failing_since = began\n", "                pass\n"),
    # the end of an incarnation
    (LIFE, "if anyio.current_effective_deadline() == -math.inf:", "if True:"),
    (LIFE, "                    self.actor.tasks.cancel_scope.cancel()\n", ""),
    (LIFE, "            self.mailbox.seal()\n", "            pass\n"),
    (LIFE, "self.leaving = not self.mailbox.used", "self.leaving = True"),
    (LIFE, "with anyio.move_on_after(self.grace) as limit:", "with anyio.CancelScope() as limit:"),
    (LIFE, "            self._fail_open(ActorStopped)\n", "            pass\n"),
    (LIFE, "        self._fail_open(ActorCrashed)\n", ""),
    # lives and their heirs
    (CHILD, "self.make(self.snapshot, self.attempt)", "self.make(None, self.attempt)"),
    (CHILD, "self.make(self.snapshot, self.attempt)", "self.make(self.snapshot, min(self.attempt, 1))"),
    (CHILD, "            self.snapshot = self._life.snapshot\n", ""),
    (CHILD, "        self.attempt = 0\n", ""),
    (CHILD, "1 if well_for >= self.policy.stable_after else self.attempt + 1", "self.attempt + 1"),
    (CHILD, "1 if well_for >= self.policy.stable_after else self.attempt + 1", "1"),
    (CHILD, "anyio.CancelScope(shield=True)", "anyio.CancelScope()"),
    (CHILD, "            self.scope.deadline = self.mailbox.clock() + self.grace\n", ""),
    (CHILD, "            self.mailbox.close()\n", ""),
    (CHILD, "                self.mailbox.seal()\n            return None", "                pass\n            return None"),
    (CHILD, "        self.mailbox.seal()\n        self.settled.set()\n", "        self.settled.set()\n"),
    (CHILD, "        self.mailbox.seal()\n        self.settled.set()\n", "        self.mailbox.seal()\n"),
    (CHILD, " or (self._life is not None and self._life.leaving)", ""),
    (CHILD, "            return  # on its way out, whatever it is doing there\n", "            pass\n"),
    (CHILD, "            self._handled += self._life.handled\n", ""),
    (CHILD, "            self._look(self.mailbox.clock())\n", ""),
    # policy
    (POLICY, "return min(self.ceiling, exact *", "return (exact *"),
    (POLICY, "self.jitter * spread", "self.jitter * abs(spread)"),
    (POLICY, "self.first * 2.0**doublings", "self.first * doublings"),
    (POLICY, "self._times[0] <= now - self._period", "self._times[0] < now - 2 * self._period"),
    (POLICY, "            self._times.popleft()\n", "            break\n"),
    # health
    (HEALTH, "_SECRET.sub(\"…\", str(error))", "str(error)"),
    (HEALTH, r"\d+:[A-Za-z0-9_-]{30,}|", ""),
    (HEALTH, "{lines[0][:_LONGEST]}", "{lines}"),
    # the supervisor
    (SUPERVISOR, "if all_lately > self._storm:", "if all_lately >= self._storm:"),
    (SUPERVISOR, "if all_lately > self._storm:", "if False:"),
    (SUPERVISOR, "if lately > child.policy.intensity:", "if lately >= child.policy.intensity:"),
    (SUPERVISOR, "if lately > child.policy.intensity:", "if False:"),
    (SUPERVISOR, "child.policy.delay(child.attempt,", "child.policy.delay(1,"),
    (SUPERVISOR, "self._rng.uniform(-1, 1)", "0.0"),
    (SUPERVISOR, "                await child.stopping.wait()\n                break\n", "                await anyio.sleep_forever()\n"),
    (SUPERVISOR, "                if child.mailbox.used:\n                    continue", "                if False:\n                    continue"),
    (SUPERVISOR, "while child.mailbox.used or not child.stopping.is_set():", "while True:"),
    (SUPERVISOR, "            await child.before.gone.wait()\n", ""),
    (SUPERVISOR, "if before is not None and not before.stopping.is_set():", "if before is not None:"),
    (SUPERVISOR, "        self._children.pop(name, None)  # a new child is the last started\n", ""),
    (SUPERVISOR, "        self._given_up.pop(name, None)\n", ""),
    (SUPERVISOR, "        if self._draining:\n            raise ActorStopped(name)\n", ""),
    (SUPERVISOR, "None if child is None or child.stopping.is_set() else", "None if child is None else"),
    (SUPERVISOR, "        if self._together:\n", "        if False:\n"),
    (SUPERVISOR, "reversed(list(self._children))", "list(self._children)"),
    (SUPERVISOR, "        except Exception as error:  # noqa: BLE001 - it crashed just when its grace ended\n            child.fell(cause(error))\n", ""),
    (SUPERVISOR, "            if self._children.get(child.name) is child:\n", "            if child.name in self._children:\n"),
    (SUPERVISOR, "if self._on_give_up is None or self.fatal is not None:", "if self._on_give_up is None:"),
    (SUPERVISOR, "        if child.policy.escalates:\n", "        if False:\n"),
    (SUPERVISOR, "            self.body.cancel()\n", ""),
    (SUPERVISOR, "while len(self._given_up) > _REMEMBERED:", "while False:"),
    (SUPERVISOR, "            with anyio.CancelScope(shield=True):\n", "            if True:\n"),
    (SUPERVISOR, "    if failure is not None:\n        raise failure\n", ""),
    (SUPERVISOR, "        if child.was_ready:\n            return ref\n", "        return ref\n"),
    # authors
    (ACTOR, "raise UnhandledMessage(message)", "return message"),
]  # fmt: skip
