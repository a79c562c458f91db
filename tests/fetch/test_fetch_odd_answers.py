"""Answers that no library expects: what comes of them is an answer, or an error of ours."""

import contextlib
import gzip
import random
import time
from datetime import UTC, datetime

import pytest
from fetch_stage import Stage, Talk
from hypothesis import given
from hypothesis import strategies as st
from test_fetch_hostile_web import saying

from ryzen.errors import WebError, WebForbidden
from ryzen.fetch.host import Patience, _retry_after
from ryzen.fetch.unpack import Unpacker

pytestmark = pytest.mark.anyio

HEAD = b"HTTP/1.1 200 OK\r\n"
#: What aiohttp, yarl and Python's own parsers raise an error of their own for, or might.
ODD = [
    HEAD + b"Content-Length: -1\r\n\r\nx",
    HEAD + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\nx",
    HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
    HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc",
    HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n",
    HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 40 + b"\r\nabc",
    HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nnonsense",
    HEAD + b"Transfer-Encoding: chunked\r\n\r\n3;" + b"x" * 100_000 + b"\r\nabc",
    HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    HEAD + b"Transfer-Encoding: identity\r\n\r\nabc",
    HEAD + b"Content-Type: text/html; charset=\xff\xfe\r\n\r\nabc",
    HEAD + b"Content-Type: text/html; charset=idna\r\n\r\nab..c",
    HEAD + b"Content-Type: text/html; charset=base64\r\n\r\nabc",
    HEAD + b"Content-Type: ;;;=\r\nContent-Encoding: \xff\r\n\r\nabc",
    HEAD + b"Set-Cookie: \xff=\xff; expires=never\r\nContent-Disposition: ;;\r\n\r\nabc",
    HEAD + b"Link: <http://[x>; rel=next\r\n\r\nabc",
    HEAD + b"X: " + b"x" * 100_000 + b"\r\n\r\n",
    HEAD + b"X: y\r\n" * 50_000 + b"\r\n",
    HEAD + b"X\x00: y\r\n\r\n",
    b"HTTP/1.1 200\r\n\r\n",
    b"HTTP/1.1 99999 OK\r\n\r\n",
    b"HTTP/9.9 200 OK\r\n\r\n",
    b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n" * 20,
    b"HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\nabcde",
    b"HTTP/1.1 302 Away\r\nLocation: \r\n\r\n",
    b"HTTP/1.1 302 Away\r\nLocation: http://[x/\r\n\r\n",
    b"HTTP/1.1 302 Away\r\nLocation: //[::1\r\n\r\n",
    b"HTTP/1.1 302 Away\r\nLocation: http://a\xef\xbc\x8fb/\r\n\r\n",
    b"HTTP/1.1 302 Away\r\nLocation: \xff\xfe\r\n\r\n",
    b"HTTP/1.1 302 Away\r\nLocation: https://songs.example:99999/\r\n\r\n",
    b"HTTP/1.1 302 Away\r\nLocation: http://xn--a.example/\r\n\r\n",
    b"\x00\x01\x02",
    b"<html>",
    b"",
]


@pytest.mark.parametrize("tls", [False, True])
async def test_whatever_it_is_nothing_but_our_own_errors_comes_of_it(stage: Stage, tls: bool) -> None:
    for number, said in enumerate(ODD):
        await _answers(stage, f"odd{number}.example", saying(said), tls=tls)


async def _answers(stage: Stage, host: str, talk: Talk, *, tls: bool) -> None:
    await stage.serve_raw(host, talk, port=443 if tls else 80, tls=tls)
    url = f"{'https' if tls else 'http'}://{host}/"
    async with stage.web() as web_client:
        for ask in (web_client.text, web_client.json, web_client.peek):
            with contextlib.suppress(WebError):
                await ask(url, within=5.0)


async def test_nor_of_what_nobody_could_have_thought_of(stage: Stage) -> None:
    rng = random.Random(4)
    for number in range(40):
        said = bytearray(rng.choice(ODD))
        for _ in range(rng.randint(1, 5)):
            said.insert(rng.randrange(len(said) + 1), rng.choice(b"\x00\r\n:; ,=\xff\x7f9fG%["))
        await _answers(stage, f"any{number}.example", saying(bytes(said)), tls=False)


