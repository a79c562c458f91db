"""Whose certificates count."""

from __future__ import annotations

import ssl

import certifi

from ryzen.outside import Outside


def trust(outside: Outside) -> ssl.SSLContext:
    """For clients: the usual authorities and those of ``outside``. Reads files: at the start, not later."""
    context = ssl.create_default_context(cafile=certifi.where())
    if outside.authorities is not None:
        context.load_verify_locations(outside.authorities)
    return context
