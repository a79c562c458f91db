"""Voice chats: the signalling, seen by clients that invoke the requests themselves."""

from __future__ import annotations

import json
from typing import Any

import pytest
from boxes import F, T, Town, town
from pyrogram import Client, errors

from ryzen.sandbox.box import Kind

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def call_of(t: Town) -> Any:
    call = t.box.call_of(t.group)
    return T.InputGroupCall(id=call.id, access_hash=call.access_hash)


async def join(t: Town, client: Client, ssrc: int = 7, muted: bool = False) -> Any:
    return await client.invoke(
        F.phone.JoinGroupCall(
            call=call_of(t),
            join_as=T.InputPeerSelf(),
            params=T.DataJSON(data=json.dumps({"ssrc": ssrc})),
            muted=muted,
        )
    )


def found(updates: Any, kind: type) -> Any:
    return next(update for update in updates.updates if isinstance(update, kind))


async def test_an_admin_opens_a_voice_chat_and_everyone_is_told() -> None:
    async with town() as t, t.online(t.owner) as owner, t.online(t.member) as member, t.online(t.bot) as bot:
        peer = await owner.resolve_peer(t.group.chat_id)
        answer = await owner.invoke(F.phone.CreateGroupCall(peer=peer, random_id=1, title="Tonight"))
        call = found(answer, T.UpdateGroupCall).call
        assert (call.title, call.participants_count) == ("Tonight", 0)
        told = await member.inbox.next(T.UpdateGroupCall)
        assert (told.call.id, told.peer.channel_id) == (call.id, t.group.id)
        service = await bot.inbox.next(T.UpdateNewChannelMessage)
        assert service.message.action.call.id == call.id
        full = await member.invoke(
            F.channels.GetFullChannel(channel=await member.resolve_peer(t.group.chat_id))
        )
        assert full.full_chat.call.id == call.id
        with pytest.raises(errors.CreateCallFailed):
            await owner.invoke(F.phone.CreateGroupCall(peer=peer, random_id=2))


async def test_who_may_not_manage_calls_neither_opens_nor_closes_one() -> None:
    async with town() as t, t.online(t.member) as member:
        peer = await member.resolve_peer(t.group.chat_id)
        with pytest.raises(errors.ChatAdminRequired):
            await member.invoke(F.phone.CreateGroupCall(peer=peer, random_id=1))
        t.box.open_voice_chat(t.group)
        with pytest.raises(errors.ChatAdminRequired):
            await member.invoke(F.phone.DiscardGroupCall(call=call_of(t)))
        await t.box.promote(t.group, t.member, manage_call=True)
        await member.invoke(F.phone.DiscardGroupCall(call=call_of(t)))
        assert t.group.call is None


async def test_joining_answers_with_a_connection_and_tells_the_others_with_a_new_version() -> None:
    async with town() as t, t.online(t.owner) as owner, t.online(t.member) as member:
        before = t.box.open_voice_chat(t.group).version
        answer = await join(t, member)
        assert "transport" in json.loads(found(answer, T.UpdateGroupCallConnection).params.data)
        assert found(answer, T.UpdateGroupCall).call.participants_count == 1
        told = await owner.inbox.next(T.UpdateGroupCallParticipants)
        joined = told.participants[0]
        assert (told.version, joined.peer.user_id, joined.just_joined) == (before + 1, t.member.id, True)
        assert t.box.call_of(t.group).members[t.member.id].peer is None  # no media server: signalling only
        listed = await owner.invoke(F.phone.GetGroupCall(call=call_of(t), limit=10))
        assert [one.source for one in listed.participants] == [7]
        page = await member.invoke(
            F.phone.GetGroupParticipants(call=call_of(t), ids=[], sources=[], offset="", limit=0)
        )
        assert (page.count, page.version, page.participants[0].is_self) == (1, before + 1, True)


async def test_leaving_is_told_and_cannot_be_done_twice() -> None:
    async with town() as t, t.online(t.owner) as owner, t.online(t.member) as member:
        t.box.open_voice_chat(t.group)
        await join(t, member)
        await member.invoke(F.phone.LeaveGroupCall(call=call_of(t), source=0))
        told = await owner.inbox.next(T.UpdateGroupCallParticipants, lambda u: u.participants[0].left)
        assert told.participants[0].peer.user_id == t.member.id
        with pytest.raises(errors.GroupcallJoinMissing):
            await member.invoke(F.phone.LeaveGroupCall(call=call_of(t), source=0))
        texts = [entry.text for entry in t.box.transcript.of(t.group.chat_id, Kind.VOICE)]
        assert texts == ["opened", "joined", "left"]


async def test_an_ssrc_that_is_taken_is_refused_and_the_same_account_may_come_again() -> None:
    async with town() as t, t.online(t.owner) as owner, t.online(t.member) as member:
        t.box.open_voice_chat(t.group)
        await join(t, member, 7)
        with pytest.raises(errors.GroupcallSsrcDuplicateMuch):
            await join(t, owner, 7)
        await join(t, member, 7)
        await join(t, owner, 8)
        assert len(t.box.call_of(t.group).members) == 2


