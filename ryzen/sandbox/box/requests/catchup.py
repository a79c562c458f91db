"""Where an account stands, and what it has missed."""

from __future__ import annotations

from collections.abc import Iterable

from ryzen.sandbox.box import views
from ryzen.sandbox.box.faults import RequestError
from ryzen.sandbox.box.posting import as_deleted, as_edited
from ryzen.sandbox.box.records import Chat, Ledger, Message, Missed, User, now
from ryzen.sandbox.box.rpc import Rpc, on
from ryzen.sandbox.box.tl import F, T, Tl
from ryzen.sandbox.box.world import sees


@on(F.updates.GetState)
def get_state(rpc: Rpc) -> Tl:
    rpc.session.wants_updates = True  # Telegram, too, pushes only to those who have asked
    return _state(rpc.me)


def _state(me: User) -> Tl:
    return T.updates.State(pts=me.ledger.pts, qts=me.qts, date=now(), seq=0, unread_count=0)


def _missed(ledger: Ledger, pts: int | None, me: User) -> Missed:
    """A client of an earlier life of this box may claim to have seen more than there ever was."""
    missed = ledger.since(ledger.pts if pts is None else pts)
    return Missed(
        tuple(one for one in missed.new if sees(me, one)),
        tuple(one for one in missed.edited if sees(me, one)),
        missed.gone,
    )


def _other(missed: Missed, chat: Chat, me: User) -> list[Tl]:
    others = [as_edited(one, me) for one in missed.edited]
    return [*others, as_deleted(chat, list(missed.gone), me)] if missed.gone else others


def _named(messages: Iterable[Message], me: User) -> list[Tl]:
    return [views.user(one, me) for one in {me, *(message.sender for message in messages)}]


@on(F.updates.GetDifference)
def get_difference(rpc: Rpc) -> Tl:
    """Private chats. Bots' own updates (members, presses) are not told twice: kurigram asks with qts 0."""
    me = rpc.me
    missed = _missed(me.ledger, rpc.query.pts, me)
    if not missed:
        return T.updates.DifferenceEmpty(date=now(), seq=0)
    return T.updates.Difference(
        new_messages=[views.message(one, me) for one in missed.new],
        new_encrypted_messages=[],
        other_updates=_other(missed, rpc.box.world.private(me, me), me),
        chats=[],
        users=_named((*missed.new, *missed.edited), me),
        state=_state(me),
    )


@on(F.updates.GetChannelDifference)
def get_channel_difference(rpc: Rpc) -> Tl:
    me = rpc.me
    group = rpc.box.world.group(rpc.query.channel, me)
    if rpc.query.pts is not None and rpc.query.pts > group.ledger.pts:
        raise RequestError(400, "PERSISTENT_TIMESTAMP_INVALID")
    missed = _missed(group.ledger, rpc.query.pts, me)
    if not missed:
        return T.updates.ChannelDifferenceEmpty(final=True, pts=group.ledger.pts)
    return T.updates.ChannelDifference(
        final=True,
        pts=group.ledger.pts,
        new_messages=[views.message(one, me) for one in missed.new],
        other_updates=_other(missed, group, me),
        chats=[views.group(group, me)],
        users=_named((*missed.new, *missed.edited), me),
    )
