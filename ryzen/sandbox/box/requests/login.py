"""Logging in and out: bots by token, people by phone, code and two-step password."""

from __future__ import annotations

import random
import secrets
from typing import Final

from ryzen.sandbox.box import views
from ryzen.sandbox.box.faults import RequestError
from ryzen.sandbox.box.keys import DC_ID
from ryzen.sandbox.box.records import User, now
from ryzen.sandbox.box.rpc import Rpc, on
from ryzen.sandbox.box.srp import no_password
from ryzen.sandbox.box.tl import F, T, Tl, filled

_CODE_LENGTH: Final = 5
_SHORTEST_NUMBER: Final = 5


@on(F.help.GetConfig)
def get_config(rpc: Rpc) -> Tl:
    return filled(
        T.Config,
        date=now(),
        expires=now() + 3600,
        this_dc=DC_ID,
        dc_options=[T.DcOption(id=DC_ID, ip_address=rpc.box.host, port=rpc.box.port)],
        me_url_prefix="https://t.me/",
        message_length_max=4096,
    )


def _logged_in(rpc: Rpc, user: User) -> Tl:
    auth = rpc.session.auth
    auth.user_id, auth.pending_id = user.id, None
    return T.auth.Authorization(user=views.user(user, user))


@on(F.auth.ImportBotAuthorization)
def login_bot(rpc: Rpc) -> Tl:
    token = rpc.query.bot_auth_token
    for user in rpc.box.world.users.values():
        if user.bot and user.token == token:
            return _logged_in(rpc, user)
    raise RequestError(400, "ACCESS_TOKEN_INVALID")


@on(F.auth.SendCode, F.auth.ResendCode)
def send_code(rpc: Rpc) -> Tl:
    """The code is in ``User.login_code``. An unknown number gets one, too, and is told when signing in."""
    phone = rpc.query.phone_number.lstrip("+")
    if not phone.isdigit() or len(phone) < _SHORTEST_NUMBER:
        raise RequestError(406, "PHONE_NUMBER_INVALID")
    code_hash = secrets.token_hex(8)
    for user in rpc.box.world.users.values():
        if user.phone == phone:
            user.login_code = str(random.randrange(10 ** (_CODE_LENGTH - 1), 10**_CODE_LENGTH))
            user.code_hash = code_hash
    return T.auth.SentCode(type=T.auth.SentCodeTypeApp(length=_CODE_LENGTH), phone_code_hash=code_hash)


@on(F.auth.SignIn)
def sign_in(rpc: Rpc) -> Tl:
    user = rpc.box.world.by_phone(rpc.query.phone_number)
    if not rpc.query.phone_code:
        raise RequestError(400, "PHONE_CODE_EMPTY")
    if not user.code_hash or rpc.query.phone_code_hash != user.code_hash:
        raise RequestError(400, "PHONE_CODE_EXPIRED")
    if rpc.query.phone_code != user.login_code:
        raise RequestError(400, "PHONE_CODE_INVALID")
    if user.password is not None:
        rpc.session.auth.pending_id = user.id
        raise RequestError(401, "SESSION_PASSWORD_NEEDED")
    user.code_hash = ""
    return _logged_in(rpc, user)


@on(F.account.GetPassword)
def get_password(rpc: Rpc) -> Tl:
    auth = rpc.session.auth
    user_id = auth.user_id or auth.pending_id
    if user_id is None:
        raise RequestError(401, "AUTH_KEY_UNREGISTERED")
    password = rpc.box.world.users[user_id].password
    return password.challenge() if password else no_password()


@on(F.auth.CheckPassword)
def check_password(rpc: Rpc) -> Tl:
    if rpc.session.auth.pending_id is None:
        raise RequestError(401, "AUTH_KEY_UNREGISTERED")
    user = rpc.box.world.users[rpc.session.auth.pending_id]
    proof = rpc.query.password
    if user.password is None or user.password.is_stale(proof):
        raise RequestError(400, "SRP_ID_INVALID")
    if not user.password.accepts(proof):
        raise RequestError(400, "PASSWORD_HASH_INVALID")
    user.code_hash = ""
    return _logged_in(rpc, user)


@on(F.auth.LogOut)
def log_out(rpc: Rpc) -> Tl:
    rpc.session.auth.user_id = None
    return T.auth.LoggedOut()
