"""Voice chats, as clients ask about them."""

from __future__ import annotations

from pyrogram.raw.core import Int
from pyrogram.raw.core.primitives import Vector

from ryzen.sandbox.box import views, voice
from ryzen.sandbox.box.faults import RequestError
from ryzen.sandbox.box.records import Group, VoiceChat
from ryzen.sandbox.box.rpc import Rpc, on
from ryzen.sandbox.box.tl import Encoded, F, T, Tl


def _call_of(rpc: Rpc) -> tuple[Group, VoiceChat]:
    """The voice chat of the request; it is for the members of its group."""
    group, call = rpc.box.world.by_call(rpc.query.call)
    if rpc.me.id not in group.members:
        raise RequestError(403, "GROUPCALL_FORBIDDEN")
    return group, call


@on(F.phone.CreateGroupCall, bots=False)
def create(rpc: Rpc) -> Tl:
    group = rpc.box.world.group(rpc.query.peer, rpc.me)
    return voice.open_chat(rpc.box, group, rpc.me, title=rpc.query.title, caller=rpc.session)


@on(F.phone.DiscardGroupCall, bots=False)
def discard(rpc: Rpc) -> Tl:
    group, _ = _call_of(rpc)
    return voice.close_chat(rpc.box, group, rpc.me, caller=rpc.session)


@on(F.phone.GetGroupCall, bots=False)
def get_call(rpc: Rpc) -> Tl:
    group, call = _call_of(rpc)
    members = list(call.members.values())
    return T.phone.GroupCall(
        call=views.call(call),
        participants=[views.call_member(one, rpc.me) for one in members],
        participants_next_offset="",
        chats=[views.group(group, rpc.me)],
        users=[views.user(one.user, rpc.me) for one in members],
    )


@on(F.phone.GetGroupParticipants, bots=False)
def get_participants(rpc: Rpc) -> Tl:
    group, call = _call_of(rpc)
    sources = rpc.query.sources
    members = [one for one in call.members.values() if not sources or one.ssrc in sources]
    return T.phone.GroupParticipants(
        count=len(call.members),
        participants=[views.call_member(one, rpc.me) for one in members],
        next_offset="",
        chats=[views.group(group, rpc.me)],
        users=[views.user(one.user, rpc.me) for one in members],
        version=call.version,
    )


@on(F.phone.JoinGroupCall, bots=False)
def join(rpc: Rpc) -> Tl:
    group, call = rpc.box.world.by_call(rpc.query.call)
    return voice.join(
        rpc.box,
        group,
        call,
        rpc.me,
        rpc.query.params.data,
        muted=bool(rpc.query.muted),
        caller=rpc.session,
    )


@on(F.phone.LeaveGroupCall, bots=False)
def leave(rpc: Rpc) -> Tl:
    group, call = _call_of(rpc)
    return voice.leave(rpc.box, group, call, rpc.me, caller=rpc.session)


@on(F.phone.CheckGroupCall, bots=False)
def check(rpc: Rpc) -> Tl:
    """Those of the sources that are the caller's and still connected."""
    _, call = _call_of(rpc)
    member = call.members.get(rpc.me.id)
    alive = [member.ssrc] if member is not None and member.ssrc in rpc.query.sources else []
    return Encoded(Vector(alive, Int))


@on(F.phone.EditGroupCallParticipant, bots=False)
def edit_participant(rpc: Rpc) -> Tl:
    group, call = _call_of(rpc)
    user = rpc.box.world.user(rpc.query.participant, rpc.me)
    return voice.change(
        rpc.box,
        group,
        call,
        user,
        rpc.me,
        muted=rpc.query.muted,
        volume=rpc.query.volume,
        caller=rpc.session,
    )
