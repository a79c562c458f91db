"""Groups: who is in, who leads, who is out, and who is told."""

from __future__ import annotations

import time
from typing import Any

import anyio
import pytest
from boxes import F, T, town
from pyrogram import Client, enums, errors
from pyrogram.types import ChatJoinResultRequestSent, ChatPermissions, ChatPrivileges

from ryzen.sandbox.box import Kind, RequestError

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


Status = enums.ChatMemberStatus


async def test_the_bot_sees_owner_admins_members_banned_and_those_who_left() -> None:
    async with town() as t, t.online(t.bot) as bot:
        admin = t.box.add_user(104, "Ada")
        await t.box.add(t.group, admin)
        await t.box.promote(t.group, admin, manage_call=True)
        await t.box.ban(t.group, t.member)
        found = {}
        for user in (t.owner, admin, t.member, t.bot):
            found[user] = await bot.get_chat_member(t.group.chat_id, user.id)
        assert [one.status for one in found.values()] == [
            Status.OWNER,
            Status.ADMINISTRATOR,
            Status.BANNED,
            Status.MEMBER,
        ]
        assert found[admin].privileges.can_manage_video_chats
        assert not found[admin].privileges.can_delete_messages
        with pytest.raises(errors.UserNotParticipant):
            await bot.get_chat_member(t.group.chat_id, "sven")
        admins = [
            one.user.id
            async for one in bot.get_chat_members(
                t.group.chat_id, filter=enums.ChatMembersFilter.ADMINISTRATORS
            )
        ]
        assert admins == [t.owner.id, admin.id]


async def test_a_bot_that_is_admin_is_told_of_every_change_and_one_that_is_not_only_of_its_own() -> None:
    async with town() as t, t.online(t.bot) as bot:
        await t.box.promote(t.group, t.member, manage_call=True)
        await t.box.promote(t.group, t.bot, invite_users=True)
        mine = await bot.inbox.next(T.UpdateChannelParticipant)
        assert (mine.user_id, mine.actor_id) == (t.bot.id, t.owner.id)
        await t.box.demote(t.group, t.member)
        his = await bot.inbox.next(T.UpdateChannelParticipant)
        assert his.user_id == t.member.id
        assert isinstance(his.prev_participant, T.ChannelParticipantAdmin)
        assert isinstance(his.new_participant, T.ChannelParticipant)
        assert his.qts > mine.qts


async def test_the_client_library_understands_the_changes() -> None:
    async with town() as t:
        await t.box.promote(t.group, t.bot, ban_users=True)
        seen, both = [], anyio.Event()
        bot = t.client(t.bot)

        @bot.on_chat_member_updated()
        async def note(_: Client, change: Any) -> None:
            seen.append(change)
            if len(seen) == 2:
                both.set()

        async with bot:
            await t.box.join(t.group, t.stranger)
            await t.box.ban(t.group, t.stranger)
            with anyio.fail_after(5):
                await both.wait()
        statuses = [
            (one.old_chat_member and one.old_chat_member.status, one.new_chat_member.status) for one in seen
        ]
        assert statuses == [(None, Status.MEMBER), (Status.MEMBER, Status.BANNED)]


async def test_who_is_thrown_out_sees_a_forbidden_group_and_cannot_come_back() -> None:
    async with town() as t, t.online(t.bot) as bot, t.online(t.owner) as owner, t.online(t.member) as member:
        with pytest.raises(errors.ChatAdminRequired):
            await bot.ban_chat_member(t.group.chat_id, t.member.id)
        await t.box.promote(t.group, t.bot, ban_users=True, invite_users=True)
        link = (await bot.create_chat_invite_link(t.group.chat_id)).invite_link
        await bot.ban_chat_member(t.group.chat_id, t.member.id)
        await member.inbox.next(T.UpdateChannel)
        assert isinstance(member.inbox.chats[t.group.id], T.ChannelForbidden)
        gone = await owner.inbox.next(T.UpdateNewChannelMessage)
        assert isinstance(gone.message.action, T.MessageActionChatDeleteUser)
        for way in (t.group.chat_id, link):
            with pytest.raises((errors.ChannelPrivate, errors.UserBannedInChannel)):
                await member.join_chat(way)
        with pytest.raises(errors.ChatWriteForbidden):
            await member.send_message(t.group.chat_id, "let me in")
        await bot.unban_chat_member(t.group.chat_id, t.member.id)
        assert (await member.join_chat(link)).chat.id == t.group.chat_id


