"""Breaks of the egress door that its tests must notice; for ``scripts/mutate``. One line each."""

TESTS = [
    "tests/fetch/test_fetch_guard.py",
    "tests/fetch/test_fetch_guard_connecting.py",
    "tests/fetch/test_fetch_egress.py",
    "tests/fetch/test_fetch_egress_upstream.py",
    "tests/fetch/test_fetch_hostile_web.py",
    "tests/fetch/test_fetch_odd_answers.py",
    "tests/fetch/test_fetch_relay.py",
    "tests/fetch/test_fetch_web.py",
    "tests/fetch/test_fetch_web_sessions.py",
]

GUARD, HEAD = "ryzen/fetch/guard.py", "ryzen/fetch/head.py"
EGRESS, RELAY = "ryzen/fetch/egress.py", "ryzen/fetch/relay.py"
WEB, ANSWER, REQUEST = "ryzen/fetch/web.py", "ryzen/fetch/web_answer.py", "ryzen/fetch/web_request.py"
UPSTREAM = "ryzen/fetch/upstream.py"
UNPACK, SESSIONS = "ryzen/fetch/unpack.py", "ryzen/fetch/sessions.py"

MUTANTS = [
    # where one may go
    (GUARD, "if not all(is_public", "if not any(is_public"),
    (GUARD, "        if found not in _UNICAST:\n            return False\n", ""),
    (GUARD, "and not found.is_multicast", ""),
    (GUARD, "if found.scope_id is not None:", "if False:"),
    (GUARD, "socket.inet_ntoa(socket.inet_aton(host))", "str(ipaddress.IPv4Address(host))"),
    (GUARD, "or port in _SERVICES", ""),
    (GUARD, 'if "@" in parts.netloc:', "if parts.password:"),
    (GUARD, "(connect or self._network.connect)(address, port)", "self._network.connect(host, port)"),
    (GUARD, "addresses[:_TRIES]", "addresses"),
    (GUARD, '_UNFINISHED.sub("%25", quote(text, safe=_LEGAL))', "quote(text, safe=_LEGAL)"),
    # who may, and what is said
    (EGRESS, "or wish is None", ""),
    (EGRESS, "not hmac.compare_digest(password.encode(), self._secret.encode()) or", ""),
    (HEAD, "if len(found) == 1 else", "if found else"),
    (HEAD, 'b"proxy-authorization",\n', ""),
    (HEAD, 'or self._values(b"transfer-encoding")', ""),
    (GUARD, "        check_port(port)\n        if _literal", "        if _literal"),
    (EGRESS, "up=None if head.tunnel else head.body", "up=None"),
    # what ends a connection
    (RELAY, "came > self._most", "False"),
    (RELAY, "self._held = True", "self._held = False"),
    (RELAY, "await sink.drain()\n                    self._held", "self._held"),
    (RELAY, '        writer.get_extra_info("socket").setsockopt', "        ()  # "),
    (RELAY, "anyio.current_time() + self._idle", "math.inf"),
    (RELAY, "if sink.transport.is_closing():", "if False:"),
    # the operator's proxy
    (UPSTREAM, "if fault == self._told:", "if False:"),
    (UPSTREAM, "error.error_code in _WHO or", ""),
    (UPSTREAM, "or _WHO_SAID.search(str(error))", ""),
    (UPSTREAM, "self._tell(None)", ""),
    (UPSTREAM, "return _NO_PROXY if error.error_code is None else None", "return None"),
    (UPSTREAM, "EOFError, ValueError,", "ValueError,"),
    (UPSTREAM, "EOFError, ValueError,", "EOFError,"),
    (UPSTREAM, "not (user + password).isascii()", "False"),
    # our own client
    (REQUEST, "if name in _HARMLESS", "if name"),
    (REQUEST, "        if there.body is not None:", "        if False:"),
    (REQUEST, "url = check_url(urljoin(", "url = str(urljoin("),
    (ANSWER, "if self._broken and", "if False and"),
    (WEB, "URL(url, encoded=True)", "URL(url)"),
    (WEB, "assert taken.host is not None", "pass"),
    (WEB, "(ValueError, RecursionError)", "RecursionError"),
    (ANSWER, "(LookupError, ValueError)", "LookupError"),
    (REQUEST, "except ValueError as error:", "except ZeroDivisionError as error:"),
    (WEB, "cookie_jar=aiohttp.DummyCookieJar(),", ""),
    (WEB, "ssl=self._tls,", "ssl=False,"),
    (UNPACK, "self._most - self._size + 1", "0"),
    (UNPACK, "and not self._zlib.eof", "and False"),
    (UNPACK, "if self._zlib.eof:", "if False:"),
    (UNPACK, "max(self._came, self._size)", "self._size"),
    # libraries
    (SESSIONS, "proxies=self._proxies)", "proxies=proxies)"),
    (SESSIONS, "if time.monotonic() > end:", "if False:"),
    (SESSIONS, "silence = min(silence, timeout)", "silence = timeout"),
]
