"""What the guard lets through: URLs as the system reads them, and addresses that anybody may reach."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ryzen.errors import WebForbidden
from ryzen.fetch.guard import check_host, check_url, is_public

PRIVATE = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::127.0.0.1",
    "64:ff9b::a00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::1",
    "3fff::1",
    "4000::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700::1111%1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "",
    "localhost",
    "127.1",
]
PUBLIC = ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_of_few_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_for_all_is_public(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses(v=4, network="127.0.0.0/8") | st.ip_addresses(v=4, network="10.0.0.0/8"), st.data())
def test_no_spelling_of_a_private_address_gets_through(
    address: ipaddress.IPv4Address, data: st.DataObject
) -> None:
    host = data.draw(spellings(address))
    with pytest.raises(WebForbidden):
        check_url(f"http://{host}/")


@given(st.ip_addresses(v=4, network="93.184.0.0/16"), st.data())
def test_every_spelling_of_a_public_address_is_the_same_address(
    address: ipaddress.IPv4Address, data: st.DataObject
) -> None:
    assert check_host(data.draw(spellings(address))) == str(address)


@st.composite
def spellings(draw: st.DrawFn, address: ipaddress.IPv4Address) -> str:
    """Decimal, octal or hexadecimal, part by part; the last parts as one number; full-width digits."""
    octets = address.packed
    last = draw(st.integers(0, 3))
    numbers = [*octets[:last], int.from_bytes(octets[last:], "big")]
    forms = st.sampled_from(["{:d}", "0{:o}", "0x{:x}", "0X{:X}", "0x00{:x}"])
    host = ".".join(draw(forms).format(number) for number in numbers)
    if draw(st.booleans()):
        host = host.translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)})
    return host + draw(st.sampled_from(["", "."]))


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://127.0.0.1/", "127.0.0.1 is not a public address"),
        ("http://2130706433/", "127.0.0.1 is not a public address"),
        ("http://0177.0.0.1/", "127.0.0.1 is not a public address"),
        ("http://0x7f.1/", "127.0.0.1 is not a public address"),
        ("http://127.1:8080/", "127.0.0.1 is not a public address"),
        ("http://127.0.0.1./", "127.0.0.1 is not a public address"),
        ("http://①②⑦.⓪.⓪.①/", "127.0.0.1 is not a public address"),
        ("http://127。0。0。1/", "127.0.0.1 is not a public address"),
        ("http://0/", "0.0.0.0 is not a public address"),
        ("http://169.254.169.254/latest/meta-data", "169.254.169.254 is not a public address"),
        ("http://10.0.0.1/", "10.0.0.1 is not a public address"),
        ("http://[::1]/", "::1 is not a public address"),
        ("http://[::ffff:127.0.0.1]/", "127.0.0.1 is not a public address"),
        ("http://[::ffff:7f00:1]/", "127.0.0.1 is not a public address"),
        ("http://[fe80::1%25eth0]/", "not a public address"),
        ("http://1.2.3.4.5/", "no possible host"),
        ("http://127.0.0.1.0x7f/", "no possible host"),
        ("http://127.0.0.999/", "no possible host"),
        ("http://%31%32%37.0.0.1/", "no possible host"),
        ("http://-a-/", "no possible host"),
        ("http://a..b/", "no possible host"),
        ("http://[v1.x]/", "malformed"),
        ("http://[::1/", "malformed"),
        ("http://[8.8.8.8]/", "malformed"),
        ("http://ex ample.org/", "spaces or unseen"),
        ("http://example.org/\r\nHost: other", "spaces or unseen"),
        ("http://example.org\\@127.0.0.1/", "spaces or unseen"),
        ("http://exa\u200bmple.org/", "spaces or unseen"),
        ("http://example.org/\u202egpj", "spaces or unseen"),
        ("http://example.org/\x00", "spaces or unseen"),
        ("\thttp://example.org/", "spaces or unseen"),
        ("http://user:password@example.org/", "user name or password"),
        ("http://example.org@127.0.0.1/", "user name or password"),
        ("http://@example.org/", "user name or password"),
        ("http:///path", "no host"),
        ("http:example.org", "no host"),
        ("http://:80/", "no host"),
        ("http://example.org:0/", "port 0"),
        ("http://example.org:22/", "port 22"),
        ("http://example.org:25/", "port 25"),
        ("http://example.org:6379/", "port 6379"),
        ("http://example.org:27017/", "port 27017"),
        ("http://example.org:11211/", "port 11211"),
        ("http://example.org:99999/", "malformed"),
        ("http://example.org:80:80/", "malformed"),
        ("//example.org/", "only http and https"),
        ("example.org", "only http and https"),
        ("", "only http and https"),
        ("file:///etc/passwd", "only http and https"),
        ("FILE:/etc/passwd", "only http and https"),
        ("concat:/etc/passwd|/etc/shadow", "only http and https"),
        ("subfile,,start,0,end,9,,:/etc/passwd", "only http and https"),
        ("data:audio/mpeg;base64,AAAA", "only http and https"),
        ("ftp://example.org/a.mp3", "only http and https"),
        ("gopher://example.org/", "only http and https"),
        ("rtmp://example.org/", "only http and https"),
        ("http://example.org/" + "a" * 8192, "too long"),
        ("http://example.org/" + "ä" * 4096, "too long"),
    ],
)
def test_a_link_that_leads_nowhere_good_is_refused_in_words(url: str, why: str) -> None:
    with pytest.raises(WebForbidden) as refused:
        check_url(url)
    assert why in str(refused.value)


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("https://Example.ORG", "https://example.org/"),
        ("HTTP://example.org/", "http://example.org/"),
        ("http://example.org./a", "http://example.org/a"),
        ("http://example.org:8000/stream", "http://example.org:8000/stream"),
        ("https://example.org:443/", "https://example.org:443/"),
        ("http://134744072/", "http://8.8.8.8/"),
        ("http://[2606:4700:0:0::1111]:8080/", "http://[2606:4700::1111]:8080/"),
        ("https://bücher.example/ä?ö=ü#ß", "https://xn--bcher-kva.example/%C3%A4?%C3%B6=%C3%BC"),
        ("https://a_b.example/", "https://a_b.example/"),
        (
            "https://e.example/$BOT_TOKEN/`id`/${HOME}?a='b\"c;d|e",
            "https://e.example/$BOT_TOKEN/%60id%60/$%7BHOME%7D?a='b%22c;d%7Ce",
        ),
        ("https://e.example/100%?a=%2C%27%7E%zz", "https://e.example/100%25?a=%2C%27%7E%25zz"),
        ("https://e.example/../../etc/passwd", "https://e.example/../../etc/passwd"),
    ],
)
def test_a_good_link_is_asked_for_as_it_is(url: str, asked: str) -> None:
    assert check_url(url) == asked
    assert check_url(asked) == asked


@given(st.text(max_size=60), st.sampled_from(["", "http://", "https://", "http://e.example/", "http://["]))
def test_whatever_is_asked_for_is_plain_or_forbidden(text: str, start: str) -> None:
    try:
        asked = check_url(start + text)
    except WebForbidden:
        return
    assert asked.isascii()
    assert asked.isprintable()
    assert " " not in asked
    assert check_url(asked) == asked