async def test_an_admin_is_not_banned_by_another_admin() -> None:
    async with town() as t, t.online(t.bot) as bot:
        await t.box.promote(t.group, t.bot, ban_users=True)
        await t.box.promote(t.group, t.member, ban_users=True)
        for user in (t.member, t.owner):
            with pytest.raises(errors.UserAdminInvalid):
                await bot.ban_chat_member(t.group.chat_id, user.id)


async def test_who_is_silenced_is_still_in_but_may_not_write() -> None:
    async with town() as t, t.online(t.bot) as bot:
        await t.box.silence(t.group, t.bot)
        with pytest.raises(errors.ChatWriteForbidden):
            await bot.send_message(t.group.chat_id, "hm")
        me = await bot.get_chat_member(t.group.chat_id, "me")
        assert me.status is Status.RESTRICTED
    async with town() as t, t.online(t.bot) as bot:
        await t.box.promote(t.group, t.bot, ban_users=True)
        await bot.restrict_chat_member(t.group.chat_id, t.member.id, ChatPermissions())
        with pytest.raises(RequestError, match="CHAT_WRITE_FORBIDDEN"):
            await t.box.say(t.group, t.member, "hm")


async def test_nobody_gives_rights_that_he_lacks() -> None:
    async with town() as t, t.online(t.bot) as bot:
        await t.box.promote(t.group, t.bot, add_admins=True, invite_users=True)
        with pytest.raises(errors.RightForbidden):
            await bot.promote_chat_member(
                t.group.chat_id, t.member.id, ChatPrivileges(can_restrict_members=True)
            )
        await bot.promote_chat_member(t.group.chat_id, t.member.id, ChatPrivileges(can_invite_users=True))
        assert "invite_users" in t.group.rights_of(t.member)


async def test_an_anonymous_admin_writes_in_the_name_of_the_group() -> None:
    async with town() as t, t.online(t.bot) as bot:
        await t.box.promote(t.group, t.member, manage_call=True, anonymous=True)
        said = await t.box.say(t.group, t.member, "/skip")
        await t.box.say(t.group, t.owner, "/stop", anonymous=True)
        for text in ("/skip", "/stop"):
            message = await bot.inbox.text(text)
            assert message.from_id.channel_id == t.group.id
        fetched = await bot.get_messages(t.group.chat_id, said.id)
        assert (fetched.from_user, fetched.sender_chat.id) == (None, t.group.chat_id)
        assert t.box.transcript.of(t.group.chat_id, Kind.MESSAGE)[0].sender == "Friends"


async def test_leaving_is_told_and_joining_by_the_public_name_works() -> None:
    async with town() as t, t.online(t.owner) as owner, t.online(t.member) as member:
        await member.leave_chat(t.group.chat_id)
        left = await owner.inbox.next(T.UpdateNewChannelMessage)
        assert left.message.action.user_id == t.member.id
        assert [e.sender for e in t.box.transcript.of(t.group.chat_id, Kind.LEAVE)] == ["Max"]
        with pytest.raises(errors.ChannelPrivate):
            await member.get_chat_member(t.group.chat_id, "me")
        t.group.username = "friends_of_music"
        await member.join_chat("friends_of_music")
        joined = await owner.inbox.next(T.UpdateNewChannelMessage)
        assert joined.message.action.users == [t.member.id]
        with pytest.raises(errors.UserAlreadyParticipant):
            await member.join_chat("friends_of_music")


async def test_a_private_group_is_not_joined_without_an_invitation() -> None:
    async with town() as t, t.online(t.member) as member:
        await member.leave_chat(t.group.chat_id)
        with pytest.raises(errors.ChannelPrivate):
            await member.join_chat(t.group.chat_id)


async def test_bots_bring_nobody_in_do_not_join_by_themselves_and_read_no_history() -> None:
    async with town() as t, t.online(t.bot) as bot:
        await t.box.promote(t.group, t.bot)
        with pytest.raises(errors.BotMethodInvalid):
            _ = [one async for one in bot.get_chat_history(t.group.chat_id)]
        with pytest.raises(errors.BotMethodInvalid):
            await bot.add_chat_members(t.group.chat_id, "sven")
        link = await bot.export_chat_invite_link(t.group.chat_id)
        await t.box.leave(t.group, t.bot)
        with pytest.raises(errors.BotMethodInvalid):
            await bot.join_chat(link)


