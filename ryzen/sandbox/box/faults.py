"""Trouble on demand: what a test or the demo asks the box to do wrong."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Final

import attrs

from ryzen.sandbox.box.tl import F

_FOR_EVER: Final = 2**31


class RequestError(Exception):
    """Answers a request with rpc_error. People who act server-side get it raised."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


@attrs.frozen
class Refuse:
    """Answer with this error."""

    code: int
    text: str


@attrs.frozen
class Delay:
    """Handle it this many seconds later."""

    seconds: float


@attrs.frozen
class Cut:
    """Close the connection; ``handled``: do what was asked first, and lose only the answer."""

    handled: bool


Trouble = Refuse | Delay | Cut


@attrs.define(eq=False)
class Fault:
    """One order for trouble; ``met`` is how many calls it has troubled."""

    method: str
    trouble: Callable[[], Trouble | None]  #: None: it is over
    chat_id: int | None
    user_id: int | None
    left: int
    met: int = 0

    def wants(self, method: str, chat_id: int | None, user_id: int | None) -> bool:
        return (
            self.left > 0
            and method == self.method
            and self.chat_id in (None, chat_id)
            and self.user_id in (None, user_id)
        )


class Faults:
    """All orders for trouble. A method is named as in the schema: ``messages.SendMessage``.

    Each order may be for one chat (``chat_id`` as client libraries have it, -100…) and for the calls
    of one account (``user_id``). The first order that fits a call is the one that is met.
    """

    def __init__(self) -> None:
        self._orders: list[Fault] = []

    def fail(
        self,
        method: str,
        code: int,
        text: str,
        times: int = 1,
        *,
        chat_id: int | None = None,
        user_id: int | None = None,
    ) -> Fault:
        """Answer the next ``times`` calls with this error."""
        return self._order(method, lambda: Refuse(code, text), times, chat_id, user_id)

    def flood(
        self,
        method: str,
        seconds: float,
        *,
        chat_id: int | None = None,
        user_id: int | None = None,
        times: int | None = None,
    ) -> Fault:
        """FLOOD_WAIT. From now on, for ``seconds``: each call is told how many whole seconds are left.

        With ``times``: the next so many calls are told ``seconds``, whenever they come.
        """
        if times is not None:
            wait = math.ceil(seconds)
            return self._order(method, lambda: Refuse(420, f"FLOOD_WAIT_{wait}"), times, chat_id, user_id)
        end = time.monotonic() + seconds

        def remaining() -> Trouble | None:
            left = math.ceil(end - time.monotonic())
            return Refuse(420, f"FLOOD_WAIT_{left}") if left > 0 else None

        return self._order(method, remaining, _FOR_EVER, chat_id, user_id)

    def delay(
        self,
        method: str,
        seconds: float,
        *,
        times: int | None = None,
        chat_id: int | None = None,
        user_id: int | None = None,
    ) -> Fault:
        """Handle such calls ``seconds`` late; without ``times`` until ``clear``."""
        return self._order(method, lambda: Delay(seconds), times or _FOR_EVER, chat_id, user_id)

    def drop(
        self,
        method: str,
        times: int = 1,
        *,
        handled: bool = False,
        chat_id: int | None = None,
        user_id: int | None = None,
    ) -> Fault:
        """Cut the caller's connection; ``handled``: after doing what was asked."""
        return self._order(method, lambda: Cut(handled), times, chat_id, user_id)

    def clear(self) -> None:
        """Take back every order."""
        self._orders.clear()

    def meet(self, method: str, chat_id: int | None, user_id: int | None) -> Trouble | None:
        """What is to happen to this call; None: nothing."""
        for order in [one for one in self._orders if one.wants(method, chat_id, user_id)]:
            trouble = order.trouble()
            if trouble is None:
                self._orders.remove(order)
                continue
            order.left -= 1
            order.met += 1
            return trouble
        return None

    def _order(
        self,
        method: str,
        trouble: Callable[[], Trouble | None],
        times: int,
        chat_id: int | None,
        user_id: int | None,
    ) -> Fault:
        space, _, name = method.rpartition(".")
        if not hasattr(getattr(F, space, None) if space else F, name):
            raise ValueError(f"there is no method {method!r}; methods are named like messages.SendMessage")
        fault = Fault(method, trouble, chat_id, user_id, times)
        self._orders.append(fault)
        return fault
