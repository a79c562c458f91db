"""What SQLite's errors mean, in our words."""

from __future__ import annotations

import sqlite3

from ryzen.errors import StoreAway, StoreRefused

#: These come of what is to be written, not of the file; they would come again.
REFUSED = (
    sqlite3.IntegrityError,
    sqlite3.DataError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
    OverflowError,
    ValueError,
)

_CAUSES = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_BUSY: "another program has locked it",
    sqlite3.SQLITE_LOCKED: "another program has locked it",
    sqlite3.SQLITE_READONLY: "it may not be written",
    sqlite3.SQLITE_PERM: "it may not be opened",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened",
    sqlite3.SQLITE_NOMEM: "there is no memory left",
}
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def damaged(error: sqlite3.Error) -> bool:
    """Whether it says that the file itself is no longer what it should be."""
    return _code(error) & 0xFF in _DAMAGED


def busy(error: sqlite3.Error) -> bool:
    """Whether it is another program's doing, and will pass."""
    return _code(error) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def cause(error: sqlite3.Error) -> str:
    """Half a sentence, without any of the data."""
    code = _code(error)
    if code & 0xFF == sqlite3.SQLITE_IOERR:
        return f"the disk fails ({getattr(error, 'sqlite_errorname', 'SQLITE_IOERR')})"
    if damaged(error):
        return "it is damaged; stop the bot and start it again, and what can be read is carried over"
    return _CAUSES.get(code & 0xFF, f"SQLite says: {error}")


def away(error: sqlite3.Error) -> StoreAway:
    return StoreAway(f"the database cannot do it: {cause(error)}")


def refused(error: Exception) -> StoreRefused:
    # Not the error's own words: a ValueError may quote what it was given.
    what = str(error) if isinstance(error, sqlite3.Error) else type(error).__name__
    return StoreRefused(f"the database will not take this: {what}")


def _code(error: sqlite3.Error) -> int:
    """The extended one; 0 for an error of the module itself."""
    return int(getattr(error, "sqlite_errorcode", 0))
