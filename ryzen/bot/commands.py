"""Every command the bot knows, one row each."""

from __future__ import annotations

import random

from ryzen.bot import about, arguments, hushing
from ryzen.bot.charts import top
from ryzen.bot.favourites import favourites
from ryzen.bot.guard import Who
from ryzen.bot.history import history
from ryzen.bot.playing import last_in_line, now_playing, playing, streaming, wishing
from ryzen.bot.queueing import queue
from ryzen.bot.searching import radio, search
from ryzen.bot.singing import lyrics
from ryzen.bot.table import Row, Table, Where
from ryzen.player.events import (
    Clear,
    Move,
    PlayNext,
    PlayNow,
    Previous,
    Remove,
    Replay,
    Restore,
    Resume,
    Shuffle,
    Skip,
    SkipTo,
    Stop,
)

COMMANDS: Table = Table(
    (
        # -- everyone
        Row("play", playing(last_in_line), aliases=("p",)),
        Row("stream", streaming(last_in_line), aliases=("live",)),
        Row("radio", radio),
        Row("search", search),
        Row("lyrics", lyrics, where=Where.BOTH),
        Row("queue", queue, aliases=("q", "playing", "player")),
        Row("np", now_playing, aliases=("now", "position", "pos")),
        Row("favourites", favourites, where=Where.BOTH, aliases=("fav", "favs")),
        Row("history", history),
        Row("top", top, where=Where.BOTH, aliases=("gstats",)),
        Row("ping", about.ping, where=Where.BOTH),
        Row("stats", about.show_stats, where=Where.BOTH),
        Row("help", about.helping(lambda: COMMANDS), where=Where.BOTH),
        Row("start", about.start, where=Where.BOTH),
        # -- admins: what plays
        Row("playforce", playing(PlayNow), Who.ADMIN, aliases=("fplay",)),
        Row("streamforce", streaming(PlayNow), Who.ADMIN),
        Row("playnext", playing(PlayNext), Who.ADMIN, aliases=("pn",)),
        Row("pause", hushing.pause, Who.ADMIN),
        Row("resume", wishing(lambda _: Resume()), Who.ADMIN),
        Row("mute", hushing.mute, Who.ADMIN),
        Row("unmute", hushing.unmute, Who.ADMIN),
        Row("skip", wishing(lambda args: Skip(arguments.count(args))), Who.ADMIN, aliases=("next",)),
        Row("skipto", wishing(lambda args: SkipTo(arguments.place(args))), Who.ADMIN),
        Row("previous", wishing(lambda _: Previous()), Who.ADMIN, aliases=("prev",)),
        Row("stop", wishing(lambda _: Stop()), Who.ADMIN, aliases=("end",)),
        Row("seek", wishing(arguments.seek), Who.ADMIN),
        Row("seekback", wishing(arguments.backward), Who.ADMIN),
        Row("jump", wishing(arguments.forward), Who.ADMIN),
        Row("replay", wishing(lambda _: Replay()), Who.ADMIN),
        Row("loop", wishing(arguments.loop), Who.ADMIN),
        # -- admins: what waits
        Row("shuffle", wishing(lambda _: Shuffle(random.getrandbits(32))), Who.ADMIN),
        Row("move", wishing(lambda args: Move(*arguments.two_places(args))), Who.ADMIN),
        Row("remove", wishing(lambda args: Remove(arguments.place(args))), Who.ADMIN),
        Row("clear", wishing(lambda _: Clear()), Who.ADMIN),
        Row("restore", wishing(lambda _: Restore()), Who.ADMIN),
    )
)
