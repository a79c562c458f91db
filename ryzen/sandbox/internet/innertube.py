"""The JSON that YouTube's pages are made of, as far as yt-dlp 2026.10.26 reads it: search results, playlists,
the player's answer. Imitated from what its extractor asks for, and written by us: no answer of YouTube's."""

from __future__ import annotations

import enum
import time
from collections.abc import Iterable, Sequence
from typing import Any

import attrs

from ryzen.sandbox.internet.songs import AAC, OPUS, Recording, Song

Json = dict[str, Any]

CHANNEL = "UC" + "sandbox" * 3 + "s"
#: Where pictures are: name → width and height.
PICTURES = {
    "default": (120, 90),
    "mqdefault": (320, 180),
    "hqdefault": (480, 360),
    "sddefault": (640, 480),
    "hq720": (1280, 720),
    "maxresdefault": (1280, 720),
}


class State(enum.StrEnum):
    """Of a video: what the player says of it."""

    FINE = "fine"
    LIVE = "live"
    SCHEDULED = "scheduled"
    PRIVATE = "private"
    AGE = "age-restricted"
    REGION = "region-blocked"
    MEMBERS = "members-only"
    REMOVED = "removed"


class Block(enum.StrEnum):
    """What YouTube tells an address that it has had enough of."""

    BOT_CHECK = "bot-check"
    RATE_LIMIT = "rate-limit"
    SIGN_IN = "sign-in"
    TOO_MANY = "429"


@attrs.frozen
class Video:
    recording: Recording
    state: State = State.FINE

    @property
    def song(self) -> Song:
        return self.recording.song

    @property
    def id(self) -> str:
        return self.recording.song.id

    @property
    def is_live(self) -> bool:
        return self.state is State.LIVE


def clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def said(text: str) -> Json:
    return {"runs": [{"text": text}]}


def pictures(video_id: str) -> Json:
    return {
        "thumbnails": [
            {"url": f"https://i.ytimg.com/vi/{video_id}/{name}.jpg", "width": width, "height": height}
            for name, (width, height) in PICTURES.items()
            if name != "maxresdefault"
        ]
    }


def _owner(song: Song) -> Json:
    browse = {"browseId": CHANNEL, "canonicalBaseUrl": "/@sandbox"}
    return {"runs": [{"text": song.artist, "navigationEndpoint": {"browseEndpoint": browse}}]}


def entry(video: Video) -> Json:
    """The inside of a ``videoRenderer``, ``playlistVideoRenderer`` and ``playlistPanelVideoRenderer``."""
    length = clock(video.recording.seconds)
    answer: Json = {
        "videoId": video.id,
        "title": said(video.song.title),
        "thumbnail": pictures(video.id),
        "ownerText": _owner(video.song),
        "shortBylineText": _owner(video.song),
        "navigationEndpoint": {"watchEndpoint": {"videoId": video.id}},
    }
    if video.is_live:
        style = {"style": "LIVE", "text": said("LIVE")}
        answer["thumbnailOverlays"] = [{"thumbnailOverlayTimeStatusRenderer": style}]
        answer["viewCountText"] = said("12 watching")
    elif video.state is State.SCHEDULED:
        answer["upcomingEventData"] = {"startTime": str(round(time.time()) + 7200)}
    else:
        answer["lengthText"] = {"simpleText": length}
        answer["viewCountText"] = {"simpleText": "1,234 views"}
    return answer


def _more(token: str) -> Json:
    command = {"continuationCommand": {"token": token, "request": "CONTINUATION_REQUEST_TYPE_BROWSE"}}
    return {"continuationItemRenderer": {"continuationEndpoint": command}}


def _section(contents: Sequence[Json]) -> Json:
    return {"itemSectionRenderer": {"contents": list(contents)}}


