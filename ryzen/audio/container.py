"""Opening a file with FFmpeg: as what it is, with the decoders of sound alone, and nothing beside it."""

from __future__ import annotations

from typing import Final

import av
from av.audio.stream import AudioStream
from av.container import InputContainer

from ryzen.audio.inflow import Inflow
from ryzen.audio.sniff import Demuxer, Sniffed
from ryzen.errors import TrackError, TrackTrouble

_PCM: Final = ("u8", "s16le", "s24le", "s32le", "f32le", "f64le", "alaw", "mulaw")
_DECODERS: Final = frozenset(
    {"mp3float", "mp3", "aac", "alac", "flac", "opus", "vorbis"} | {f"pcm_{kind}" for kind in _PCM}
)
#: Given to FFmpeg, so that it opens neither another file nor the decoder of a picture or a film.
_OPTIONS: Final = {"protocol_whitelist": "file", "codec_whitelist": ",".join(sorted(_DECODERS))}
#: How much is read before the first packet is given out, in bytes; by default up to 5 MB. A WAV says all in
#: its header, MPEG audio in each frame.
_PROBED: Final = {Demuxer.WAV: 32768}
_PROBED_GROWING: Final = _PROBED | {
    Demuxer.MP3: 4096,
    Demuxer.AAC: 4096,
    Demuxer.OGG: 16384,
    Demuxer.MPEGTS: 65536,
}
#: FFmpeg asks for so many bytes at once.
_BUFFER: Final = 32768
#: For one packet, in seconds: a disk that hangs must not hang the worker.
_READ_WITHIN = 1.0

#: What PyAV raises over a file that is not what it should be.
UNDECODABLE: Final = (av.FFmpegError, ValueError, ArithmeticError, MemoryError)


def open_whole(path: str, demuxer: Demuxer, within: float) -> InputContainer:
    """Raises one of UNDECODABLE, also if ``within`` seconds do not suffice."""
    return av.open(
        f"file:{path}",
        mode="r",
        format=demuxer.value,
        container_options=_options(_PROBED.get(demuxer)),
        metadata_errors="ignore",
        timeout=(within, _READ_WITHIN),
    )


def open_growing(inflow: Inflow, sniffed: Sniffed) -> InputContainer:
    """Raises one of UNDECODABLE.

    Only an MP4 with its index behind the sound is jumped about in: everything else FFmpeg reads from here on
    as it comes, and does not look for the end of first.
    """
    inflow.jumps = sniffed.index_last
    return av.open(
        inflow,
        format=sniffed.demuxer.value,
        mode="r",
        container_options=_options(_PROBED_GROWING.get(sniffed.demuxer)),
        metadata_errors="ignore",
        buffer_size=_BUFFER,
    )


def _options(probed: int | None) -> dict[str, str]:
    return _OPTIONS if probed is None else _OPTIONS | {"probesize": str(probed)}


def sound_of(container: InputContainer) -> AudioStream:
    """The stream to be heard. Raises TrackError."""
    for stream in container.streams.audio:
        if stream.codec_context is not None and stream.codec_context.name in _DECODERS:
            stream.codec_context.thread_count = 1
            return stream
    raise TrackError(TrackTrouble.UNSUPPORTED, "no sound in it that we can decode")


def own_length(container: InputContainer, stream: AudioStream, sniffed: Sniffed) -> float | None:
    """Seconds that there should be by the file's own word; None if it only guesses."""
    own = None
    if stream.duration is not None and stream.time_base is not None:
        own = float(stream.duration * stream.time_base)
    elif container.duration is not None and len(container.streams) == 1:
        own = container.duration / av.time_base
    return own / sniffed.share if sniffed.measured and own is not None else None


def reason(error: Exception) -> str:
    """Without the path, which FFmpeg's errors tell in their text."""
    return str(error.strerror) if isinstance(error, av.FFmpegError) else str(error)
