"""Our own client gets what it asks for, by way of the door, over real TLS."""

import pytest
from aiohttp import web
from fetch_stage import Stage

from ryzen.errors import WebError

pytestmark = pytest.mark.anyio


async def echo(request: web.Request) -> web.Response:
    return web.json_response(
        {
            "method": request.method,
            "asked": request.raw_path,
            "headers": {name.lower(): value for name, value in request.headers.items()},
            "body": await request.text(),
        }
    )


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_json_is_asked_for_and_read(stage: Stage, scheme: str) -> None:
    await stage.serve("api.example", echo)
    async with stage.web() as web:
        said = await web.json(
            f"{scheme}://api.example/v1?a=1", params={"q": "für Elise & co"}, headers={"X-Token": "abc"}
        )
    assert said["method"] == "GET"
    assert said["asked"] == "/v1?a=1&q=f%C3%BCr+Elise+%26+co"
    assert said["headers"]["x-token"] == "abc"
    assert stage.network.lookups == ["api.example"]


async def test_a_body_is_posted_as_json(stage: Stage) -> None:
    await stage.serve("api.example", echo)
    async with stage.web() as web:
        said = await web.json("https://api.example/", body={"title": "Naïve"})
        plain = await web.json("http://api.example/", body=[1, 2])
    assert (said["method"], said["body"]) == ("POST", '{"title": "Na\\u00efve"}')
    assert plain["body"] == "[1, 2]"
    assert said["headers"]["content-type"] == "application/json"


async def test_a_body_of_any_size_comes_as_it_is_sent(stage: Stage) -> None:
    song = bytes(range(256)) * 4096

    async def give(request: web.Request) -> web.Response:
        if "Range" in request.headers:
            return web.Response(status=206, body=song[100:200], headers={"Content-Range": "bytes 100-199/*"})
        return web.Response(body=song, content_type="audio/mpeg")

    await stage.serve("songs.example", give)
    async with stage.web() as web_client:
        async with web_client.get("https://songs.example/a.mp3") as answer:
            assert answer.status == 200
            assert answer.headers["content-type"] == "audio/mpeg"
            assert b"".join([chunk async for chunk in answer.chunks()]) == song
        async with web_client.get("http://songs.example/", headers=[("Range", "bytes=100-199")]) as answer:
            assert answer.status == 206
            assert b"".join([chunk async for chunk in answer.chunks()]) == song[100:200]


async def test_any_status_is_an_answer_to_get_and_an_error_to_json(stage: Stage) -> None:
    async def refuse(request: web.Request) -> web.Response:
        return web.Response(status=403)

    await stage.serve("songs.example", refuse)
    async with stage.web() as web_client:
        async with web_client.get("http://songs.example/") as answer:
            assert answer.status == 403
        with pytest.raises(WebError) as refused:
            await web_client.json("http://songs.example/")
    assert refused.value.status == 403
