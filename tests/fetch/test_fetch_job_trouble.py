# ruff: noqa: E501 - the texts are as they come
"""What yt-dlp says, and what it means: texts of yt-dlp 2026.10.26, of YouTube's player, and of yt-dlp's issues."""

import re
from pathlib import Path

import pytest
import yt_dlp

from ryzen.errors import SourceAway, SourceTrouble, TrackError, TrackTrouble
from ryzen.fetch import job, trouble

HINT = (
    "Use --cookies-from-browser or --cookies for the authentication. See  https://host.invalid/FAQ  for how to"
    " manually pass cookies. Also see  https://host.invalid/tips  for tips on effectively exporting YouTube cookies"
)
BUG = (
    "; please report this issue on  https://host.invalid/issues , filling out the appropriate issue template."
    " Confirm you are on the latest version using  yt-dlp -U"
)
SOURCE = {
    f"[youtube] vid00000001: Sign in to confirm you’re not a bot. {HINT}": SourceTrouble.BOT_CHECK,
    "[youtube] vid00000001: Sign in to confirm you're not a bot. This helps protect our community": (
        SourceTrouble.BOT_CHECK
    ),
    "[youtube] vid00000001: Video unavailable. YouTube is requiring a captcha challenge before playback": (
        SourceTrouble.BOT_CHECK
    ),
    "[youtube] vid00000001: Video unavailable. This content isn’t available, try again later. The current session"
    " has been rate-limited by YouTube for up to an hour. It is recommended to use `-t sleep` to add a delay": (
        SourceTrouble.RATE_LIMITED
    ),
    "[youtube:tab] PLx: Unable to download API page: HTTP Error 429: Too Many Requests"
    " (caused by <HTTPError 429: Too Many Requests>)": SourceTrouble.RATE_LIMITED,
    "[audiomack] You have exceeded the rate limit. Try again later": SourceTrouble.RATE_LIMITED,
    f"[youtube] vid00000001: Please sign in. {HINT}": SourceTrouble.SIGN_IN,
}
TRACK = {
    f"[youtube] vid00000001: Sign in to confirm your age. This video may be inappropriate for some users. {HINT}": (
        TrackTrouble.AGE
    ),
    "[soundcloud] Login is required to access age-restricted content": TrackTrouble.AGE,
    "[x] This video is only available for age verified users or after 22:00": TrackTrouble.AGE,
    "[youtube] vid00000001: Private video. Sign in if you've been granted access to this video": (
        TrackTrouble.PRIVATE
    ),
    "[youtube:tab] PLx: This playlist is private": TrackTrouble.PRIVATE,
    "[x] 12: This video is only available for registered users. Use --cookies, --username": TrackTrouble.PRIVATE,
    "[x] 12: This is a private playlist. You need to login as its owner": TrackTrouble.PRIVATE,
    "[x] 12: This VOD is private": TrackTrouble.PRIVATE,
    "[vimeo] 12: This video is protected by a password, use the --video-password option": TrackTrouble.PRIVATE,
    "[youtube] vid00000001: Join this channel to get access to members-only content like this video, and other"
    " exclusive perks.": TrackTrouble.PAID,
    "[youtube] vid00000001: This video is available to this channel's members on level: Assistant (or any higher"
    " level). Join this channel to get access to members-only content": TrackTrouble.PAID,
    "[youtube] vid00000001: This video requires payment to watch": TrackTrouble.PAID,
    "[x] This video is only available for registered users with the appropriate subscription": TrackTrouble.PAID,
    "[x] This VOD is for subscribers only": TrackTrouble.PAID,
    "[x] Ticket purchase is required for this stream": TrackTrouble.PAID,
    "[mixcloud] a_b: This track is only available for premium members only": TrackTrouble.PAID,
    "[youtube] vid00000001: Video unavailable. The uploader has not made this video available in your country\n"
    "This video is available in Germany.\nYou might want to use a VPN or a proxy server (with --proxy) to"
    " workaround.": TrackTrouble.REGION,
    "[youtube] vid00000001: Video unavailable. This video contains content from 'xxx', who has blocked it in your"
    " country on copyright grounds": TrackTrouble.REGION,
    "[x] This song is blocked in this region": TrackTrouble.REGION,
    "[x] This video is not available from your location due to geo restriction": TrackTrouble.REGION,
    "[youtube] vid00000001: Premieres in 3 hours": TrackTrouble.NOT_YET,
    "[youtube] vid00000001: This live event will begin in 5 days.": TrackTrouble.NOT_YET,
    "[x] This livestream has not yet started": TrackTrouble.NOT_YET,
    "[twitch:stream] someone: The channel is not currently live": TrackTrouble.NOT_YET,
    "[x] This radio is offline.": TrackTrouble.NOT_YET,
    "[x] This video is not available yet. Release date: 2027-01-01": TrackTrouble.NOT_YET,
    "Unsupported URL: https://host.invalid/page": TrackTrouble.NO_SOURCE,
    "No suitable extractor found for URL https://host.invalid/page": TrackTrouble.NO_SOURCE,
    "[DRM] The requested site is known to use DRM protection. It will NOT be supported.": TrackTrouble.NO_SOURCE,
    "[youtube] vid00000001: This video is DRM protected": TrackTrouble.UNSUPPORTED,
    "[youtube] vid00000001: Requested format is not available. Use --list-formats for a list of available"
    " formats": TrackTrouble.UNSUPPORTED,
    "[x] 12: No video formats found!" + BUG: TrackTrouble.UNSUPPORTED,
    "[x] Post does not contain a video or audio track": TrackTrouble.UNSUPPORTED,
    "[soundcloud] a: Unable to download JSON metadata: HTTP Error 503: Service Unavailable (caused by <HTTPError"
    " 503: Service Unavailable>)": TrackTrouble.UNREACHABLE,
    "[x] Unable to download webpage: HTTPConnectionPool(host='127.0.0.1', port=1): Read timed out. (caused by"
    " TransportError())": TrackTrouble.UNREACHABLE,
    "[youtube] vid00000001: Video unavailable": TrackTrouble.UNAVAILABLE,
    "[youtube] vid00000001: Video unavailable. This video has been removed by the uploader": (
        TrackTrouble.UNAVAILABLE
    ),
    "[soundcloud] a: Unable to download JSON metadata: HTTP Error 404: Not Found (caused by <HTTPError 404: Not"
    " Found>)": TrackTrouble.UNAVAILABLE,
    "[bandcamp] x: Unable to extract data" + BUG: TrackTrouble.UNAVAILABLE,
}