@pytest.mark.parametrize("host", ["xn--a", "xn--0", "xn--zzzzzzzzzz9999999999", "xn--a-ecp"])
async def test_a_name_in_punycode_that_says_nothing_is_no_host(stage: Stage, host: str) -> None:
    async with stage.web() as web_client:
        with pytest.raises(WebForbidden, match="no possible host"):
            await web_client.peek(f"https://{host}.example/")


async def test_a_name_of_todays_idna_is_one(stage: Stage) -> None:
    """``faß``, which an older rule would read as ``fass``."""
    await stage.serve_raw("xn--fa-hia.example", saying(HEAD + b"Content-Length: 2\r\n\r\nok"))
    async with stage.web() as web_client:
        assert await web_client.text("http://xn--fa-hia.example/") == "ok"


async def test_a_redirect_to_what_is_no_link_is_said_to_be_one(stage: Stage) -> None:
    await stage.serve_raw("songs.example", saying(b"HTTP/1.1 302 Away\r\nLocation: http://[x/\r\n\r\n"))
    async with stage.web() as web_client:
        with pytest.raises(WebForbidden, match=r"songs\.example redirects to what is no link"):
            await web_client.text("http://songs.example/")


async def test_a_number_of_thousands_of_digits_is_no_json(stage: Stage) -> None:
    await stage.serve_raw("songs.example", saying(HEAD + b"\r\n[" + b"1" * 5000 + b"]"))
    async with stage.web() as web_client:
        with pytest.raises(WebError, match="not answered in JSON"):
            await web_client.json("http://songs.example/")


# -- what stands behind the end of what was packed
async def test_what_stands_behind_the_end_of_a_packed_answer_is_not_hoarded() -> None:
    """zlib would keep all of it, and copy that for each piece: seconds of the event loop."""
    unpacker = Unpacker("gzip", 64 << 20)
    assert unpacker.feed(gzip.compress(b"song", mtime=0)) == b"song"
    for _ in range(100):
        assert unpacker.feed(bytes(1 << 16)) == b""
    assert unpacker._zlib is not None
    assert len(unpacker._zlib.unused_data) == 0
    unpacker.end()


def test_what_stands_behind_the_end_counts_too() -> None:
    unpacker = Unpacker("gzip", 1000)
    unpacker.feed(gzip.compress(b"song", mtime=0))
    with pytest.raises(WebError, match="more than 1000 bytes"):
        unpacker.feed(bytes(1000))


# -- when to ask again
NOW = datetime(2026, 11, 25, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("said", "wait"),
    [
        (None, None),
        ("7", 7),
        ("0", 0),
        ("Wed, 25 Nov 2026 00:02:00 GMT", 120),
        ("Wed, 25 Nov 2026 00:02:00 -0000", 120),
        ("Tue, 24 Nov 2026 23:00:00 GMT", 0),
        ("Wed, 25 Nov 2099 00:00:00 GMT", 3600),
        ("999999999", 3600),
        ("9" * 400, 3600),
        ("-1", None),
        ("1e3", None),
        ("inf", None),
        ("soon", None),
        ("", None),
        ("Mon, 1 Jan 99999999999999999999 00:00:00 GMT", None),
        ("Mon, 1 Jan 2026 00:00:00 +99999999999999999999", None),
    ],
)
def test_when_to_ask_again_is_understood_and_never_in_more_than_an_hour(
    said: str | None, wait: float | None
) -> None:
    """A host that says for ever would close its source for everybody."""
    assert _retry_after(said, Patience(now=lambda: NOW)) == wait


@given(st.text() | st.from_regex(r"\w{3}, \d+ \w{3} \d+ \d+:\d+:\d+ [+-]?\w+", fullmatch=True))
def test_whatever_is_said_of_when_to_ask_again_is_no_crash(said: str) -> None:
    wait = _retry_after(said, Patience(now=time.time))
    assert wait is None or 0 <= wait <= 3600
