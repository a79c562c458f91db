"""youtube-dl and pytube are an extra; they are not installed where this runs, and that is what is tested."""

from __future__ import annotations

import importlib.util

import pytest

from ryzen.errors import ConfigError
from ryzen.sources.legacy import LegacySource, Library


@pytest.mark.parametrize("library", ["youtube_dl", "pytube"])
def test_a_library_that_is_not_there_says_how_to_get_it_and_what_is_better(library: Library) -> None:
    if importlib.util.find_spec(library) is not None:
        pytest.skip(f"{library} is installed")
    with pytest.raises(
        ConfigError, match=rf"{library} is not installed: pip install 'ryzen\[legacy\]'.*yt-dlp"
    ):
        LegacySource(library, "http://127.0.0.1:1")
