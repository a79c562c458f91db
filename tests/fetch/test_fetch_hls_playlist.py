"""What we take from an HLS playlist, and what we refuse in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ryzen.errors import TrackError, TrackTrouble
from ryzen.fetch.playlist import MOST_SEGMENTS, Choice, Key, Part, Playlist, Segment, live_edge, read

BASE = "https://media.example/a/list.m3u8?token=1"
HEAD = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n"


def playlist(text: str) -> Playlist:
    found = read((HEAD + text).encode(), BASE)
    assert isinstance(found, Playlist)
    return found


def choice(text: str) -> str:
    found = read(("#EXTM3U\n" + text).encode(), BASE)
    assert isinstance(found, Choice)
    return found.url.rpartition("/")[2]


def refusal(text: str) -> TrackTrouble:
    with pytest.raises(TrackError) as refused:
        read(text.encode(), BASE)
    return refused.value.trouble


def test_segments_are_numbered_and_their_places_made_absolute() -> None:
    found = playlist("#EXT-X-MEDIA-SEQUENCE:7\n#EXTINF:4,\nx.ts\n#EXTINF:2.5,\n/y.ts\n#EXT-X-ENDLIST\n")
    assert found == Playlist(
        (
            Segment(7, 4.0, Part("https://media.example/a/x.ts")),
            Segment(8, 2.5, Part("https://media.example/y.ts")),
        ),
        4.0,
        True,
    )
    assert not playlist("#EXTINF:4,\nx.ts\n").ended


@pytest.mark.parametrize("said", ["", "#EXT-X-TARGETDURATION:0\n", "#EXT-X-TARGETDURATION:-4\n"])
def test_a_live_playlist_is_not_looked_at_without_a_rest(said: str) -> None:
    """However short it says that its segments are: to look is work."""
    found = read(f"#EXTM3U\n{said}#EXTINF:0.01,\nx.ts\n".encode(), BASE)
    assert isinstance(found, Playlist)
    assert found.target == 1.0


def test_what_cannot_be_read_is_not_repeated() -> None:
    with pytest.raises(TrackError) as refused:
        read(b"#EXTM3U\n#EXTINF:https://media.example/x.ts?token=s3cret,\nx.ts\n", BASE)
    assert "s3cret" not in str(refused.value)


def test_a_range_without_a_start_follows_the_one_before() -> None:
    text = "#EXTINF:4,\n#EXT-X-BYTERANGE:100@10\na.mp4\n#EXTINF:4,\n#EXT-X-BYTERANGE:50\na.mp4\n"
    other = "#EXTINF:4,\n#EXT-X-BYTERANGE:50\nb.mp4\n"
    parts = [(s.part.at, s.part.end) for s in playlist(text + other).segments]
    assert parts == [(10, 110), (110, 160), (0, 50)]


def test_keys_and_initial_parts_hold_until_told_otherwise() -> None:
    found = playlist(
        '#EXT-X-MAP:URI="i.mp4",BYTERANGE="9@1"\n#EXT-X-KEY:METHOD=AES-128,URI="k",IV=0x10\n'
        "#EXTINF:4,\na\n#EXT-X-KEY:METHOD=NONE\n#EXTINF:4,\nb\n"
    )
    key = Key("https://media.example/a/k", bytes(15) + b"\x10")
    first, second = found.segments
    assert (first.part.key, second.part.key) == (key, None)
    assert first.initial is not None
    assert (first.initial.at, first.initial.end) == (1, 10)


def test_a_gap_is_left_out_and_keeps_its_number() -> None:
    found = playlist("#EXTINF:4,\na\n#EXT-X-GAP\n#EXTINF:4,\nb\n#EXTINF:4,\nc\n")
    assert [segment.number for segment in found.segments] == [0, 2]


SOUND = '#EXT-X-STREAM-INF:BANDWIDTH={},CODECS="mp4a.40.2"\n{}\n'
FILM = '#EXT-X-STREAM-INF:BANDWIDTH={},RESOLUTION=1x1,CODECS="avc1.4d,mp4a.40.2"{}\n{}\n'


def test_of_sound_alone_the_best_is_taken() -> None:
    text = FILM.format(9, "", "film") + SOUND.format(100, "low") + SOUND.format(200, "high")
    assert choice(text) == "high"


def test_sound_beside_a_film_is_taken_without_the_film() -> None:
    media = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="{}",NAME="n",DEFAULT={},URI="{}"\n'
    text = (
        media.format("g", "NO", "other") + media.format("g", "YES", "default") + media.format("h", "NO", "h")
    )
    assert choice(text + FILM.format(9, ',AUDIO="g"', "film")) == "default"


def test_else_the_smallest_film_with_sound_is_taken() -> None:
    mute = '#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="avc1.4d"\nmute\n'
    assert choice(mute + FILM.format(900, "", "large") + FILM.format(300, "", "small")) == "small"
    assert choice("#EXT-X-STREAM-INF:BANDWIDTH=5\nwho-knows\n") == "who-knows"
    assert refusal("#EXTM3U\n" + mute) is TrackTrouble.UNSUPPORTED


@pytest.mark.parametrize(
    "place",
    ["file:///etc/passwd", "data:text/plain,x", "ftp://media.example/x", "concat:a|b", "javascript:1"],
)
@pytest.mark.parametrize(
    "text",
    [
        "#EXTINF:4,\n{}\n",
        '#EXT-X-MAP:URI="{}"\n#EXTINF:4,\na\n',
        '#EXT-X-KEY:METHOD=AES-128,URI="{}"\n#EXTINF:4,\na\n',
        "#EXT-X-STREAM-INF:BANDWIDTH=1\n{}\n",
    ],
)
def test_nothing_but_web_servers_is_gone_to(place: str, text: str) -> None:
    assert refusal("#EXTM3U\n" + text.format(place)) is TrackTrouble.FORBIDDEN


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ("<html>", "unsupported"),
        ("", "unsupported"),
        ('#EXTM3U\n#EXT-X-KEY:METHOD=SAMPLE-AES,URI="k"\n#EXTINF:4,\na\n', "unsupported"),
        ('#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="k",KEYFORMAT="x"\n#EXTINF:4,\na\n', "unsupported"),
        ("#EXTM3U\n#EXTINF:x,\na\n", "broken"),
        ("#EXTM3U\n#EXT-X-STREAM-INF:\na\n", "broken"),
        ("#EXTM3U\n#EXTINF:4,\n#EXT-X-BYTERANGE:zz\na\n", "broken"),
        ("#EXTM3U\n#EXTINF:4,\n#EXT-X-BYTERANGE:-5@9\na\n", "broken"),
        ("#EXTM3U\n#EXTINF:4,\n#EXTINF:4,\n", "broken"),
        ("#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:-4\n#EXTINF:4,\na\n", "broken"),
        ("#EXTM3U\n" + "#EXTINF:4,\na\n" * (MOST_SEGMENTS + 1), "too-big"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_cannot_be_read_is_told_apart(text: str, trouble: str) -> None:
    assert refusal(text) == trouble


LINES = r"""
#EXTM3U
#EXTINF:4,
#EXTINF:nan,
#EXTINF:-1,x
a.ts
http://[
\x00 is no name
#EXT-X-BYTERANGE:1@
#EXT-X-MAP:
#EXT-X-KEY:METHOD=AES-128
#EXT-X-KEY:METHOD=AES-128,URI="k",IV=0xffffffffffffffffffffffffffffffffff
#EXT-X-MEDIA-SEQUENCE:99999999999999999999
#EXT-X-STREAM-INF:BANDWIDTH=1
#EXT-X-TARGETDURATION:x
#EXT-X-TARGETDURATION:99999999
#EXT-X-PART:
#EXT-X-DATERANGE:ID=1
#EXT-X-PROGRAM-DATE-TIME:never
#EXT-X-CUE-OUT-CONT:x
#EXT-X-MEDIA:TYPE=AUDIO
#EXT-X-SKIP:
""".splitlines()


@given(st.lists(st.sampled_from(LINES)))
def test_whatever_it_says_it_is_read_or_refused(lines: list[str]) -> None:
    try:
        found = read("\n".join(["#EXTM3U", *lines]).encode(), BASE)
    except TrackError:
        return
    assert isinstance(found, Choice) or 1 <= found.target <= 60


def test_the_edge_is_so_many_seconds_back_or_the_beginning() -> None:
    segments = [Segment(number, 4.0, Part("u")) for number in range(10, 20)]
    assert live_edge(segments, 12.0) == 17
    assert live_edge(segments, 11.0) == 17
    assert live_edge(segments, 1000.0) == 10
    assert live_edge((), 12.0) == 0
