"""What a refusal of MongoDB means, by its number. The numbers are from the server's ``error_codes.yml``."""

from __future__ import annotations

from ryzen.errors import StoreAway, StoreError, StoreRefused, StoreUnusable

NOT_FOUND = 26
#: Atlas itself says no: to a password, to what it lets nobody do, to more than a plan has room for.
ATLAS = 8000
UNAUTHORISED = 13
UNKNOWN_USER = 18
NOT_LET = (UNAUTHORISED, ATLAS)
DISK_FULL = 14031
#: Another index has the name or the fields of ours.
INDEX_CONFLICT = (85, 86)
#: A bad value, a failed validation, too large: it would never be taken.
NEVER = (2, 9, 121, 10334, 17419, 17420)


def said(code: int | None, name: str, text: str, database: str) -> StoreError:
    """In our words, and never with the server's: those may quote a document. Unknown is taken for passing."""
    if code == UNKNOWN_USER or (code == ATLAS and "auth" in text):
        return StoreUnusable(
            "MongoDB does not know this user and password: correct the address of the database"
            " (with ?authSource=admin if the user was made there)"
        )
    if code == UNAUTHORISED:
        return StoreUnusable(f"MongoDB does not let this user: give it the role readWrite on {database!r}")
    if code in INDEX_CONFLICT:
        return StoreUnusable(f"an index of {database!r} is in the way of one of ours: remove it")
    if code in NEVER:
        return StoreRefused(f"MongoDB does not take this ({code} {name})")
    if code in (DISK_FULL, ATLAS):
        return StoreAway("MongoDB has no more room")
    return StoreAway(f"MongoDB could not do it ({code} {name})")
