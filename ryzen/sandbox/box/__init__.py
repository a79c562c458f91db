"""A local Telegram: an MTProto server on loopback which real clients use unmodified."""

from ryzen.sandbox.box.box import Box
from ryzen.sandbox.box.client import local_connection
from ryzen.sandbox.box.faults import RequestError
from ryzen.sandbox.box.keys import PublicKey, trust
from ryzen.sandbox.box.people import PressAnswer
from ryzen.sandbox.box.records import Group, Message, User, VoiceChat
from ryzen.sandbox.box.transcript import Entry, Kind

__all__ = [
    "Box",
    "Entry",
    "Group",
    "Kind",
    "Message",
    "PressAnswer",
    "PublicKey",
    "RequestError",
    "User",
    "VoiceChat",
    "local_connection",
    "trust",
]
