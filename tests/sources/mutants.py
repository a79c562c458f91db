"""Breaks of the sources that their tests must notice; for ``scripts/mutate``. One line each."""

TESTS = ["tests/sources"]

FOLD, FOLDER = "ryzen/sources/fold.py", "ryzen/sources/folder.py"
INDEX, LOCAL = "ryzen/sources/index.py", "ryzen/sources/local.py"

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
]
