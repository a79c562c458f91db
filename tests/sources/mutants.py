"""Breaks of the sources that their tests must notice; for ``scripts/mutate``. One line each."""

TESTS = ["tests/sources"]

FOLD, FOLDER = "ryzen/sources/fold.py", "ryzen/sources/folder.py"
INDEX, LOCAL = "ryzen/sources/index.py", "ryzen/sources/local.py"
LINKS = "ryzen/sources/links.py"
INFOS = "ryzen/sources/infos.py"
YOUTUBE_LINKS = "ryzen/sources/youtube_links.py"
LADDER = "ryzen/sources/youtube_ladder.py"
YOUTUBE = "ryzen/sources/youtube.py"
SITES = "ryzen/sources/sites.py"
WEBLINK = "ryzen/sources/weblink.py"
RADIO = "ryzen/sources/radio.py"
YOUTUBE_MUSIC = "ryzen/sources/youtube_music.py"
YOUTUBE_API = "ryzen/sources/youtube_api.py"
ASKING = "ryzen/sources/asking.py"

MUTANTS = [
    # words
    (FOLD, ".casefold()", ""),
    (FOLD, '"NFKD"', '"NFC"'),
    (FOLD, ".translate(_LOOKALIKES)", ""),
    (FOLD, '    if sign in _APOSTROPHES:\n        return ""\n', ""),
    (FOLD, 'category[0] in "LN" else " "', 'category[0] in "LN" else sign'),
    (FOLD, 'not in ("Cc", "Cs")', 'not in ("Cc",)'),
    # the folder
    (FOLDER, 'entry.name.startswith(".") or', ""),
    (FOLDER, "or not _is_text(entry.name)", ""),
    (FOLDER, "entry.is_dir(follow_symlinks=False)", "entry.is_dir()"),
    (FOLDER, "not entry.is_file(follow_symlinks=False)", "not entry.is_file()"),
    (FOLDER, "or not entry.is_file(follow_symlinks=False)", ""),
    (FOLDER, ".suffix.lower()", ".suffix"),
    (FOLDER, "except FileNotFoundError:", "except ZeroDivisionError:"),
    (FOLDER, "            if not folder:\n                return None\n", ""),
    (FOLDER, "Stamp(status.st_mtime_ns, status.st_size)", "Stamp(status.st_mtime_ns, 0)"),
    (FOLDER, "Stamp(status.st_mtime_ns, status.st_size)", "Stamp(0, status.st_size)"),
    (FOLDER, "inside and file.is_file()", "file.is_file()"),
    (FOLDER, "inside and file.is_file()", "inside"),
    (FOLDER, "(OSError, ValueError, RuntimeError)", "(OSError, RuntimeError)"),
    # the index
    (INDEX, '        yield from self._songs(BY_TITLE, " ".join(words), limit)\n', ""),
    (INDEX, "key=lambda song: last not in _words(song)", "key=lambda song: 0"),
    (INDEX, 'for word in words) + "*"', "for word in words)"),
    (INDEX, "max(limit, CANDIDATES)", "CANDIDATES"),
    (INDEX, "if not words:", "if False:"),
    (INDEX, "    if word.isdigit():  # another number is no slip\n        return float(word == other)\n", ""),
    (INDEX, "if score >= ENOUGH", "if True"),
    (INDEX, "        scored.sort(key=lambda pair: -pair[0])\n", ""),
    (INDEX, "found.values() if found else self._like(words)", "found.values()"),
    (INDEX, '                self._db.execute("DELETE FROM words WHERE rowid = ?", row)\n', ""),
    (INDEX, '                self._db.execute("DELETE FROM pieces WHERE rowid = ?", row)\n', ""),
    (INDEX, "if file is not None and file.exists() and not _is_sound(file):", "if False:"),
    (
        INDEX,
        "        except sqlite3.OperationalError:\n            raise\n        except sqlite3.DatabaseError:",
        "        except ZeroDivisionError:",
    ),
    (INDEX, 'and db.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)', ""),
    # the source
    (LOCAL, "if known.get(path) != stamp", "if path not in known"),
    (LOCAL, "if known.get(path) != stamp", ""),
    (LOCAL, "[path for path in known if path not in there]", "[]"),
    (
        LOCAL,
        "            if there is None:\n",
        "            if not there:\n                there = {}\n            if there is None:\n",
    ),
    (
        LOCAL,
        "                await self.rescan()\n            except",
        "                pass\n            except",
    ),
    (LOCAL, "        await anyio.sleep(every)", "        await anyio.sleep(3600)"),
    (LOCAL, "for at in range(0, len(changed), BATCH)", "for at in range(0, min(1, len(changed)), BATCH)"),
    (LOCAL, "for at in range(0, len(changed), BATCH)", "for at in range(0, len(changed), len(changed) or 1)"),
    (LOCAL, "for at in range(0, len(gone), BATCH)", "for at in range(0, 0, BATCH)"),
    (LOCAL, "_digest(str(folder.resolve()))", "_digest('')"),
    (LOCAL, 'f"local:{_digest(song.path)}"', 'f"local:{_digest(song.title)}"'),
    (LOCAL, "(rest, artist or named) if dash else (stem, artist)", "(stem, artist)"),
    (
        LOCAL,
        "    except TrackError:\n        return None\n",
        "    except ZeroDivisionError:\n        return None\n",
    ),
    (LOCAL, "raise TrackError(TrackTrouble.MISSING)", "raise TrackError(TrackTrouble.BROKEN)"),
    (LOCAL, "    if unreadable:\n        logger", "    if True:\n        logger"),
    # links
    (LINKS, "word.count(word[-1]) > word.count(opening)", "True"),
    (LINKS, "if pair and name not in theirs and not", "if pair and not"),
    (LINKS, " and not _TRACKING.fullmatch(name)", ""),
    (LINKS, 'not in ("Cf", "Cc")', 'not in ("Cc",)'),
    (LINKS, 'host == domain or host.endswith(f".{domain}")', "host.endswith(domain)"),
    (LINKS, 'parts.fragment if ends_with(host, _FRAGMENTS_COUNT) else ""', '""'),
    (LINKS, 'name.replace("\\\\", "/")', "name"),
    (LINKS, "{at}{name}", "{name}"),
    (LINKS, ".translate(_OVERRIDES)", ""),
    # infos
    (INFOS, "width <= _WIDEST", "True"),
    (INFOS, "return min(wide)[1]", "return max(wide)[1]"),
    (INFOS, "math.isfinite(found) and found > 0", "found > 0"),
    (INFOS, "(not (artist or uploader) or _same(left, (artist, uploader)))", "True"),
    (INFOS, 'info.get("has_drm") is True', "False"),
    (INFOS, 'if protocol and protocol not in ("http", "https"):', "if False:"),
    (
        INFOS,
        "\"ba[protocol~='^https?$'][abr<=?192]\",\n        \"ba[protocol~='^m3u8'][abr<=?192]\",",
        "\"ba[protocol~='^https?$']\",",
    ),
    (INFOS, "len(found) >= 3 and starts[0] == 0", "starts and starts[0] == 0"),
    (INFOS, '"range", ', ""),
    # youtube links
    (YOUTUBE_LINKS, "(video is None or starts)", "True"),
    (YOUTUBE_LINKS, " and named != _A_LIST", ""),
    (YOUTUBE_LINKS, 're.compile(r"[A-Za-z0-9_-]{11}")', 're.compile(r".{11}")'),
    # youtube ladder
    (LADDER, "(step.cookies, step.proxied) != (tried.cookies, tried.proxied)", "True"),
    (LADDER, "return step.proxied", "return True"),
    (LADDER, "        return step.cookies\n", "        return False\n"),
    (LADDER, "return before if before is not None and vague else now", "return now"),
    (LADDER, "if isinstance(told, SourceAway):\n                self", "if told:\n                self"),
    (LADDER, '"player_skip": ("webpage", "configs", "initial_data")', '"player_skip": ()'),
    # youtube
    (YOUTUBE, "            arguments=_LISTS,\n", ""),
    (YOUTUBE, "        self._fresh.keep(track.id, origin)\n", ""),
    (YOUTUBE, "() if live else spans", "spans"),
    (YOUTUBE, "span=SPAN, ", ""),
    (
        YOUTUBE,
        'except RyzenError as error:\n            logger.debug("nothing',
        'except ZeroDivisionError as error:\n            logger.debug("nothing',
    ),
    (
        YOUTUBE,
        'except RyzenError as error:\n            logger.debug("nobody',
        'except ZeroDivisionError as error:\n            logger.debug("nobody',
    ),
    (YOUTUBE, "with anyio.move_on_after(_CARD_AFTER):", "if True:"),
    (YOUTUBE, "if isinstance(card, dict):", "if True:"),
    (YOUTUBE, '.removesuffix(" - Topic"))', ")"),
    (YOUTUBE, "with anyio.move_on_after(_SKIPS_AFTER):", "if True:"),
    # sites
    (SITES, "read_link(led_to) or led_to", "link"),
    (SITES, '.partition("#__youtubedl_smuggle")[0]', ""),
    (SITES, "slug.isdigit() and whole", "False"),
    (SITES, "extractors=self._site.extractors", "extractors=()"),
    (SITES, "self._fresh.keep(track.id", "self._fresh.take(track.id"),
    (SITES, 'page="https://archive.org/details/"', 'page=""'),
    # weblink
    (WEBLINK, "if peek.size is not None and peek.size <= 0", "if peek.size == 0"),
    (WEBLINK, "if not _says_list(peek):", "if False:"),
    (WEBLINK, "if deep >= _LISTS_DEEP:", "if deep >= 30:"),
    (WEBLINK, 'if "#EXT-X-STREAM-INF" not in text:', "if True:"),
    (WEBLINK, '.removeprefix(b"\\xef\\xbb\\xbf").lstrip()', ""),
    (
        WEBLINK,
        "peek(link)\n        except WebForbidden as",
        "peek(link)\n        except ZeroDivisionError as",
    ),
    (WEBLINK, "self._pages is not None and peek.kind in _PAGES", "self._pages is not None"),
    # radio
    (RADIO, "for station in reversed(found)", "for station in found"),
    (RADIO, "                continue\n", "                break\n"),
    (RADIO, "live=True", "live=place.live"),
    (RADIO, " or await self._ask(tag=words, **asked)", ""),
    # youtube music
    (YOUTUBE_MUSIC, "SourceTrouble.RATE_LIMITED if status == 429 else ", ""),
    # youtube api
    (
        YOUTUBE_API,
        'raise SourceAway(self.name, trouble, reason or f"answers {error.status_code}") from None',
        "raise SourceAway(self.name, trouble, str(error)) from error",
    ),
    (YOUTUBE_API, 'html.unescape(str(snippet["title"]))', 'snippet["title"]'),
    # asking
    (ASKING, "self._kept.pop(track_id, (0.0, None))", "self._kept.get(track_id, (0.0, None))"),
]