async def test_a_second_join_of_an_account_takes_its_seat_over() -> None:
    """As after a kill, when nobody has left: the others see one participant with a new source."""
    async with town() as t, t.online(t.owner) as owner, t.online(t.member) as member:
        t.box.open_voice_chat(t.group)
        await join(t, member, 7)
        async with t.online(t.member) as again:
            answer = await join(t, again, 8)
            assert found(answer, T.UpdateGroupCall).call.participants_count == 1
            for other in (owner, member):
                told = await other.inbox.next(
                    T.UpdateGroupCallParticipants, lambda u: u.participants[0].source == 8
                )
                assert not told.participants[0].left
            assert await again.invoke(F.phone.CheckGroupCall(call=call_of(t), sources=[7, 8])) == [8]
        assert [one.ssrc for one in t.box.call_of(t.group).members.values()] == [8]


async def test_bots_strangers_and_nonsense_do_not_join() -> None:
    async with (
        town() as t,
        t.online(t.bot) as bot,
        t.online(t.stranger) as stranger,
        t.online(t.member) as member,
    ):
        t.box.open_voice_chat(t.group)
        with pytest.raises(errors.BotMethodInvalid):
            await join(t, bot)
        with pytest.raises(errors.GroupcallForbidden):
            await join(t, stranger)
        with pytest.raises(errors.DataJsonInvalid):
            await member.invoke(
                F.phone.JoinGroupCall(
                    call=call_of(t), join_as=T.InputPeerSelf(), params=T.DataJSON(data="{}")
                )
            )
        assert not t.box.call_of(t.group).members


async def test_checking_tells_whether_the_connection_is_still_known() -> None:
    async with town() as t, t.online(t.member) as member:
        t.box.open_voice_chat(t.group)
        await join(t, member, 7)
        assert await member.invoke(F.phone.CheckGroupCall(call=call_of(t), sources=[7])) == [7]
        t.box.kick_from_call(t.group, t.member)
        assert await member.invoke(F.phone.CheckGroupCall(call=call_of(t), sources=[7])) == []


async def test_who_an_admin_has_muted_cannot_unmute() -> None:
    async with town() as t, t.online(t.owner) as owner, t.online(t.member) as member:
        t.box.open_voice_chat(t.group)
        await join(t, member)

        async def set_muted(client: Client, user: str | int, muted: bool) -> None:
            peer = await client.resolve_peer(user)
            await client.invoke(
                F.phone.EditGroupCallParticipant(call=call_of(t), participant=peer, muted=muted)
            )

        await set_muted(member, "me", True)
        await set_muted(member, "me", False)
        await set_muted(owner, t.member.id, True)
        told = await member.inbox.next(T.UpdateGroupCallParticipants, lambda u: u.participants[0].muted)
        assert not told.participants[0].can_self_unmute
        with pytest.raises(errors.GroupcallForbidden):
            await set_muted(member, "me", False)
        await set_muted(owner, t.member.id, False)
        assert not t.box.call_of(t.group).members[t.member.id].muted


async def test_a_member_does_not_mute_another() -> None:
    async with town() as t, t.online(t.owner) as owner, t.online(t.member) as member:
        t.box.open_voice_chat(t.group)
        await join(t, owner)
        with pytest.raises(errors.ChatAdminRequired):
            await member.invoke(
                F.phone.EditGroupCallParticipant(
                    call=call_of(t), participant=await member.resolve_peer("olga"), muted=True
                )
            )


async def test_who_leaves_the_group_or_is_thrown_out_is_out_of_the_call() -> None:
    async with town() as t, t.online(t.owner) as owner, t.online(t.member) as member:
        t.box.open_voice_chat(t.group)
        await join(t, member)
        await t.box.leave(t.group, t.member)
        assert not t.box.call_of(t.group).members
        await owner.inbox.next(T.UpdateGroupCallParticipants, lambda u: u.participants[0].left)
        await t.box.join(t.group, t.member)
        await join(t, member)
        await t.box.ban(t.group, t.member)
        assert not t.box.call_of(t.group).members
        with pytest.raises(errors.GroupcallForbidden):
            await join(t, member)


async def test_a_closed_voice_chat_is_told_and_gone() -> None:
    async with town() as t, t.online(t.member) as member, t.online(t.bot) as bot:
        t.box.open_voice_chat(t.group)
        await join(t, member)
        call = call_of(t)
        await bot.inbox.next(T.UpdateNewChannelMessage)
        t.box.close_voice_chat(t.group)
        await member.inbox.next(T.UpdateGroupCall, lambda u: isinstance(u.call, T.GroupCallDiscarded))
        service = await bot.inbox.next(T.UpdateNewChannelMessage)
        assert service.message.action.duration is not None
        with pytest.raises(errors.GroupcallInvalid):
            await member.invoke(F.phone.GetGroupCall(call=call, limit=1))
        with pytest.raises(LookupError):
            t.box.call_of(t.group)


async def test_bots_hear_of_voice_chats_through_service_messages_alone() -> None:
    async with town() as t, t.online(t.member) as member, t.online(t.bot) as bot:
        t.box.open_voice_chat(t.group)
        await join(t, member)
        await t.box.say(t.group, t.owner, "done")
        seen: list[type] = []
        while True:
            update = await bot.inbox.next(object)
            seen.append(type(update))
            if getattr(update.message, "message", "") == "done":
                break
        assert set(seen) == {T.UpdateNewChannelMessage}