# -- search
def results(found: Iterable[Video], token: str | None, *, first: bool) -> Json:
    section = _section([{"videoRenderer": entry(video)} for video in found])
    contents = [section, *([_more(token)] if token else [])]
    if not first:
        return {
            "onResponseReceivedCommands": [{"appendContinuationItemsAction": {"continuationItems": contents}}]
        }
    primary = {"primaryContents": {"sectionListRenderer": {"contents": contents}}}
    return {"contents": {"twoColumnSearchResultsRenderer": primary}}


# -- playlists
def playlist(id: str, title: str, count: int, page: Iterable[Video], token: str | None) -> Json:
    listed = {"playlistVideoListRenderer": {"playlistId": id, "contents": playlist_items(page, token)}}
    tab = {"selected": True, "content": {"sectionListRenderer": {"contents": [_section([listed])]}}}
    browse = {"browseId": CHANNEL, "canonicalBaseUrl": "/@sandbox"}
    owner = {"runs": [{"text": "Sandbox", "navigationEndpoint": {"browseEndpoint": browse}}]}
    stats = [said(f"{count:,} videos"), said("1,234 views")]
    return {
        "contents": {"twoColumnBrowseResultsRenderer": {"tabs": [{"tabRenderer": tab}]}},
        "metadata": {"playlistMetadataRenderer": {"title": title}},
        "sidebar": {
            "playlistSidebarRenderer": {
                "items": [
                    {"playlistSidebarPrimaryInfoRenderer": {"stats": stats}},
                    {
                        "playlistSidebarSecondaryInfoRenderer": {
                            "videoOwner": {"videoOwnerRenderer": {"title": owner}}
                        }
                    },
                ]
            }
        },
    }


def playlist_items(page: Iterable[Video], token: str | None) -> list[Json]:
    return [
        *({"playlistVideoRenderer": {**entry(video), "isPlayable": True}} for video in page),
        *([_more(token)] if token else []),
    ]


def playlist_rest(page: Iterable[Video], token: str | None) -> Json:
    items = {"continuationItems": playlist_items(page, token)}
    return {"onResponseReceivedActions": [{"appendContinuationItemsAction": items}]}


def no_playlist() -> Json:
    return {"alerts": [{"alertRenderer": {"type": "ERROR", "text": said("The playlist does not exist.")}}]}


# -- the page of a video
def beside(video_id: str, video: Video | None, queue: Json | None = None) -> Json:
    """What stands around the player: whose video it is, and the list that is being played."""
    about = [] if video is None else [_about(video)]
    watching: Json = {"results": {"results": {"contents": about}}}
    if queue is not None:
        watching["playlist"] = {"playlist": queue}
    return {
        "contents": {"twoColumnWatchNextResults": watching},
        "currentVideoEndpoint": {"watchEndpoint": {"videoId": video_id}},
    }


def queue(id: str, title: str, page: Iterable[Video], at: int) -> Json:
    """A list beside the player. Lists other than mixes (``RD…``) have a page of their own, and say so.

    ``at``: which of its list the first of ``page`` is, from 1 on.
    """
    panel = []
    for number, video in enumerate(page, at):
        watch = {"videoId": video.id, "playlistId": id, "index": number}
        item = {**entry(video), "navigationEndpoint": {"watchEndpoint": watch}}
        panel.append({"playlistPanelVideoRenderer": item})
    answer: Json = {"title": title, "playlistId": id, "contents": panel}
    if not id.startswith("RD"):
        command = {"webCommandMetadata": {"url": f"/playlist?list={id}"}}
        answer["endpoint"] = {"commandMetadata": command}
    return answer


def _about(video: Video) -> Json:
    owner = {"videoOwnerRenderer": {"title": _owner(video.song)}}
    return {"videoSecondaryInfoRenderer": {"owner": owner}}


