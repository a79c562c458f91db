"""Groups as a whole."""

from __future__ import annotations

from ryzen.sandbox.box import views
from ryzen.sandbox.box.rpc import Rpc, on
from ryzen.sandbox.box.tl import F, T, Tl, filled


@on(F.channels.GetChannels)
def get_channels(rpc: Rpc) -> Tl:
    groups = [rpc.box.world.group(one, rpc.me) for one in rpc.query.id]
    return T.messages.Chats(chats=[views.group(one, rpc.me) for one in groups])


@on(F.channels.GetFullChannel)
def get_full_channel(rpc: Rpc) -> Tl:
    me = rpc.me
    group = rpc.box.world.group(rpc.query.channel, me)
    full = filled(
        T.ChannelFull,
        id=group.id,
        chat_photo=T.PhotoEmpty(id=0),
        notify_settings=T.PeerNotifySettings(),
        pts=group.ledger.pts,
        participants_count=len(group.members),
        admins_count=len(group.admins) + 1,
        kicked_count=sum(ban.out for ban in group.bans.values()),
        banned_count=sum(not ban.out for ban in group.bans.values()),
        requests_pending=len(group.pending) or None,
        recent_requesters=list(group.pending) or None,
        call=views.call_ref(group.call) if group.call else None,
    )
    return T.messages.ChatFull(full_chat=full, chats=[views.group(group, me)], users=[])
