"""The index of the music folder: one SQLite file, or memory.

All of it blocks: it is for worker threads, and for one of them at a time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from difflib import SequenceMatcher
from pathlib import Path

import attrs

from ryzen.sources.fold import fold
from ryzen.sources.folder import Stamp

#: Raised when the tables change; an older file is thrown away and the folder read again.
VERSION = 1
SCHEMA = f"""
CREATE TABLE songs (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, modified INTEGER NOT NULL, size INTEGER NOT NULL,
    title TEXT, artist TEXT, duration REAL, named TEXT, known TEXT
);
CREATE INDEX songs_named ON songs (named);
CREATE INDEX songs_known ON songs (known);
CREATE VIRTUAL TABLE words USING fts5 (title, artist, path, prefix = '1 2 3');
CREATE VIRTUAL TABLE pieces USING fts5 (text, tokenize = 'trigram');
PRAGMA user_version = {VERSION};
"""
BY_TITLE = """
SELECT path, title, artist, duration FROM songs WHERE named = ? ORDER BY artist, path LIMIT ?
"""
BY_TITLE_AND_ARTIST = """
SELECT path, title, artist, duration FROM songs WHERE known = ? ORDER BY artist, path LIMIT ?
"""
BY_WORDS = """
SELECT songs.path, songs.title, songs.artist, duration FROM words JOIN songs ON songs.id = words.rowid
WHERE words MATCH ? ORDER BY bm25(words, 10, 5, 1), length(named), songs.path LIMIT ?
"""
BY_PARTS = """
SELECT songs.path, songs.title, songs.artist, duration FROM pieces JOIN songs ON songs.id = pieces.rowid
WHERE pieces MATCH ? ORDER BY bm25(pieces), length(named), songs.path LIMIT ?
"""
#: Words of a question that are looked at; nobody types more, and each costs.
WORDS, LETTERS = 16, 256
#: Songs that are compared in detail: those which the index thinks best.
CANDIDATES = 100
#: How alike two words must be to be one with a slip of the finger: ``beethowen`` is 0.89 of ``beethoven``.
ALIKE = 0.7
#: The part of a question that must be found in a song at least.
ENOUGH = 0.6


@attrs.frozen
class Song:
    """A readable file: relative path, what its tags say, seconds (None if unknown)."""

    path: str
    title: str
    artist: str
    duration: float | None


class Index:
    """Files, their stamps and the words to find them by."""

    def __init__(self, file: Path | None) -> None:
        """``file`` None: in memory. A file that is no index, or an older one, is replaced.

        Raises sqlite3.Error.
        """
        self._db = _open(file)

    def close(self) -> None:
        self._db.close()

    # -- what is known
    def stamps(self) -> dict[str, Stamp]:
        """Every file that has been read, or could not be, as it was then."""
        rows = self._db.execute("SELECT path, modified, size FROM songs")
        return {path: Stamp(modified, size) for path, modified, size in rows}

    def put(self, songs: Mapping[str, tuple[Stamp, Song | None]]) -> None:
        """Add or replace files. None: it cannot be read, and is not tried again until it changes."""
        with self._db:
            self._forget(songs)
            for path, (stamp, song) in songs.items():
                self._add(path, stamp, song)

    def remove(self, paths: Iterable[str]) -> None:
        with self._db:
            self._forget(paths)

    def _forget(self, paths: Iterable[str]) -> None:
        for path in paths:
            row = self._db.execute("DELETE FROM songs WHERE path = ? RETURNING id", (path,)).fetchone()
            if row is not None:
                self._db.execute("DELETE FROM words WHERE rowid = ?", row)
                self._db.execute("DELETE FROM pieces WHERE rowid = ?", row)

    def _add(self, path: str, stamp: Stamp, song: Song | None) -> None:
        known = (path, stamp.modified, stamp.size)
        if song is None:
            self._db.execute("INSERT INTO songs (path, modified, size) VALUES (?, ?, ?)", known)
            return
        title, artist = fold(song.title), fold(song.artist)
        row = self._db.execute(
            "INSERT INTO songs (path, modified, size, title, artist, duration, named, known)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
            (*known, song.title, song.artist, song.duration, " ".join(title), _bag(title + artist)),
        ).fetchone()
        folded = (" ".join(title), " ".join(artist), " ".join(fold(path)))
        self._db.execute(
            "INSERT INTO words (rowid, title, artist, path) VALUES (?, ?, ?, ?)", (*row, *folded)
        )
        self._db.execute("INSERT INTO pieces (rowid, text) VALUES (?, ?)", (*row, " ".join(folded)))

    # -- questions
    def search(self, text: str, limit: int) -> tuple[Song, ...]:
        """The best first: the very title; title and artist in any order; all words, the last perhaps cut
        short; and only if there are none of these, what is like it.
        """
        words = fold(text[:LETTERS])[:WORDS]
        if not words:
            return ()
        found = {song.path: song for song in self._exact(words, limit)}
        for song in self._matching(words, max(limit, CANDIDATES)):
            found.setdefault(song.path, song)
        return tuple(found.values() if found else self._like(words))[:limit]

    def _exact(self, words: tuple[str, ...], limit: int) -> Iterator[Song]:
        yield from self._songs(BY_TITLE, " ".join(words), limit)
        yield from self._songs(BY_TITLE_AND_ARTIST, _bag(words), limit)

    def _matching(self, words: tuple[str, ...], limit: int) -> list[Song]:
        query = " ".join(f'"{word}"' for word in words) + "*"
        last = words[-1]
        # Stable: among equals the index's order stays, but a whole word goes before the beginning of one.
        return sorted(self._songs(BY_WORDS, query, limit), key=lambda song: last not in _words(song))

    def _like(self, words: tuple[str, ...]) -> list[Song]:
        parts = {word[at : at + 3] for word in words for at in range(len(word) - 2)}
        if not parts:
            return []
        query = " OR ".join(f'"{part}"' for part in sorted(parts))
        scored = [(_likeness(words, _words(song)), song) for song in self._songs(BY_PARTS, query, CANDIDATES)]
        scored.sort(key=lambda pair: -pair[0])
        return [song for score, song in scored if score >= ENOUGH]

    def _songs(self, query: str, *values: object) -> Iterator[Song]:
        return (Song(*row) for row in self._db.execute(query, values))


def _bag(words: Iterable[str]) -> str:
    return " ".join(sorted(words))


def _words(song: Song) -> frozenset[str]:
    return frozenset(fold(f"{song.title} {song.artist} {song.path}"))


def _likeness(asked: tuple[str, ...], there: Iterable[str]) -> float:
    """The part of the question (by letters) that is there, each word as far as its best match."""
    found = sum(len(word) * max((_alike(word, other) for other in there), default=0) for word in asked)
    return found / sum(map(len, asked))


def _alike(word: str, other: str) -> float:
    if word.isdigit():  # another number is no slip
        return float(word == other)
    matcher = SequenceMatcher(None, word, other, autojunk=False)
    if matcher.real_quick_ratio() < ALIKE or matcher.quick_ratio() < ALIKE:
        return 0
    ratio = matcher.ratio()
    return ratio if ratio >= ALIKE else 0


def _open(file: Path | None) -> sqlite3.Connection:
    if file is not None and file.exists() and not _is_sound(file):
        # It holds nothing that the folder does not: begin again.
        for suffix in ("", "-wal", "-shm"):
            file.with_name(file.name + suffix).unlink(missing_ok=True)
    # Used from whichever worker thread is free, never from two at once.
    db = sqlite3.connect(":memory:" if file is None else file, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        if _version(db) != VERSION:
            db.executescript(f"BEGIN; {SCHEMA} COMMIT;")
    except sqlite3.Error:
        db.close()
        raise
    return db


def _is_sound(file: Path) -> bool:
    """Whether this is a whole index, of today's form. Raises sqlite3.OperationalError if nobody can tell."""
    with closing(sqlite3.connect(file)) as db:
        try:
            return _version(db) == VERSION and db.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:  # not SQLite's, or damaged
            return False


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])
