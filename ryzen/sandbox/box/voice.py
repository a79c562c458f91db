"""Voice chats: opening, joining, muting, leaving. The sound itself is the media server's."""

from __future__ import annotations

import json
from typing import Final

from ryzen.sandbox.box import posting, views
from ryzen.sandbox.box.faults import RequestError
from ryzen.sandbox.box.records import CallMember, Group, User, VoiceChat, now
from ryzen.sandbox.box.sessions import Session
from ryzen.sandbox.box.telegram import Telegram
from ryzen.sandbox.box.tl import Encoded, T, Tl
from ryzen.sandbox.box.transcript import Kind
from ryzen.sandbox.box.updates import News
from ryzen.sandbox.box.world import require

# What a box without a media server answers: enough for signalling, nothing will be heard.
_NO_MEDIA: Final = json.dumps(
    {"transport": {"ufrag": "box", "pwd": "box", "fingerprints": [], "candidates": []}}
)


def open_chat(
    box: Telegram, group: Group, by: User, *, title: str | None = None, caller: Session | None = None
) -> Encoded | None:
    require(group, by, "manage_call")
    if group.call is not None:
        raise RequestError(400, "CREATE_CALL_FAILED")
    call = group.call = VoiceChat(title)
    box.transcript.note(Kind.VOICE, group.chat_id, by.name, "opened")
    posting.announce(box, group, by, T.MessageActionGroupCall(call=views.call_ref(call)))
    return _tell(box, group, lambda _: [_as_update(group, views.call(call))], (), caller)


def close_chat(box: Telegram, group: Group, by: User, *, caller: Session | None = None) -> Encoded | None:
    require(group, by, "manage_call")
    call = group.call
    if call is None:
        raise RequestError(403, "GROUPCALL_FORBIDDEN")
    group.call = None
    for member in call.members.values():
        _hang_up(box, member)
    duration = now() - call.started
    box.transcript.note(Kind.VOICE, group.chat_id, by.name, "closed")
    posting.announce(box, group, by, T.MessageActionGroupCall(call=views.call_ref(call), duration=duration))
    gone = T.GroupCallDiscarded(id=call.id, access_hash=call.access_hash, duration=duration)
    return _tell(box, group, lambda _: [_as_update(group, gone)], (), caller)


def join(
    box: Telegram, group: Group, call: VoiceChat, user: User, offer: str, *, muted: bool, caller: Session
) -> Encoded | None:
    """``offer`` is the client's JSON; the answer is in the caller's updates."""
    if user.id not in group.members:
        raise RequestError(403, "GROUPCALL_FORBIDDEN")
    ssrc = _ssrc(offer)
    if any(one.ssrc == ssrc for one in call.members.values() if one.user is not user):
        raise RequestError(400, "GROUPCALL_SSRC_DUPLICATE_MUCH")
    before = call.members.get(user.id)
    if before is not None:  # the same account again: its old connection is dead
        _hang_up(box, before)
    member = CallMember(user, ssrc, muted or (before is not None and before.muted_by_admin))
    member.muted_by_admin = before is not None and before.muted_by_admin
    answer = _NO_MEDIA
    if box.media is not None:
        try:
            member.peer, answer = box.media.join(offer)
        except ValueError:
            raise RequestError(400, "DATA_JSON_INVALID") from None
    call.members[user.id] = member
    box.transcript.note(Kind.VOICE, group.chat_id, user.name, "joined")
    connection = T.UpdateGroupCallConnection(params=T.DataJSON(data=answer))
    return _tell_member(box, group, call, member, caller=caller, only_caller=connection, just_joined=True)


def _ssrc(offer: str) -> int:
    try:
        return int(json.loads(offer)["ssrc"])
    except (ValueError, KeyError, TypeError):
        raise RequestError(400, "DATA_JSON_INVALID") from None


def leave(
    box: Telegram, group: Group, call: VoiceChat, user: User, *, caller: Session | None = None
) -> Encoded | None:
    member = call.members.pop(user.id, None)
    if member is None:
        raise RequestError(400, "GROUPCALL_JOIN_MISSING")
    _hang_up(box, member)
    box.transcript.note(Kind.VOICE, group.chat_id, user.name, "left")
    return _tell_member(box, group, call, member, caller=caller, left=True)


def expel(box: Telegram, group: Group, user: User) -> None:
    """Out of the voice chat, if there is one and ``user`` is in it."""
    if group.call is not None and user.id in group.call.members:
        leave(box, group, group.call, user)


def change(
    box: Telegram,
    group: Group,
    call: VoiceChat,
    user: User,
    by: User,
    *,
    muted: bool | None,
    volume: int | None,
    caller: Session | None = None,
) -> Encoded | None:
    """Mute or unmute, set the volume (10000 is 100 %): one's own, or as an admin anyone's."""
    member = call.members.get(user.id)
    if member is None:
        raise RequestError(400, "PARTICIPANT_ID_INVALID")
    if user is not by:
        require(group, by, "manage_call")
        member.muted_by_admin = member.muted_by_admin if muted is None else muted
    elif muted is False and member.muted_by_admin:
        raise RequestError(403, "GROUPCALL_FORBIDDEN")
    member.muted = member.muted if muted is None else muted
    member.volume = member.volume if volume is None else volume
    return _tell_member(box, group, call, member, caller=caller)


def _tell_member(
    box: Telegram,
    group: Group,
    call: VoiceChat,
    member: CallMember,
    *,
    caller: Session | None,
    only_caller: Tl = None,
    just_joined: bool = False,
    left: bool = False,
) -> Encoded | None:
    call.version += 1
    state = _as_update(group, views.call(call))

    def news(viewer: User) -> list[Tl]:
        view = views.call_member(member, viewer, just_joined=just_joined, left=left)
        change = T.UpdateGroupCallParticipants(
            call=views.call_ref(call), participants=[view], version=call.version
        )
        answered = caller is not None and viewer.id == caller.auth.user_id and only_caller is not None
        return [change, state, only_caller] if answered else [change, state]

    return _tell(box, group, news, (member.user,), caller)


def _tell(
    box: Telegram, group: Group, news: News, about: tuple[User, ...], caller: Session | None
) -> Encoded | None:
    """Bots hear of voice chats through service messages alone."""
    people = [one for one in group.people() if not one.bot]
    return box.updates.tell(people, news, about=about, chat=group, caller=caller)


def _as_update(group: Group, view: Tl) -> Tl:
    return T.UpdateGroupCall(call=view, peer=T.PeerChannel(channel_id=group.id))


def _hang_up(box: Telegram, member: CallMember) -> None:
    if box.media is not None and member.peer is not None:
        box.media.drop(member.peer)
        member.peer = None