def read(message: str, kind: str = "ExtractorError", **more: object) -> TrackError | SourceAway:
    return trouble.read({"event": "error", "kind": kind, "message": f"ERROR: {message}", **more})


@pytest.mark.parametrize(("message", "expected"), SOURCE.items())
def test_a_source_that_refuses_everything_is_away(message: str, expected: SourceTrouble) -> None:
    error = read(message)
    assert isinstance(error, SourceAway)
    assert error.trouble is expected


@pytest.mark.parametrize(("message", "expected"), TRACK.items())
def test_a_track_that_cannot_be_had_is_at_fault_alone(message: str, expected: TrackTrouble) -> None:
    error = read(message)
    assert isinstance(error, TrackError)
    assert error.trouble is expected


@pytest.mark.parametrize("message", SOURCE)
def test_no_strangers_site_can_close_a_source(message: str) -> None:
    assert isinstance(read(re.sub(r"\[.*?\]", "[generic]", message)), TrackError)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("GeoRestrictedError", TrackTrouble.REGION),
        ("UserNotLive", TrackTrouble.NOT_YET),
        ("MemoryError", TrackTrouble.TOO_BIG),
        ("ProxyError", TrackTrouble.UNREACHABLE),
        ("IncompleteRead", TrackTrouble.UNREACHABLE),
        ("CertificateVerifyError", TrackTrouble.UNREACHABLE),
        ("KeyError", TrackTrouble.UNAVAILABLE),
    ],
)
def test_where_the_text_says_nothing_the_kind_does(kind: str, expected: TrackTrouble) -> None:
    error = read("[x] 12: Something", kind)
    assert isinstance(error, TrackError)
    assert error.trouble is expected


def test_what_the_guard_says_is_passed_on() -> None:
    for message in (
        "[generic] x: Unable to download webpage: HTTP Error 403: ryzen-guard: 10.0.0.1 is not a public address"
        " (caused by <HTTPError 403: ryzen-guard: 10.0.0.1 is not a public address>)",
        "[generic] x: Unable to download webpage: ('Unable to connect to proxy', OSError('Tunnel connection failed:"
        " 403 ryzen-guard: 10.0.0.1 is not a public address'))",
    ):
        error = read(message)
        assert isinstance(error, TrackError)
        assert error.trouble is TrackTrouble.FORBIDDEN
        assert error.detail == "10.0.0.1 is not a public address"
    error = read("[x] Tunnel connection failed: 502 ryzen-guard: host.invalid does not answer", "ProxyError")
    assert isinstance(error, TrackError)
    assert error.trouble is TrackTrouble.UNREACHABLE


def test_the_detail_is_a_sentence_without_links_words_of_the_query_or_hints() -> None:
    assert read(f"[youtube] vid00000001: Private video. {HINT}").args == ("private: Private video",)
    assert read('query "what somebody typed" page 1: Unable to extract' + BUG).args == (
        "unavailable: Unable to extract",
    )
    assert read("Unsupported URL: https://host.invalid/?secret").args == ("no-source: Unsupported URL: …",)


def test_when_to_ask_again_is_passed_on() -> None:
    error = read("[youtube] x: HTTP Error 429: Too Many Requests", "HTTPError", retry_after=120)
    assert isinstance(error, SourceAway)
    assert error.retry_after == 120
    error = read("[youtube] x: HTTP Error 429: Too Many Requests", "HTTPError", retry_after=999_999)
    assert isinstance(error, SourceAway)
    assert error.retry_after == 3600, "and nobody is away for days because he says so"


def test_the_texts_that_matter_most_are_still_those_of_the_installed_yt_dlp() -> None:
    """They are patterns for its sources: a new release may say it otherwise."""
    folder = Path(yt_dlp.__file__).parent
    video = (folder / "extractor" / "youtube" / "_video.py").read_text()
    for text in (
        "This content isn't available, try again later",
        "requiring a captcha challenge",
        "rate-limited",
    ):
        assert text in video
    common = (folder / "extractor" / "common.py").read_text()
    for text in (
        "only available for registered users",
        "due to geo restriction",
        "This video is DRM protected",
    ):
        assert text in common
    assert job._NO_PLAYER in video
    core = (folder / "YoutubeDL.py").read_text()
    for text in ("No suitable extractor", "Requested format is not available", "No video formats found!"):
        assert text in core