# -- the player
def player(video: Video, webm: str, m4a: str, live: str) -> Json:
    """The answer for a video, in its state. ``webm``, ``m4a``, ``live``: where its files and its HLS are."""
    answer: Json = {"playabilityStatus": _verdict(video.state), "videoDetails": _details(video)}
    if video.state is State.REGION:
        answer["microformat"] = {"playerMicroformatRenderer": {"availableCountries": ["AQ"]}}
    if video.is_live:
        answer["streamingData"] = {"expiresInSeconds": "21540", "hlsManifestUrl": live}
    elif video.state is State.FINE:
        formats = [
            _format(video.recording, 251, 'audio/webm; codecs="opus"', webm),
            _format(video.recording, 140, 'audio/mp4; codecs="mp4a.40.2"', m4a),
        ]
        answer["streamingData"] = {"expiresInSeconds": "21540", "adaptiveFormats": formats}
    return answer


def refusal(block: Block, video_id: str) -> Json:
    status, reason = {
        Block.BOT_CHECK: ("LOGIN_REQUIRED", "Sign in to confirm you\u2019re not a bot"),
        Block.RATE_LIMIT: ("UNPLAYABLE", "This content isn't available, try again later."),
        Block.SIGN_IN: ("LOGIN_REQUIRED", "Please sign in"),
    }[block]
    return {
        "playabilityStatus": {"status": status, "reason": reason},
        "videoDetails": {"videoId": video_id},
    }


def missing(video_id: str) -> Json:
    return {"playabilityStatus": _verdict(State.REMOVED), "videoDetails": {"videoId": video_id}}


def _details(video: Video) -> Json:
    song = video.song
    answer: Json = {
        "videoId": video.id,
        "title": song.title,
        "lengthSeconds": "0" if video.is_live else str(round(video.recording.seconds)),
        "author": song.artist,
        "channelId": CHANNEL,
        "shortDescription": "\n".join(f"{clock(at)} {title}" for at, title in song.chapters),
        "thumbnail": pictures(video.id),
        "viewCount": "1234",
        "isLiveContent": video.state in (State.LIVE, State.SCHEDULED),
    }
    if video.is_live:
        answer["isLive"] = True
    if video.state is State.SCHEDULED:
        answer["isUpcoming"] = True
    return answer


def _format(recording: Recording, itag: int, kind: str, url: str) -> Json:
    body, rate = (recording.webm, OPUS) if itag == 251 else (recording.m4a, AAC)
    return {
        "itag": itag,
        "url": url,
        "mimeType": kind,
        "bitrate": rate + 5000,
        "averageBitrate": rate,
        "contentLength": str(len(body)),
        "approxDurationMs": str(round(recording.seconds * 1000)),
        "quality": "tiny",
        "audioQuality": "AUDIO_QUALITY_MEDIUM",
        "audioSampleRate": "48000",
        "audioChannels": 2,
    }


def _verdict(state: State) -> Json:
    match state:
        case State.FINE | State.LIVE:
            return {"status": "OK", "playableInEmbed": True}
        case State.SCHEDULED:
            return {"status": "LIVE_STREAM_OFFLINE", "reason": "This live event will begin in 2 hours."}
        case State.PRIVATE:
            return _screen(
                "LOGIN_REQUIRED",
                "Private video",
                "Sign in if you've been granted access to this video",
            )
        case State.AGE:
            return {
                **_screen(
                    "LOGIN_REQUIRED",
                    "Sign in to confirm your age",
                    "This video may be inappropriate for some users.",
                ),
                "desktopLegacyAgeGateReason": 1,
            }
        case State.REGION:
            return _screen(
                "UNPLAYABLE",
                "Video unavailable",
                "The uploader has not made this video available in your country",
            )
        case State.MEMBERS:
            reason = (
                "Join this channel to get access to members-only content like this video, "
                "and other exclusive perks."
            )
            return _screen("UNPLAYABLE", reason, "")
        case State.REMOVED:
            return _screen("ERROR", "Video unavailable", "This video has been removed by the uploader")


def _screen(status: str, reason: str, more: str) -> Json:
    message = {"reason": {"simpleText": reason}}
    if more:
        message["subreason"] = {"simpleText": more}
    return {"status": status, "reason": reason, "errorScreen": {"playerErrorMessageRenderer": message}}
