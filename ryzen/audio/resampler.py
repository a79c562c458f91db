"""From whatever a file holds to 48 kHz mono s16.

PyAV 18.1's own AudioResampler gives each of its filter graphs as many threads as there are processors, 8 MB
of stack each, and has no way to say no. This work is a fiftieth of a processor for a thousand seconds of it.
"""

from __future__ import annotations

import av
from av.audio.frame import AudioFrame
from av.filter import Graph
from av.filter.context import FilterContext

from ryzen.audio import pcm

Shape = tuple[str, str, int]


class Resampler:
    """Takes frames one by one; what is given out lags a few samples behind what is put in."""

    def __init__(self) -> None:
        self._shape: Shape | None = None
        self._graph: Graph | None = None
        self._source: FilterContext | None = None
        self._sink: FilterContext | None = None

    def resample(self, frame: AudioFrame) -> bytes:
        """What comes out for this frame. When its rate, layout or format is another, the rest of the old
        comes first."""
        shape = frame.format.name, frame.layout.name, frame.sample_rate
        rest = b""
        if shape != self._shape:
            rest = self.rest()
            self._build(*shape)
            self._shape = shape
        assert self._source is not None
        self._source.push(frame)
        return rest + self._pull()

    def rest(self) -> bytes:
        """The last samples: behind them there is nothing more of this shape."""
        if self._source is None:
            return b""
        self._source.push(None)
        self._shape = None
        return self._pull()

    def _build(self, sample_format: str, layout: str, rate: int) -> None:
        graph = Graph()
        graph.threads = 1
        self._source = graph.add(
            "abuffer",
            sample_rate=str(rate),
            sample_fmt=sample_format,
            channel_layout=layout,
            time_base=f"1/{rate}",
        )
        shape = graph.add("aformat", sample_rates=str(pcm.RATE), sample_fmts="s16", channel_layouts="mono")
        self._sink = graph.add("abuffersink")
        self._source.link_to(shape)
        shape.link_to(self._sink)
        graph.configure()
        self._graph = graph  # which the filters do not hold (PyAV 18.1): without it they point nowhere

    def _pull(self) -> bytes:
        assert self._sink is not None
        sound = bytearray()
        while True:
            try:
                frame = self._sink.pull()
            except (av.BlockingIOError, av.EOFError):
                return bytes(sound)
            assert isinstance(frame, AudioFrame)
            sound += bytes(frame.planes[0])[: frame.samples * pcm.SAMPLE]
