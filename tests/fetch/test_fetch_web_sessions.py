"""Libraries with clients of their own come by the door too, and are held to its limits."""

import gzip
from collections.abc import Callable

import anyio
import anyio.to_thread
import httpx
import pytest
import requests
from aiohttp import web
from fetch_stage import Stage

from ryzen.fetch.egress import Egress
from ryzen.fetch.sessions import AnswerLimits, httpx_client, requests_session

pytestmark = pytest.mark.anyio

Made = requests.Session | httpx.Client
Maker = Callable[[Egress, Stage, AnswerLimits | None], Made]


def by_requests(egress: Egress, stage: Stage, limits: AnswerLimits | None = None) -> requests.Session:
    return requests_session(egress, stage.outside, limits=limits)


def by_httpx(egress: Egress, stage: Stage, limits: AnswerLimits | None = None) -> httpx.Client:
    return httpx_client(egress, stage.outside, limits=limits)


both = pytest.mark.parametrize("make", [by_requests, by_httpx])
FAILURES = (requests.RequestException, httpx.HTTPError)


async def get(session: Made, url: str, **how: object) -> object:
    return await anyio.to_thread.run_sync(lambda: session.get(url, **how))


async def echo(request: web.Request) -> web.Response:
    return web.json_response({"asked": request.raw_path, "accepts": request.headers["Accept-Encoding"]})


@both
async def test_it_gets_there_over_tls_of_an_authority_of_ours_and_without(stage: Stage, make: Maker) -> None:
    await stage.serve("api.example", echo)
    async with stage.egress() as egress:
        with make(egress, stage, None) as session:
            for scheme in ("http", "https"):
                answer = await get(session, f"{scheme}://api.example/a?b=1")
                assert answer.json() == {"asked": "/a?b=1", "accepts": "gzip"}
                assert answer.status_code == 200
        assert egress.stats().allowed == 2
    assert stage.network.lookups == ["api.example"] * 2


@both
@pytest.mark.parametrize("url", ["http://127.0.0.1/", "https://10.0.0.1/", "https://inside.example/"])
async def test_a_private_address_is_refused_with_the_sentence(stage: Stage, make: Maker, url: str) -> None:
    stage.network.names["inside.example"] = [("192.168.1.1",)]
    async with stage.egress() as egress:
        with make(egress, stage, None) as session, pytest.raises(FAILURES, match=r"ryzen-guard: .*public"):
            await get(session, url)
    assert stage.network.connects == []


@both
async def test_a_redirect_to_a_private_address_is_refused(stage: Stage, make: Maker) -> None:
    async def away(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": "http://169.254.169.254/latest"})

    await stage.serve("api.example", away)
    async with stage.egress() as egress:
        with make(egress, stage, None) as session:
            follow = {} if isinstance(session, requests.Session) else {"follow_redirects": True}
            with pytest.raises(FAILURES, match="ryzen-guard"):
                await get(session, "https://api.example/", **follow)


@both
async def test_the_machines_own_proxy_settings_do_not_count(
    stage: Stage, make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "*")
    await stage.serve("api.example", echo)
    async with stage.egress() as egress:
        with make(egress, stage, None) as session:
            answer = await get(session, "https://api.example/")
        assert answer.status_code == 200
        assert egress.stats().allowed == 1


async def test_a_library_cannot_talk_requests_out_of_the_door(stage: Stage) -> None:
    await stage.serve("api.example", echo)
    async with stage.egress() as egress:
        with by_requests(egress, stage) as session:
            answer = await get(
                session, "https://api.example/", proxies={"https": "http://127.0.0.1:1"}, verify=False
            )
        assert answer.status_code == 200
        assert egress.stats().allowed == 1


@both
async def test_packed_answers_are_unpacked_and_bombs_are_not(stage: Stage, make: Maker) -> None:
    async def packed(request: web.Request) -> web.Response:
        body = b"0" * (100_000 if request.path == "/bomb" else 1000)
        return web.Response(body=gzip.compress(body), headers={"Content-Encoding": "gzip"})

    await stage.serve("api.example", packed)
    async with stage.egress() as egress:
        with make(egress, stage, AnswerLimits(most=50_000)) as session:
            assert (await get(session, "https://api.example/")).text == "0" * 1000
            with pytest.raises(FAILURES, match="more than 50000 bytes"):
                await get(session, "https://api.example/bomb")


@both
async def test_an_endless_answer_ends(stage: Stage, make: Maker) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"0" * 10_000)

    await stage.serve("api.example", endless)
    async with stage.egress() as egress:
        with (
            make(egress, stage, AnswerLimits(most=50_000)) as session,
            pytest.raises(FAILURES, match="more than 50000 bytes"),
        ):
            await get(session, "https://api.example/")


@both
@pytest.mark.parametrize("how", [{}, {"timeout": None}, {"timeout": 60}])
async def test_a_silent_server_is_given_up(stage: Stage, make: Maker, how: dict[str, object]) -> None:
    async def silent(request: web.Request) -> web.Response:
        await anyio.sleep_forever()
        raise AssertionError

    await stage.serve("api.example", silent)
    async with stage.egress() as egress:
        with (
            make(egress, stage, AnswerLimits(silence=0.1)) as session,
            pytest.raises((requests.Timeout, httpx.TimeoutException)),
        ):
            await get(session, "https://api.example/", **how)


@both
async def test_a_trickle_is_given_up(stage: Stage, make: Maker) -> None:
    async def trickle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"0")
            await anyio.sleep(0.01)

    await stage.serve("api.example", trickle)
    async with stage.egress() as egress:
        with (
            make(egress, stage, AnswerLimits(whole=0.1)) as session,
            pytest.raises((requests.Timeout, httpx.TimeoutException), match="longer than"),
        ):
            await get(session, "https://api.example/")


@both
async def test_a_connection_serves_many_answers(stage: Stage, make: Maker) -> None:
    await stage.serve("api.example", echo)
    async with stage.egress() as egress:
        with make(egress, stage, AnswerLimits(most=1000)) as session:
            for _ in range(30):
                assert (await get(session, "https://api.example/")).status_code == 200
        assert egress.stats().allowed == 1
