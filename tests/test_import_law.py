"""Who may import what (docs/architecture.md): read from the source, so that a lazy import counts too."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
THIRD_PARTY = {
    "ryzen.player": {"attrs"},
    "ryzen.errors": set(),
    "ryzen.records": {"attrs"},
    "ryzen.store": {"anyio", "attrs", "cattrs", "loguru"},
    "ryzen.store.mongo": {"anyio", "attrs", "cattrs", "loguru", "motor", "pymongo", "bson"},
    "ryzen.store.mongo_reading": {"anyio", "attrs", "pymongo", "bson"},
    "ryzen.keeping": {"anyio", "loguru"},
    "ryzen.beside": {"anyio"},
    "ryzen.messages": {"attrs"},
    "ryzen.ports": {"attrs"},
    "ryzen.origins": {"attrs"},
    "ryzen.outside": {"attrs"},
    "ryzen.growing": set(),
    "ryzen.fetch": {"anyio", "attrs", "loguru", "certifi"},
    "ryzen.fetch.egress": {"anyio", "attrs", "loguru"},
    "ryzen.fetch.upstream": {"loguru", "python_socks"},
    "ryzen.fetch.web": {"aiohttp", "anyio", "attrs", "yarl"},
    "ryzen.fetch.web_answer": {"aiohttp"},
    "ryzen.fetch.sessions": {"attrs", "httpx", "requests", "urllib3"},
    "ryzen.fetch.playlist": {"attrs", "m3u8"},
    "ryzen.fetch.hls": {"anyio", "attrs", "loguru", "Cryptodome"},
    "ryzen.fetch.runtime": {"deno"},
    "ryzen.fetch.job": {"yt_dlp"},  # runs in the fetch server, with nothing of the bot's around it
    "ryzen.fetch.server": {"yt_dlp"},
    "ryzen.supervisor": {"anyio", "attrs", "loguru"},
    "ryzen.actors": {"anyio", "attrs", "loguru", "cachetools"},
    "ryzen.sources": {"anyio", "attrs", "loguru"},
    "ryzen.sources.matching": {"attrs", "rapidfuzz"},
    "ryzen.sources.spotify": {"anyio", "attrs", "loguru", "spotipy", "requests"},
    "ryzen.sources.youtube_music": {"anyio", "attrs", "loguru", "ytmusicapi", "requests"},
    "ryzen.sources.youtube_api": {"anyio", "attrs", "loguru", "googleapiclient", "httplib2"},
    "ryzen.sources.radio": {"anyio", "attrs", "loguru", "pyradios", "httpx"},
    "ryzen.sources.genius": {"anyio", "attrs", "loguru", "lyricsgenius", "requests"},
    "ryzen.sources.legacy": {"anyio", "attrs", "loguru", "youtube_dl", "pytube"},
    "ryzen.audio": {"anyio", "attrs", "loguru", "av", "numpy", "mutagen"},
    "ryzen.bot": {"anyio", "attrs", "loguru", "cachetools", "yaml"},
    "ryzen.settings": {"attrs", "dotenv"},
    "ryzen.setting_readers": {"attrs"},
    "ryzen.telegram": {"anyio", "attrs", "loguru", "pyrogram", "pytgcalls", "ntgcalls"},
    "ryzen.running": {"attrs", "cachetools"},
    "ryzen.resume": {"anyio", "attrs", "loguru"},
    "ryzen.app": {"anyio", "attrs", "loguru"},
    "ryzen.sourcing": {"attrs", "requests"},
    "ryzen.doctor": {"anyio", "attrs", "dotenv", "loguru"},
    "ryzen.updating": {"anyio", "dotenv"},
    "ryzen.__main__": {"anyio", "attrs", "loguru"},
    "ryzen.__init__": set(),
    "ryzen.sandbox": None,  # speaks everybody's language
}
OURS = {
    "ryzen.player": {"ryzen.player"},
    "ryzen.errors": set(),
    "ryzen.records": {"ryzen.player.state"},
    "ryzen.store": {"ryzen.store", "ryzen.errors", "ryzen.player.state", "ryzen.ports", "ryzen.records"},
    "ryzen.store.mongo_reading": {"ryzen.errors"},
    "ryzen.keeping": {"ryzen.errors", "ryzen.ports", "ryzen.settings", "ryzen.store"},
    "ryzen.beside": set(),
    "ryzen.messages": {
        "ryzen.actors.ref",
        "ryzen.errors",
        "ryzen.origins",
        "ryzen.player",
        "ryzen.ports",
        "ryzen.records",
    },
    "ryzen.origins": {"ryzen.player.state"},
    "ryzen.outside": set(),
    "ryzen.growing": set(),
    "ryzen.fetch": {
        "ryzen.fetch",
        "ryzen.beside",
        "ryzen.errors",
        "ryzen.growing",
        "ryzen.origins",
        "ryzen.outside",
        "ryzen.player.state",
    },
    "ryzen.fetch.job": {"ryzen.fetch"},
    "ryzen.fetch.server": {"ryzen.fetch"},
    "ryzen.ports": {"ryzen.actors.ref", "ryzen.errors", "ryzen.messages", "ryzen.player", "ryzen.records"},
    "ryzen.supervisor": {"ryzen.actors", "ryzen.errors"},
    "ryzen.actors": {
        "ryzen.actors",
        "ryzen.errors",
        "ryzen.messages",
        "ryzen.origins",
        "ryzen.player",
        "ryzen.ports",
        "ryzen.records",
    },
    "ryzen.sources": {
        "ryzen.sources",
        "ryzen.audio.tags",
        "ryzen.beside",
        "ryzen.errors",
        "ryzen.origins",
        "ryzen.player",
    },
    "ryzen.audio": {
        "ryzen.audio",
        "ryzen.beside",
        "ryzen.errors",
        "ryzen.growing",
        "ryzen.player.state",
        "ryzen.ports",
    },
    "ryzen.bot": {
        "ryzen.bot",
        "ryzen.beside",
        "ryzen.actors.ref",
        "ryzen.errors",
        "ryzen.messages",
        "ryzen.origins",
        "ryzen.player",
        "ryzen.ports",
        "ryzen.records",
        "ryzen.supervisor",
        "ryzen.actors.health",
    },
    "ryzen.running": {
        "ryzen.actors",
        "ryzen.messages",
        "ryzen.player",
        "ryzen.ports",
        "ryzen.records",
        "ryzen.supervisor",
    },
    "ryzen.resume": {
        "ryzen.actors.ref",
        "ryzen.errors",
        "ryzen.messages",
        "ryzen.player",
        "ryzen.records",
        "ryzen.running",
    },
    "ryzen.settings": {"ryzen.errors", "ryzen.setting_readers"},
    "ryzen.setting_readers": set(),
    "ryzen.telegram": {
        "ryzen.telegram",
        "ryzen.errors",
        "ryzen.origins",
        "ryzen.player.state",
        "ryzen.ports",
    },
}


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted((ROOT / "ryzen").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 2 else parts), path


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            assert node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def law_of(module: str) -> str:
    laws = [package for package in THIRD_PARTY if within(module, package)]
    assert laws, f"{module} has no law: give it one"
    return max(laws, key=len)  # a module with a law of its own is excepted from its folder's


@pytest.mark.parametrize(("module", "path"), list(modules()), ids=str)
def test_a_module_imports_only_what_its_layer_may(module: str, path: Path) -> None:
    law = law_of(module)
    allowed, ours = THIRD_PARTY[law], OURS.get(law, OURS.get(law.rpartition(".")[0]))
    for name in imports(path):
        top = name.split(".")[0]
        if top == "ryzen":
            if ours is not None:
                assert any(within(name, package) for package in ours), f"{module} imports {name}"
            if law not in ("ryzen.sandbox", "ryzen.__main__"):
                assert not within(name, "ryzen.sandbox"), f"{module} imports the sandbox"
        elif top not in sys.stdlib_module_names and allowed is not None:
            assert top in allowed, f"{module} imports {name}"


def test_the_law_bites(tmp_path: Path) -> None:
    offender = tmp_path / "reduce.py"
    offender.write_text("def late():\n    import anyio\n")
    with pytest.raises(AssertionError, match="imports anyio"):
        test_a_module_imports_only_what_its_layer_may("ryzen.player.reduce", offender)