async def test_a_link_works_until_it_is_used_up_expired_or_revoked() -> None:
    async with town() as t, t.online(t.bot) as bot, t.online(t.stranger) as stranger:
        with pytest.raises(errors.ChatAdminRequired):
            await bot.create_chat_invite_link(t.group.chat_id)
        await t.box.promote(t.group, t.bot, invite_users=True)
        once = (await bot.create_chat_invite_link(t.group.chat_id, member_limit=1)).invite_link
        revoked = (await bot.create_chat_invite_link(t.group.chat_id, name="x")).invite_link
        await bot.revoke_chat_invite_link(t.group.chat_id, revoked)
        expired = (await bot.create_chat_invite_link(t.group.chat_id, name="y")).invite_link
        t.group.invites[expired.rsplit("+", 1)[-1]].expires = int(time.time()) - 1
        for link in (revoked, expired):
            with pytest.raises(errors.InviteHashExpired):
                await stranger.join_chat(link)
        assert (await stranger.get_chat(once)).title == "Friends"
        await stranger.join_chat(once)
        told = await bot.inbox.next(T.UpdateChannelParticipant, lambda u: u.user_id == t.stranger.id)
        assert told.invite.link == once
        await t.box.leave(t.group, t.stranger)
        with pytest.raises(errors.InviteHashExpired):
            await stranger.join_chat(once)


async def test_exporting_the_main_link_again_ends_the_old_one() -> None:
    async with town() as t, t.online(t.bot) as bot, t.online(t.stranger) as stranger:
        await t.box.promote(t.group, t.bot, invite_users=True)
        old = await bot.export_chat_invite_link(t.group.chat_id)
        new = await bot.export_chat_invite_link(t.group.chat_id)
        with pytest.raises(errors.InviteHashExpired):
            await stranger.join_chat(old)
        await stranger.join_chat(new)


async def test_a_wish_to_join_reaches_the_bot_which_grants_or_declines_it() -> None:
    async with (
        town() as t,
        t.online(t.bot) as bot,
        t.online(t.owner) as owner,
        t.online(t.stranger) as stranger,
    ):
        await t.box.promote(t.group, t.bot, invite_users=True)
        link = (await bot.create_chat_invite_link(t.group.chat_id, creates_join_request=True)).invite_link
        for grant in (bot.decline_chat_join_request, bot.approve_chat_join_request):
            assert isinstance(await stranger.join_chat(link), ChatJoinResultRequestSent)
            wish = await bot.inbox.next(T.UpdateBotChatInviteRequester)
            assert (wish.user_id, wish.invite.link) == (t.stranger.id, link)
            pending = await owner.inbox.next(T.UpdatePendingJoinRequests, lambda u: u.requests_pending)
            assert (pending.requests_pending, pending.recent_requesters) == (1, [t.stranger.id])
            waiting = [one.user.id async for one in owner.get_chat_join_requests(t.group.chat_id)]
            assert waiting == [t.stranger.id]
            assert t.stranger.id not in t.group.members
            await grant(t.group.chat_id, t.stranger.id)
            assert not t.group.pending
        assert t.stranger.id in t.group.members
        await stranger.inbox.next(T.UpdateChannel)
        assert (await stranger.get_chat_member(t.group.chat_id, "me")).status is Status.MEMBER
        with pytest.raises(errors.HideRequesterMissing):
            await bot.approve_chat_join_request(t.group.chat_id, t.stranger.id)


async def test_a_public_group_may_ask_for_consent_too() -> None:
    async with town() as t, t.online(t.stranger) as stranger:
        t.group.username, t.group.join_request = "friends_of_music", True
        assert isinstance(await stranger.join_chat("friends_of_music"), ChatJoinResultRequestSent)
        await t.box.decide(t.group, t.stranger, approved=True)
        assert t.stranger.id in t.group.members


async def test_a_stranger_sees_nothing_of_a_private_group() -> None:
    async with town() as t, t.online(t.stranger) as stranger:
        peer = T.InputChannel(channel_id=t.group.id, access_hash=t.group.access_hash)
        with pytest.raises(errors.ChannelPrivate):
            await stranger.invoke(F.channels.GetFullChannel(channel=peer))
        guessed = T.InputChannel(channel_id=t.group.id, access_hash=0)
        with pytest.raises(errors.ChannelInvalid):
            await stranger.invoke(F.channels.GetFullChannel(channel=guessed))


async def test_names_are_resolved_to_people_and_groups() -> None:
    async with town() as t, t.online(t.bot) as bot:
        t.group.username = "friends_of_music"
        assert (await bot.get_chat("Olga")).id == t.owner.id
        assert (await bot.get_chat("@friends_of_music")).id == t.group.chat_id
        with pytest.raises(errors.UsernameNotOccupied):
            await bot.get_chat("nobody_at_all")


async def test_a_right_that_does_not_exist_is_not_given() -> None:
    async with town() as t:
        with pytest.raises(ValueError, match="manage_calls"):
            await t.box.promote(t.group, t.member, manage_calls=True)
