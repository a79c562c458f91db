"""Logging in: bots by token, people by phone, code and two-step password."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from boxes import Town, town
from pyrogram import Client, errors

from ryzen.sandbox.box import User, trust

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def newcomer(t: Town) -> AsyncIterator[Client]:
    """Connected, with a fresh key, logged in as nobody."""
    trust(t.box.rsa.public)
    client = t.client()
    await client.connect()
    try:
        yield client
    finally:
        await client.disconnect()


async def code_for(client: Client, user: User) -> str:
    assert user.phone
    return str((await client.send_phone_number_code(user.phone)).phone_code_hash)


async def test_a_bot_logs_in_with_its_token_and_with_no_other() -> None:
    async with town() as t, newcomer(t) as client:
        with pytest.raises(errors.AccessTokenInvalid):
            await client.sign_in_bot("201:wrong")
        assert (await client.sign_in_bot("201:token")).id == t.bot.id


async def test_a_person_logs_in_with_the_code_that_was_sent() -> None:
    async with town() as t, newcomer(t) as client:
        code_hash = await code_for(client, t.member)
        wrong = "11111" if t.member.login_code != "11111" else "22222"
        with pytest.raises(errors.PhoneCodeInvalid):
            await client.sign_in(t.member.phone, code_hash, wrong)
        with pytest.raises(errors.PhoneCodeExpired):
            await client.sign_in(t.member.phone, "another hash", t.member.login_code)
        assert (await client.sign_in(t.member.phone, code_hash, t.member.login_code)).id == t.member.id


async def test_numbers_that_are_none_and_numbers_of_nobody_are_refused() -> None:
    async with town() as t, newcomer(t) as client:
        with pytest.raises(errors.PhoneNumberInvalid):
            await client.send_phone_number_code("12")
        sent = await client.send_phone_number_code("79995555555")
        with pytest.raises(errors.PhoneNumberUnoccupied):
            await client.sign_in("79995555555", sent.phone_code_hash, "12345")


async def test_the_two_step_password_is_asked_for_and_proved() -> None:
    async with town() as t, newcomer(t) as client:
        code_hash = await code_for(client, t.stranger)
        with pytest.raises(errors.SessionPasswordNeeded):
            await client.sign_in(t.stranger.phone, code_hash, t.stranger.login_code)
        with pytest.raises(errors.PasswordHashInvalid):
            await client.check_password("battery staple")
        assert (await client.check_password("correct horse")).id == t.stranger.id
        assert (await client.get_me()).id == t.stranger.id


async def test_the_password_alone_opens_nothing() -> None:
    async with town() as t, newcomer(t) as client:
        with pytest.raises(errors.AuthKeyUnregistered):
            await client.check_password("correct horse")


async def test_without_a_login_nothing_else_is_answered() -> None:
    async with town() as t, newcomer(t) as client:
        with pytest.raises(errors.AuthKeyUnregistered):
            await client.get_users("olga")


async def test_after_signing_out_the_session_is_worth_nothing() -> None:
    async with town() as t:
        session = t.box.session_string(t.member.id)
        client = t.client(session_string=session)
        await client.start()
        await client.log_out()
        again = t.client(session_string=session)
        with pytest.raises(errors.AuthKeyUnregistered):
            await again.start()


async def test_a_session_made_by_logging_in_can_be_taken_elsewhere() -> None:
    async with town() as t:
        async with newcomer(t) as client:
            await client.sign_in_bot("201:token")
            session = await client.export_session_string()
        async with t.client(session_string=session) as bot:
            assert (await bot.get_me()).id == t.bot.id
