"""The tables that every back end has, by the same names: a row of one can be loaded into another.

A row is plain JSON (``records.Row``). Yes-or-no is 0 or 1, moments are seconds of the wall clock, and what is
a list or an object is a JSON text. A field is None only if it is ``optional``. Whole numbers have 64 bits,
other numbers are finite (``documents.finite``) and texts are Unicode without halves of characters; a change
with anything else is refused.
"""

from __future__ import annotations

from typing import Literal

import attrs

Kind = Literal["TEXT", "INTEGER", "REAL"]


@attrs.frozen
class Field:
    name: str
    kind: Kind  #: as SQLite calls it
    optional: bool = False


@attrs.frozen
class Table:
    """``key`` tells its rows apart, ``rest`` is what is known of them."""

    name: str
    key: tuple[Field, ...]
    rest: tuple[Field, ...]

    @property
    def fields(self) -> tuple[Field, ...]:
        return self.key + self.rest

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)


def _text(name: str, optional: bool = False) -> Field:
    return Field(name, "TEXT", optional)


def _whole(name: str, optional: bool = False) -> Field:
    return Field(name, "INTEGER", optional)


def _real(name: str, optional: bool = False) -> Field:
    return Field(name, "REAL", optional)


TRACKS = Table(
    "tracks",
    (_text("id"),),
    (
        _text("title"),
        _text("source"),
        _text("ref"),
        _text("artist"),
        _real("duration", optional=True),
        _text("link", optional=True),
    ),
)
#: What a chat has chosen; ``value`` is a JSON text. What it has not chosen has no row.
CHAT_SETTINGS = Table("chat_settings", (_whole("chat_id"), _text("name")), (_text("value"),))
ROLLS = Table(
    "rolls",
    (_text("roll"), _whole("scope"), _whole("id")),
    (_text("name"), _whole("by"), _real("at"), _text("reason")),
)
#: ``first`` is told by the change that makes the row, ``name`` and ``last`` by the latest one.
CHATS = Table("chats", (_whole("id"),), (_text("name"), _real("first"), _real("last")))
#: As ``CHATS``. A play makes the row of a user who is not there yet, and changes none that is.
USERS = Table(
    "users", (_whole("id"),), (_text("name"), _real("first"), _real("last"), _text("language", optional=True))
)
#: ``track_id`` is one of TRACKS.
PLAYLIST_ITEMS = Table(
    "playlist_items", (_whole("user_id"), _text("playlist"), _text("track_id")), (_real("at"),)
)
#: ``track_id`` is one of TRACKS; ``user_name`` is the asker's at that time.
PLAYS = Table(
    "plays",
    (_text("id"),),
    (_whole("chat_id"), _whole("user_id"), _text("user_name"), _text("track_id"), _real("at")),
)
#: ``documents.counters_of`` says which ones a play counts in.
COUNTERS = Table("counters", (_text("chart"), _text("scope"), _text("day"), _text("key")), (_whole("plays"),))
ASSISTANTS = Table("assistants", (_whole("chat_id"),), (_whole("assistant_id"),))
#: ``flags`` is a JSON text, ``over`` 0 or 1.
BROADCASTS = Table(
    "broadcasts",
    (_text("id"),),
    (
        _whole("by"),
        _real("at"),
        _whole("chat_id"),
        _whole("message_id"),
        _text("flags"),
        _whole("after", optional=True),
        _whole("sent"),
        _whole("failed"),
        _whole("over"),
    ),
)
#: ``player`` is a JSON text (``documents.encode_player``); ``busy`` is 1 if something is current or waiting.
LIVE = Table(
    "live",
    (_whole("chat_id"),),
    (
        _whole("revision"),
        _real("saved_at"),
        _text("process"),
        _real("moving_since", optional=True),
        _whole("card", optional=True),
        _whole("card_entry", optional=True),
        _whole("attempts"),
        _whole("counted"),
        _whole("busy"),
        _text("player"),
    ),
)
BEATS = Table("beats", (_text("process"),), (_real("at"),))
FLAGS = Table("flags", (_text("name"),), (_text("value"),))

#: All that a backup holds, in an order in which those come first that others refer to. What a back end needs
#: beside them (its version, tokens of batches) is its own business: neither counted nor dumped.
TABLES = (
    TRACKS,
    CHAT_SETTINGS,
    ROLLS,
    CHATS,
    USERS,
    PLAYLIST_ITEMS,
    PLAYS,
    COUNTERS,
    ASSISTANTS,
    BROADCASTS,
    LIVE,
    BEATS,
    FLAGS,
)
