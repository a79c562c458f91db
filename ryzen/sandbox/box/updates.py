"""Telling the clients what has happened."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ryzen.sandbox.box import views
from ryzen.sandbox.box.records import Chat, Ledger, User
from ryzen.sandbox.box.sessions import NEWS, Session, Sessions
from ryzen.sandbox.box.tl import Encoded, Tl

News = Callable[[User], list[Tl]]  # what a viewer is told; nothing: the viewer is left out


class Updates:
    """Pushes updates to everyone whom they concern, each as that account sees them."""

    def __init__(self, sessions: Sessions) -> None:
        self.pushed = 0  #: updates sent, one for each session
        self._sessions = sessions

    def tell(
        self,
        viewers: Iterable[User],
        news: News,
        *,
        about: Iterable[User],
        chat: Chat | None,
        caller: Session | None = None,
    ) -> Encoded | None:
        """Push ``news(viewer)`` to every session of the viewers but the caller's.

        ``about`` are the accounts that the news name. Returns the caller's own copy, for its answer.
        """
        about, own = tuple(about), None
        listening = self._sessions.listening()
        for viewer in viewers:
            sessions = listening.get(viewer.id, [])
            calls = caller is not None and viewer.id == caller.auth.user_id
            told = news(viewer) if sessions or calls else []
            if not told:
                continue
            body = views.updates(told, viewer, about, chat)
            own = body if calls else own
            for session in sessions:
                if session is not caller:
                    session.send(body, kind=NEWS)
                    self.pushed += 1
        return own


def ledgers(chat: Chat) -> set[Ledger]:
    """One for a group; for a private chat one for each side."""
    return {chat.ledger_of(viewer) for viewer in chat.people()}
