"""Breaks of the media server that its tests must notice; for ``scripts/mutate``. One line each."""

# ruff: noqa: E501

TESTS = [f"tests/sandbox/test_media_{part}.py" for part in ("ear", "sctp", "server")]

EAR, RTP, SCTP = "ryzen/sandbox/media/ear.py", "ryzen/sandbox/media/rtp.py", "ryzen/sandbox/media/sctp.py"
STUN, SERVER, OFFER = (
    "ryzen/sandbox/media/stun.py",
    "ryzen/sandbox/media/server.py",
    "ryzen/sandbox/media/offer.py",
)

MUTANTS = [
    # the ear
    (EAR, "while self._packets[0].at < at - MEMORY:", "while False:"),
    (EAR, "deque(maxlen=PACKETS)", "deque()"),
    (EAR, "self.first_sound_at is None and", ""),
    (
        EAR,
        "self._tone(packet).rms > AUDIBLE:\n            self",
        "self._tone(packet).rms >= 0:\n            self",
    ),
    (EAR, "if packet.at < since:", "if packet.at <= since:"),
    (EAR, "elif packet.at <= until:", "else:"),
    (EAR, "base = packet.number if base is None else max(base, packet.number)", "pass"),
    (EAR, "base = min(numbers)", "base = max(numbers)"),
    (EAR, "start = since if self.first_at is None else max(since, self.first_at)", "start = since"),
    (EAR, "for packet in window), until]", "for packet in window)]"),
    (EAR, "return Heard(gap=until - since)", "return Heard()"),
    (EAR, "if abs(heard - hz) <= SAME", "if abs(heard - hz) > SAME"),
    (EAR, "packet.at >= since and", ""),
    (EAR, "elif old is None or abs(hz - old) > SAME:", "elif abs(hz - (old or 0)) >= 0:"),
    (EAR, "av.Packet(opus)) if opus else []", "av.Packet(opus))"),
    (EAR, "except av.FFmpegError:", "except ZeroDivisionError:"),
    (EAR, "            self.undecodable += 1\n", ""),
    (EAR, "                if earlier.samples is None:\n", "                if earlier is packet:\n"),
    (EAR, "(top + _lean(power, top))", "top"),
    (EAR, "/ 32768", "/ 16384"),
    (EAR, "<= SAME\n    return Heard(hz=hz", "<= 10_000\n    return Heard(hz=hz"),
    # RTP
    (RTP, "ahead if ahead < 0x8000 else ahead - 0x10000", "ahead"),
    (RTP, "& 0xFFFF", ""),
    (RTP, "min(self.first, number)", "self.first"),
    (RTP, "max(self.last, number)", "number"),
    (RTP, "- self.received if self.received else 0", "- self.received"),
    (RTP, "4 * (data[0] & 0x0F)", "0"),
    (RTP, "if data[0] & 0x10:", "if False:"),
    (RTP, "if data[0] & 0x20 else 0", "if False else 0"),
    # SCTP
    (SCTP, "if _sealed(packet) != packet:", "if len(packet) < 12:"),
    (SCTP, "else self._tag):\n            return []", "else self._tag):\n            pass"),
    (SCTP, "self._ports = ours, theirs", "self._ports = theirs, ours"),
    (SCTP, "(first - 1) & 0xFFFFFFFF, self._first", "first, self._first"),
    (
        SCTP,
        "        if number != (self._received + 1) & 0xFFFFFFFF:\n            return []",
        "        if False:\n            return []",
    ),
    (SCTP, "        self.open = True\n", ""),
    (SCTP, "protocol != DCEP or", ""),
    (SCTP, "        if size < 4:\n            return\n", ""),
    (SCTP, "if len(body) >= 13:", "if True:"),
    (SCTP, "if len(body) >= 16:", "if True:"),
    (SCTP, "0x82F63B78", "0xEDB88320"),
    # the door
    (STUN, "hmac.compare_digest(_mac(password, self.covered), self.mac)", "True"),
    (STUN, "(BINDING_REQUEST, COOKIE)", "(BINDING_REQUEST, 0)"),
    (OFFER, "& 0xFFFFFFFF", ""),
    (OFFER, "IndexError, TypeError, RecursionError)", "IndexError, RecursionError)"),
    (OFFER, "IndexError, TypeError, RecursionError)", "IndexError, TypeError)"),
    (SERVER, 'LOOPBACK = "127.0.0.1"', 'LOOPBACK = "0.0.0.0"'),
    (
        SERVER,
        "        self._waiting.clear()\n        if self._timer is not None:\n            self._timer.cancel()\n",
        "        pass\n",
    ),
    (
        SERVER,
        "                for peer in tuple(server._peers.values()):\n                    server.drop(peer)\n",
        "",
    ),
    (SERVER, "        self._by_address[address] = peer\n", ""),
    (
        SERVER,
        "            for address in peer.addresses:\n                self._by_address.pop(address, None)\n",
        "",
    ),
    (
        "ryzen/sandbox/media/peer.py",
        "        self.addresses.add(address)\n",
        "        self.addresses = {address}\n",
    ),
    (SERVER, "            self._garbage += 1\n", "            pass\n"),
]
