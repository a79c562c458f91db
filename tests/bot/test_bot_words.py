"""The sentences: the code asks for each that is there and for no other, and fills their blanks."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from bot_fakes import WORDS, track
from hypothesis import given
from hypothesis import strategies as st

from ryzen.bot import show
from ryzen.bot.commands import COMMANDS
from ryzen.bot.guard import Verdict, Who
from ryzen.bot.playing import granted
from ryzen.bot.screen import told
from ryzen.bot.trouble import explain
from ryzen.bot.words import Html, Words
from ryzen.errors import (
    ActorCrashed,
    ActorStopped,
    AskExpired,
    ConfigError,
    MailboxFull,
    Misread,
    Refusal,
    RyzenError,
    SendError,
    SourceAway,
    SourceTrouble,
    TrackError,
    TrackTrouble,
    VoiceError,
    VoiceTrouble,
    WebError,
)
from ryzen.messages import Declined, Stored
from ryzen.player.effects import Answer, Answered, Notice, Noticed, Refused

BOT = Path(show.__file__).parent
GROUPS = {key.split(".")[0] for key in WORDS.sentences}
TAGS = {"b", "i", "u", "s", "code", "pre", "a"}


def blanks(key: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(WORDS.sentences[key]) if name is not None}


def asked() -> Iterator[tuple[str, set[str] | None]]:
    """The keys that the code names, with the blanks it fills (None where they are not written out there)."""
    for path in BOT.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                callee = (
                    node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                )
                names = {keyword.arg for keyword in node.keywords}
                if callee == "words" and None not in names:
                    yield str(node.args[0].value), {str(name) for name in names}
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and re.fullmatch(r"[a-z]+\.[a-z-]+", node.value)
                and node.value.split(".")[0] in GROUPS
            ):
                yield node.value, None


def named_by_codes() -> set[str]:
    misread = {f"misread.{code}" for code in re.findall(r'Misread\("([a-z-]+)"', read("arguments.py"))}
    return misread | {
        *(f"answer.{code}" for code in Answered),
        *(f"refuse.{code}" for code in (*Refused, *Declined)),
        *(f"stored.{code}" for code in Stored if code is not Stored.NOW),
        *(f"notice.{code}" for code in Noticed),
        *(f"track.{code}" for code in TrackTrouble),
        *(f"voice.{code}" for code in VoiceTrouble),
        *(f"source.{code}" for code in SourceTrouble),
        *(f"denied.{code}" for code in Verdict if code is not Verdict.YES),
        *(f"help.{who.value}" for who in Who),
        *(row.usage for row in COMMANDS),
    }


def read(name: str) -> str:
    return (BOT / name).read_text()


def test_every_sentence_that_is_asked_for_is_there_and_every_one_there_is_asked_for() -> None:
    assert {key for key, _ in asked()} | named_by_codes() == set(WORDS.sentences)


def test_blanks_are_filled_and_nothing_is_filled_that_is_no_blank() -> None:
    wrong = {key: names for key, names in asked() if names is not None and names != blanks(key)}
    assert wrong == {}
    assert sum(names is not None for _, names in asked()) > 30


@pytest.mark.parametrize("trouble", [VoiceTrouble.ASSISTANT_MISSING, VoiceTrouble.ASSISTANT_BANNED])
def test_whoever_is_to_help_the_assistant_is_told_its_name(trouble: VoiceTrouble) -> None:
    assert "@helper" in told(WORDS, Notice(Noticed.NO_CALL, reason=trouble)).plain


@pytest.mark.parametrize("code", Answered)
def test_every_answer_has_its_words(code: Answered) -> None:
    text = granted(WORDS, Answer(code, track("song"), 3, 62.0))
    assert "{" not in text.markup
    assert "None" not in text.markup
    assert ("song" in text.plain) == ("track" in blanks(f"answer.{code}"))
    assert ("3" in text.plain) == ("number" in blanks(f"answer.{code}"))


@pytest.mark.parametrize("code", Refused)
def test_every_refusal_has_its_words(code: Refused) -> None:
    text = explain(WORDS, Refusal(code, number=3, seconds=62.0))
    assert "{" not in text.markup
    assert ("01:02" in text.plain) == ("seconds" in blanks(f"refuse.{code}"))
    assert "None" not in explain(WORDS, Refusal(code, number=3, seconds=None)).plain or code == "past-the-end"


@pytest.mark.parametrize("code", Noticed)
def test_every_notice_has_its_words(code: Noticed) -> None:
    troubles = {Noticed.NO_CALL: VoiceTrouble.LOST, Noticed.SOURCE_AWAY: SourceTrouble.DOWN}
    trouble = troubles.get(code, TrackTrouble.BROKEN)
    text = told(WORDS, Notice(code, track("song"), trouble, "a broken tube")).plain
    assert ("song" in text) == ("track" in blanks(f"notice.{code}"))
    assert ("broke" in text) >= ("reason" in blanks(f"notice.{code}"))


@pytest.mark.parametrize("trouble", SourceTrouble)
def test_whoever_is_to_help_with_a_source_is_told_which_and_how(trouble: SourceTrouble) -> None:
    text = told(WORDS, Notice(Noticed.SOURCE_AWAY, reason=trouble, source="<tube>"))
    assert "&lt;tube&gt;" in text.markup
    assert "/resume" in text.plain
    assert ("COOKIES_FILE" in text.plain) == (trouble is not SourceTrouble.DOWN)


@pytest.mark.parametrize("trouble", TrackTrouble)
def test_a_track_that_is_left_out_is_told_with_the_reason(trouble: TrackTrouble) -> None:
    text = told(WORDS, Notice(Noticed.TRACK_FAILED, track("song"), trouble)).plain
    assert text == f"⚠ Left out song: {WORDS(f'track.{trouble}').plain}"


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (MailboxFull("chat"), "busy"),
        (AskExpired("chat"), "took too long"),
        (ActorCrashed("chat"), "Send it again"),
        (ActorStopped("chat"), "Send it again"),
        (SendError("CHAT_WRITE_FORBIDDEN"), "CHAT_WRITE_FORBIDDEN"),
        (Misread("time", given="<x>"), "&lt;x&gt;"),
        (ConfigError(("nothing to do with it",)), "on my side"),
        *((TrackError(trouble, "secret"), "") for trouble in TrackTrouble),
        (WebError("secret"), "server"),
        *((SourceAway("tube", trouble, "secret"), "tube") for trouble in SourceTrouble),
        *((VoiceError(trouble, "secret"), ".") for trouble in VoiceTrouble),
    ],
)
def test_every_error_has_its_words_and_none_shows_its_detail(error: RyzenError, sentence: str) -> None:
    text = explain(WORDS, error).markup
    assert sentence in text
    assert "secret" not in text
    assert "{" not in text


class Nesting(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        assert tag in TAGS
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("key", WORDS.sentences)
def test_every_sentence_is_html_that_telegram_takes_and_has_a_plain_dress(key: str) -> None:
    text = WORDS(key, **dict.fromkeys(blanks(key), "<&>"))
    nesting = Nesting()
    nesting.feed(text.markup)
    nesting.close()
    assert nesting.open == []
    assert not re.search(r"</?(b|i|code)>", text.plain)
    assert text.markup.count("&lt;&amp;&gt;") == text.plain.count("<&>") >= len(blanks(key))


@given(st.text())
def test_whatever_fills_a_blank_is_escaped_and_never_filled_itself(title: str) -> None:
    text = Words({"a.b": "<b>{x}</b>"})("a.b", x=title)
    escaped = title.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert text == Html(f"<b>{escaped}</b>", title)


def test_a_key_or_a_blank_that_is_not_there_is_a_bug() -> None:
    with pytest.raises(KeyError):
        WORDS("answer.nosuch")
    with pytest.raises(KeyError):
        WORDS("answer.queued", track="x")


def test_a_language_that_is_not_there_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        Words.load("tlh")
