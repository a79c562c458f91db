"""Ryzen: music in the voice chats of many Telegram groups at once."""

__version__ = "0.1.0"
