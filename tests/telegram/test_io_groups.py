"""Laws of admission and of who may manage: two real clients against the local Telegram."""

import anyio
import pytest
from io_stage import street

from ryzen.errors import SendError, VoiceError, VoiceTrouble
from ryzen.ports import Assistant
from ryzen.sandbox.box.transcript import Kind

pytestmark = pytest.mark.anyio
HELPER = Assistant(301, "Helper", "helper")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_the_assistant_is_admitted_by_an_invitation_and_then_sees_the_group() -> None:
    async with street() as town, town.groups() as (groups, helper):
        assert await groups.admit_assistant(town.group.chat_id) == HELPER
        assert town.helper.id in town.group.members
        assert (await helper.peer(town.group.chat_id)).access_hash == town.group.access_hash
        (invite,) = town.group.invites.values()
        assert not invite.usable  # the link was for one, once


async def test_an_assistant_without_a_username_is_admitted_too() -> None:
    async with street() as town:
        town.helper.username = None
        async with town.groups() as (groups, _):
            assert await groups.admit_assistant(town.group.chat_id) == Assistant(301, "Helper")
            assert town.helper.id in town.group.members


async def test_a_member_since_before_the_start_is_not_invited_but_made_to_see_the_group() -> None:
    async with street() as town:
        await town.box.join(town.group, town.helper)
        await town.box.join(town.other, town.helper)
        async with town.groups() as (groups, helper):
            assert not helper.knows(town.group.chat_id)
            assert await groups.admit_assistant(town.group.chat_id) == HELPER
            assert await groups.admit_assistant(town.other.chat_id) == HELPER
            assert helper.knows(town.group.chat_id)
        assert not town.group.invites
        assert town.box.calls["messages.GetDialogs"] <= 2  # one look through its chats, not one a group


async def test_a_member_whose_list_of_chats_lacks_the_group_sees_it_through_a_link() -> None:
    async with street() as town:
        await town.box.join(town.group, town.helper)
        await town.box.join(town.other, town.helper)
        async with town.groups() as (groups, helper):
            for group in (town.group, town.other):
                group.ledger.messages.clear()  # no message, no dialog
            for group in (town.group, town.other):
                assert await groups.admit_assistant(group.chat_id) == HELPER
                assert helper.knows(group.chat_id)
        assert town.box.calls["messages.GetDialogs"] <= 2  # looked through once, and not for each group


async def test_a_public_group_is_joined_by_its_name_without_any_right() -> None:
    async with street() as town:
        town.group.username = "friends"
        await town.box.demote(town.group, town.bot)
        async with town.groups() as (groups, _):
            assert await groups.admit_assistant(town.group.chat_id) == HELPER
        assert town.helper.id in town.group.members
        assert not town.group.invites


async def test_where_joining_needs_consent_the_bot_gives_it() -> None:
    async with street() as town:
        town.group.username, town.group.join_request = "friends", True
        async with town.groups() as (groups, helper):
            assert await groups.admit_assistant(town.group.chat_id) == HELPER
            assert town.helper.id in town.group.members
            assert helper.knows(town.group.chat_id)


async def test_a_banned_assistant_is_said_to_be_so_and_who_it_is() -> None:
    async with street() as town:
        await town.box.ban(town.group, town.helper)
        async with town.groups() as (groups, _):
            with pytest.raises(VoiceError) as caught:
                await groups.admit_assistant(town.group.chat_id)
            assert caught.value.trouble is VoiceTrouble.ASSISTANT_BANNED
            assert "@helper" in caught.value.detail
            await town.box.unban(town.group, town.helper)
            assert await groups.admit_assistant(town.group.chat_id) == HELPER


async def test_without_the_right_to_invite_the_assistant_is_said_to_be_missing() -> None:
    async with street() as town:
        await town.box.promote(town.group, town.bot, manage_call=True)
        async with town.groups() as (groups, _):
            with pytest.raises(VoiceError) as caught:
                await groups.admit_assistant(town.group.chat_id)
            assert caught.value.trouble is VoiceTrouble.ASSISTANT_MISSING
            assert "@helper" in caught.value.detail
            assert "CHAT_ADMIN_REQUIRED" in caught.value.detail
        assert town.helper.id not in town.group.members


async def test_a_group_that_the_bot_is_not_in_is_no_crash() -> None:
    async with street() as town, town.groups() as (groups, _):
        for nowhere in (-1002599999999, -555, 2**62):
            with pytest.raises(VoiceError) as caught:
                await groups.admit_assistant(nowhere)
            assert caught.value.trouble is VoiceTrouble.ASSISTANT_MISSING
            with pytest.raises(SendError):
                await groups.managers(nowhere)


async def test_an_assistant_that_may_only_listen_is_in_the_group() -> None:
    async with street() as town:
        await town.box.join(town.group, town.helper)
        await town.box.silence(town.group, town.helper)
        async with town.groups() as (groups, _):
            assert await groups.admit_assistant(town.group.chat_id) == HELPER


async def test_a_short_flood_is_waited_for_and_a_long_one_is_said() -> None:
    async with street() as town, town.groups() as (groups, _):
        town.box.faults.flood("messages.ImportChatInvite", 1, times=1)
        assert await groups.admit_assistant(town.group.chat_id) == HELPER
        town.box.faults.flood("messages.ImportChatInvite", 600, times=1)
        with pytest.raises(VoiceError, match="FLOOD_WAIT_600") as caught:
            await groups.admit_assistant(town.other.chat_id)
        assert (caught.value.trouble, caught.value.retry_after) == (VoiceTrouble.FLOODED, 600)


async def test_an_account_that_is_frozen_needs_a_person_and_not_time() -> None:
    async with street() as town, town.groups() as (groups, _):
        town.box.faults.fail("messages.ImportChatInvite", 420, "FROZEN_METHOD_INVALID", times=100)
        with pytest.raises(VoiceError, match="FROZEN_METHOD_INVALID") as caught:
            await groups.admit_assistant(town.group.chat_id)
        assert (caught.value.trouble, caught.value.retry_after) == (VoiceTrouble.ASSISTANT_MISSING, None)


async def test_two_who_ask_at_once_are_both_answered_and_it_joins_once() -> None:
    async with street() as town, town.groups() as (groups, _):
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(groups.admit_assistant, town.group.chat_id)
        assert len(town.box.transcript.of(town.group.chat_id, Kind.JOIN)) == 1


async def test_managers_are_the_owner_and_the_admins_with_that_right() -> None:
    async with street() as town, town.groups() as (groups, _):
        await town.box.promote(town.group, town.member, delete_messages=True)
        assert await groups.managers(town.group.chat_id) == {101, 201}
        await town.box.promote(town.group, town.member, manage_call=True)
        assert await groups.managers(town.group.chat_id) == {101, 102, 201}
        await town.box.demote(town.group, town.member)
        assert await groups.managers(town.group.chat_id) == {101, 201}
