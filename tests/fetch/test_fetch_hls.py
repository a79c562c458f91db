"""HLS by real HTTP: recordings that are kept, and what is on the air."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from anyio import to_thread
from Cryptodome.Cipher import AES
from Cryptodome.Util.Padding import pad
from fetch_stage import Stage
from media_stage import HOST, KIB, MIB, Deck, deck, fetched, flying, heard, heard_live, noise, renewing, until

from ryzen.errors import TrackError, TrackTrouble
from ryzen.fetch.sink import Windows
from ryzen.growing import GrowingFile, LeftBehind
from ryzen.origins import Origin, Segmented

pytestmark = pytest.mark.anyio
#: Segments of MPEG-TS, as far as it matters here: they begin with its sync byte.
PARTS = [b"\x47" + noise(200 * KIB, f"part {number}") for number in range(5)]
WHOLE = b"".join(PARTS)
END = "#EXT-X-ENDLIST\n"


@pytest.fixture
async def here(tmp_path: Path, stage: Stage) -> AsyncIterator[Deck]:
    async with deck(tmp_path / "cache", stage) as opened:
        yield opened


def listed(*segments: str, first: int = 0, before: str = "", target: int = 4, end: str = "") -> bytes:
    lines = "".join(f"#EXTINF:4,\n{segment}\n" for segment in segments)
    head = f"#EXTM3U\n#EXT-X-TARGETDURATION:{target}\n#EXT-X-MEDIA-SEQUENCE:{first}\n"
    return (head + before + lines + end).encode()


def put_parts(here: Deck, parts: list[bytes] = PARTS, folder: str = "") -> list[str]:
    """Their names."""
    for number, part in enumerate(parts):
        here.host.put(f"{folder}/{number}.ts", part)
    return [f"{number}.ts" for number in range(len(parts))]


def hls(url: str, *, live: bool = False) -> Origin:
    return Origin("hls:song", Segmented(url, live=live))


async def kept(here: Deck, url: str, *renewed: Origin) -> bytes:
    """What is in the cache after all of it has been fetched."""
    async with here.cache() as cache:
        await fetched(cache, hls(url), renewing(*renewed))
        media = cache.get("hls:song")
        assert media is not None
        assert not media.live
        return await heard(media.path)


async def trouble_of(here: Deck, url: str) -> TrackTrouble:
    async with here.cache() as cache:
        with pytest.raises(TrackError) as failed:
            await fetched(cache, hls(url))
        assert here.names() == []
        return failed.value.trouble


# -- recordings
async def test_the_segments_are_one_recording_and_each_is_asked_for_once(here: Deck) -> None:
    url = here.host.put("/list", listed(*put_parts(here), end=END))
    assert await kept(here, url) == WHOLE
    assert sorted(here.host.asked) == [*((f"/{n}.ts", None) for n in range(5)), ("/list", None)]


async def test_it_is_ready_before_the_second_segment_is_asked_for(here: Deck) -> None:
    url = here.host.put("/list", listed(*put_parts(here), end=END))
    here.host.put("/0.ts", PARTS[0], hold=16 * KIB)
    async with here.cache() as cache, flying(cache, hls(url)) as flight:
        media = await flight.ready()
        assert [path for path, _ in here.host.asked] == ["/list", "/0.ts"]
        here.host.files["/0.ts"].go.set()
        assert await heard(media.path) == WHOLE


async def test_a_slow_segment_is_waited_for_while_the_next_are_fetched(here: Deck) -> None:
    url = here.host.put("/list", listed(*put_parts(here), end=END))
    here.host.put("/1.ts", PARTS[1], hold=KIB)
    async with here.cache() as cache, flying(cache, hls(url)) as flight:
        media = await flight.ready()
        await until(lambda: ("/3.ts", None) in here.host.asked)
        assert ("/4.ts", None) not in here.host.asked, "a couple of them, not all"
        here.host.files["/1.ts"].go.set()
        assert await heard(media.path) == WHOLE


async def test_a_master_playlist_leads_to_its_sound(here: Deck) -> None:
    here.host.put("/sub/list", listed(*put_parts(here, folder="/sub"), end=END))
    master = '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="mp4a.40.2"\nsub/list\n'
    assert await kept(here, here.host.put("/master", master.encode())) == WHOLE


async def test_a_master_of_masters_is_refused(here: Deck) -> None:
    url = here.host.put("/master", b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nmaster\n")
    assert await trouble_of(here, url) is TrackTrouble.UNSUPPORTED


async def test_the_initial_part_of_mp4_comes_once_before_its_segments(here: Deck) -> None:
    here.host.put("/init", b"ftyp moov")
    here.host.put("/new", b"other moov")
    names = put_parts(here)
    text = listed(*names[:3], before='#EXT-X-MAP:URI="init"\n') + b'#EXT-X-MAP:URI="new"\n'
    text += "".join(f"#EXTINF:4,\n{name}\n" for name in names[3:]).encode() + END.encode()
    expected = b"ftyp moov" + b"".join(PARTS[:3]) + b"other moov" + b"".join(PARTS[3:])
    assert await kept(here, here.host.put("/list", text)) == expected


async def test_byte_ranges_of_one_file_are_put_together(here: Deck) -> None:
    here.host.put("/all", b"junk" + WHOLE)
    lengths = [len(part) for part in PARTS]
    first = f"#EXTINF:4,\n#EXT-X-BYTERANGE:{lengths[0]}@4\nall\n"
    rest = "".join(f"#EXTINF:4,\n#EXT-X-BYTERANGE:{length}\nall\n" for length in lengths[1:])
    url = here.host.put("/list", listed() + (first + rest + END).encode())
    assert await kept(here, url) == WHOLE
    here.host.files["/all"].ranges = False
    assert await kept(here, url) == WHOLE, "of a host that knows no ranges the rest is skipped"


@pytest.mark.parametrize("iv", [None, bytes(range(16))])
async def test_segments_are_decrypted_on_the_way(here: Deck, iv: bytes | None) -> None:
    secret = here.host.put("/key", noise(16, "key")) and noise(16, "key")
    for number, part in enumerate(PARTS):
        vector = iv or (40 + number).to_bytes(16, "big")
        here.host.put(f"/{number}.ts", AES.new(secret, AES.MODE_CBC, vector).encrypt(pad(part, 16)))
    said = "" if iv is None else f",IV=0x{iv.hex()}"
    names = [f"{number}.ts" for number in range(5)]
    text = listed(*names, first=40, before=f'#EXT-X-KEY:METHOD=AES-128,URI="key"{said}\n', end=END)
    assert await kept(here, here.host.put("/list", text)) == WHOLE
    assert here.host.ranges("/key") == [None]


@pytest.mark.parametrize("key", [b"short", bytes(16)], ids=["no key", "wrong key"])
async def test_what_cannot_be_decrypted_is_broken(here: Deck, key: bytes) -> None:
    here.host.put("/key", key)
    here.host.put("/0.ts", AES.new(b"the right secret", AES.MODE_CBC, bytes(16)).encrypt(pad(PARTS[0], 16)))
    text = listed("0.ts", before='#EXT-X-KEY:METHOD=AES-128,URI="key"\n', end=END)
    assert await trouble_of(here, here.host.put("/list", text)) is TrackTrouble.BROKEN


async def test_a_cut_segment_is_resumed_and_no_byte_comes_twice(here: Deck) -> None:
    url = here.host.put("/list", listed(*put_parts(here), end=END))
    here.host.put("/2.ts", PARTS[2], cut=90 * KIB)
    assert await kept(here, url) == WHOLE
    assert here.host.ranges("/2.ts") == [None, f"bytes={90 * KIB}-", f"bytes={180 * KIB}-"]


async def test_refused_segments_cost_one_fresh_playlist_for_all_of_them(here: Deck) -> None:
    old = here.host.put("/old/list", listed(*put_parts(here, folder="/old"), end=END))
    new = here.host.put("/new/list", listed(*put_parts(here, folder="/new"), end=END))
    for number in (1, 2, 3, 4):
        here.host.files[f"/old/{number}.ts"].denials = [(403, {})] * 9
    assert await kept(here, old, hls(new)) == WHOLE
    assert here.host.ranges("/new/list")
    assert not here.host.ranges("/new/0.ts")


async def test_a_fresh_playlist_of_another_recording_is_no_continuation(here: Deck) -> None:
    old = here.host.put("/old/list", listed(*put_parts(here, folder="/old"), end=END))
    new = here.host.put("/new/list", listed(*put_parts(here, PARTS[:2], folder="/new"), end=END))
    here.host.files["/old/1.ts"].denials = [(410, {})]
    async with here.cache() as cache:
        with pytest.raises(TrackError, match="another file"):
            await fetched(cache, hls(old), renewing(hls(new)))
    assert here.names() == []


@pytest.mark.parametrize(
    "place", ["http://127.0.0.1:1/x", "http://10.0.0.7/x", "http://[::1]/x", "file:///etc/passwd"]
)
async def test_segments_on_private_hosts_and_files_are_refused(here: Deck, place: str) -> None:
    url = here.host.put("/list", listed(place, end=END))
    assert await trouble_of(here, url) is TrackTrouble.FORBIDDEN


async def test_a_playlist_without_an_end_is_not_read_to_it(here: Deck) -> None:
    url = here.host.put("/list", b"#EXTM3U\n" + b"#" * 70_000 + b"\n", endless=True)
    assert await trouble_of(here, url) is TrackTrouble.TOO_BIG


async def test_a_page_in_place_of_a_segment_is_no_sound(here: Deck) -> None:
    here.host.put("/0.ts", b"<html>pay first")
    assert await trouble_of(here, here.host.put("/list", listed("0.ts", end=END))) is TrackTrouble.UNSUPPORTED


async def test_an_empty_playlist_is_broken(here: Deck) -> None:
    assert await trouble_of(here, here.host.put("/list", listed(end=END))) is TrackTrouble.BROKEN


async def test_a_recording_that_was_cut_is_fetched_anew(here: Deck) -> None:
    names = put_parts(here)
    url = here.host.put("/list", listed(*names[:2], end=END))
    async with here.cache() as cache:
        await fetched(cache, hls(url))
        here.host.put("/list", listed(*names, end=END))
        await fetched(cache, hls(url), again=True)
        media = cache.get("hls:song")
        assert media is not None
        assert await heard(media.path) == WHOLE
    assert here.names() == ["json", "media"]


async def test_a_flight_cancelled_among_its_segments_leaves_nothing(here: Deck) -> None:
    url = here.host.put("/list", listed(*put_parts(here), end=END))
    here.host.put("/1.ts", PARTS[1], hold=KIB)
    async with here.cache() as cache:
        async with flying(cache, hls(url)) as flight:
            await flight.ready()
            await until(lambda: ("/3.ts", None) in here.host.asked)
        assert cache.stats().claimed == 0
    assert here.names() == []


# -- on the air
class Station:
    """A window of three segments that moves on with each pause we make."""

    def __init__(self, here: Deck, last: int) -> None:
        self.here, self.first, self.last = here, 4, last
        self.pauses: list[float] = []
        self.show()

    def show(self) -> None:
        numbers = range(self.first, self.first + 3)
        for number in numbers:
            self.here.host.put(f"/{number}.ts", self.part(number))
        end = END if numbers[-1] == self.last else ""
        self.here.host.put("/live", listed(*(f"{n}.ts" for n in numbers), first=self.first, end=end))

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.first += 1
        self.show()

    @staticmethod
    def part(number: int) -> bytes:
        return noise(100 * KIB, f"air {number}")


async def test_a_window_that_moves_on_is_followed_to_its_end_and_nothing_is_kept(here: Deck) -> None:
    station = Station(here, last=12)
    here.pauses = station.pause  # type: ignore[assignment]
    async with here.cache() as cache, flying(cache, hls(f"https://{HOST}/live", live=True)) as flight:
        assert await heard_live(flight) == b"".join(map(station.part, range(4, 13)))
        assert (await flight.ready()).live
        assert cache.get("hls:song") is None
    assert here.names() == []
    assert len(station.pauses) == 6
    assert max(station.pauses) <= 4, "a target duration, less what loading took"


async def test_a_playlist_without_its_end_is_live_whatever_was_said_of_it(here: Deck) -> None:
    station = Station(here, last=8)
    here.pauses = station.pause  # type: ignore[assignment]
    async with here.cache() as cache, flying(cache, hls(f"https://{HOST}/live")) as flight:
        assert (await flight.ready()).live


async def test_it_begins_at_the_edge_and_looks_again_after_half_a_segment(here: Deck) -> None:
    url = here.host.put("/live", listed(*put_parts(here)))
    async with here.cache() as cache:
        with pytest.raises(TrackError, match="stands still"):
            await fetched(cache, hls(url, live=True))
    asked = [path for path, _ in here.host.asked if path != "/live"]
    assert asked == ["/2.ts", "/3.ts", "/4.ts"]
    assert len(here.pauses.made) == 21
    assert max(here.pauses.made[1:]) <= 2


async def test_a_segment_that_is_gone_is_left_out(here: Deck) -> None:
    put_parts(here)
    url = here.host.put("/live", listed("0.ts", "gone.ts", "2.ts", end=END))
    async with here.cache() as cache, flying(cache, hls(url, live=True)) as flight:
        assert await heard_live(flight) == PARTS[0] + PARTS[2]


async def test_an_initial_part_that_was_missed_comes_with_the_next_segment(here: Deck) -> None:
    here.host.put("/init", b"ftyp moov", denials=[(404, {})])
    url = here.host.put("/live", listed(*put_parts(here)[:3], before='#EXT-X-MAP:URI="init"\n', end=END))
    async with here.cache() as cache, flying(cache, hls(url, live=True)) as flight:
        assert await heard_live(flight) == b"ftyp moov" + PARTS[1] + PARTS[2]


async def test_a_station_that_counts_anew_is_followed(here: Deck) -> None:
    names = put_parts(here)
    here.host.put("/live", listed(names[0], first=100))

    async def pause(_: float) -> None:
        here.host.put("/live", listed(*names[1:], first=0, end=END))

    here.pauses = pause  # type: ignore[assignment]
    async with here.cache() as cache, flying(cache, hls(f"https://{HOST}/live", live=True)) as flight:
        heard_of_it = await heard_live(flight)
    assert heard_of_it == PARTS[0] + b"".join(PARTS[2:]), "from its edge on"


async def test_what_is_long_on_the_air_is_given_up_and_who_is_far_behind_is_told(here: Deck) -> None:
    long = [noise(MIB, f"long {number}") for number in range(5)]
    url = here.host.put("/live", listed(*put_parts(here, long), target=40, end=END))
    here.host.put("/4.ts", long[4], hold=MIB - KIB)
    windows = Windows(air=MIB)
    async with here.cache(windows=windows) as cache, flying(cache, hls(url, live=True)) as flight:
        path = Path((await flight.ready()).path)
        with GrowingFile(path) as file:
            await until(lambda: file.available() == 5 * MIB - KIB)
            with pytest.raises(LeftBehind):
                await to_thread.run_sync(file.read, 10)
            file.seek(4 * MIB)
            assert await to_thread.run_sync(file.read, KIB) == long[4][:KIB]
            assert path.stat().st_blocks * 512 < 1.2 * MIB
            assert cache.stats().claimed < 1.2 * MIB
    assert not path.exists()
