"""Breaks of the governor, and of who is shown which file, that tests must notice; for ``scripts/mutate``.
One line each."""

TESTS = [
    "tests/telegram/test_io_governor.py",
    "tests/telegram/test_io_pace.py",
    "tests/telegram/test_io_files.py",
]

PACE, GOVERNOR = "ryzen/telegram/pace.py", "ryzen/telegram/governor.py"
FILES = "ryzen/telegram/files.py"

MUTANTS = [
    # the arithmetic
    (PACE, "(burst - 1) * interval", "burst * interval"),
    (PACE, "(burst - 1) * interval", "0.0"),
    (PACE, "max(self._due, moment) + self._interval", "self._due + self._interval"),
    (PACE, "max(self._due, moment) + self._interval", "moment + self._interval"),
    (PACE, "self._taken[0] + self._period)", "self._taken[0])"),
    (
        PACE,
        "return max(now, self._taken[-1], self._taken[0]",
        "return max(now, self._taken[-1] + self._period, self._taken[0]",
    ),
    (
        PACE,
        "return max((pace.ready(now) for pace in self._paces), default=now)",
        "return self._paces[0].ready(now)",
    ),
    (
        PACE,
        "        for pace in self._paces:\n            pace.take(moment)",
        "        self._paces[0].take(moment)",
    ),
    # the lanes
    (GOVERNOR, "if self.busy is not None:", "if False:"),
    (GOVERNOR, "barred = bar is not None and bar.until > now", "barred = False"),
    (GOVERNOR, "self.pace.ready(now) if ticket.paced else now", "self.pace.ready(now)"),
    (GOVERNOR, "            if not barred:", "            if True:"),
    (GOVERNOR, "            if not barred:", "            if other.method == ticket.method:"),
    (GOVERNOR, "            if ticket.method not in seen:\n", "            if not seen:\n"),
    (GOVERNOR, "return free and all(bar.until <= now for bar in self.bars.values())", "return False"),
    (GOVERNOR, "return free and all(bar.until <= now for bar in self.bars.values())", "return free"),
    # taking turns
    (GOVERNOR, "_Bar(now + flood.seconds, flood.reason)", "_Bar(now, flood.reason)"),
    (GOVERNOR, "if newest and any(other.about == about for other in lane.line):", "if False:"),
    (GOVERNOR, "lane.line.insert(0, ticket)", "lane.line.append(ticket)"),
    (
        GOVERNOR,
        "                finally:\n                    lane.busy = None\n",
        "                finally:\n",
    ),
    (
        GOVERNOR,
        "                    lane.busy = None\n                    lane.wake()\n            return",
        "                    lane.busy = None\n            return",
    ),
    (
        GOVERNOR,
        "            if ticket in lane.line:\n                lane.line.remove(ticket)\n",
        "            if ticket in lane.line:\n",
    ),
    (GOVERNOR, "if chat_id < 0:", "if True:"),
    (GOVERNOR, "if chat_id < 0:", "if False:"),
    (GOVERNOR, "if len(self._lanes) >= self._sweep_at:", "if False:"),
    (GOVERNOR, "if other.newest and other.about == ticket.about", "if other.about == ticket.about"),
    (GOVERNOR, "if other.newest and other.about == ticket.about", "if other.newest"),
    (GOVERNOR, "            old.changed.set()\n", ""),
    (GOVERNOR, "        lane.wake()\n        if len(lane.line)", "        if len(lane.line)"),
    (GOVERNOR, "if len(lane.line) >= self._limits.waiting:", "if len(lane.line) > self._limits.waiting:"),
    (GOVERNOR, "if now >= latest or (latest < opens < math.inf):", "if now >= latest:"),
    (GOVERNOR, "if now >= latest or (latest < opens < math.inf):", "if latest < opens < math.inf:"),
    (GOVERNOR, "deadline=min(opens, latest)", "deadline=latest"),
    (GOVERNOR, "deadline=min(opens, latest)", "deadline=opens"),
    (GOVERNOR, "        self._overall.take(moment)\n", ""),
    (GOVERNOR, "            lane.pace.take(moment)", "            lane.pace.take(now)"),
    (
        GOVERNOR,
        "            except BaseException:\n                lane.busy = None\n",
        "            except BaseException:\n",
    ),
    # whose files
    (FILES, " if utils.get_peer_id(message.peer_id) == chat_id else None", ""),
    (FILES, "if not isinstance(answer.peer, T.PeerChannel):", "if False:"),
    (FILES, 'if match["id"]:', "if False:"),
    (FILES, "> _LAST_MESSAGE", "> 2**40"),
    (FILES, "(FloodWait, FloodPremiumWait)", "(FloodWait,)"),
    (FILES, "TrackTrouble.UNREACHABLE if unreachable else TrackTrouble.PRIVATE", "TrackTrouble.UNREACHABLE"),
]
