"""The settings: read from both places, wrong ones said all at once, secrets never shown."""

from __future__ import annotations

import base64
import re
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ryzen.errors import ConfigError
from ryzen.settings import FIELDS, LATER, Secret, Settings, known

ROOT = Path(__file__).resolve().parent.parent
NOWHERE = Path("/nowhere/.env")


def session(user: int = 7, bot: bool = False) -> str:
    packed = struct.pack(">BI?256sQ?", 2, 1, False, bytes([user % 256]) * 256, user, bot)
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


HASH, TOKEN = "0123456789abcdef" * 2, "123456789:AAEhBP0av28FRzZXXXXXXXXXXXXXXXXXXXX"
NEEDED = {"API_ID": "12345", "API_HASH": HASH, "BOT_TOKEN": TOKEN, "OWNER_ID": "42", "SESSION": session()}


def load(path: Path = NOWHERE, **more: str) -> Settings:
    return Settings.load({**NEEDED, **more}, path)


def problems(environ: dict[str, str], path: Path = NOWHERE) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        Settings.load(environ, path)
    return caught.value.problems


def test_what_is_needed_is_enough() -> None:
    settings = load()
    assert (settings.api_id, settings.owner_id) == (12345, 42)
    assert (settings.api_hash.reveal(), settings.bot_token.reveal()) == (HASH, TOKEN)
    assert [each.reveal() for each in settings.sessions] == [session()]
    assert settings.duration_limit == 3600
    assert settings.sudoers == frozenset()


def test_everything_can_be_set(tmp_path: Path) -> None:
    settings = load(
        SUDOERS="1, 2 3",
        MUSIC_DIR=str(tmp_path),
        STATE_DIR=str(tmp_path / "new"),
        DURATION_LIMIT="90",
        QUEUE_LIMIT="0",
        CARD_INTERVAL="2.5",
        AUDIO_LEAD="250",
        PERSON_RATE="0",
        CHAT_RATE="30/60",
        COMMAND_PREFIXES="/ ! .",
        LOG_LEVEL="warn",
    )
    assert settings.sudoers == {1, 2, 3}
    assert (settings.music_dir, settings.state_dir) == (tmp_path, tmp_path / "new")
    assert (settings.duration_limit, settings.queue_limit, settings.card_interval) == (5400, 0, 2.5)
    assert settings.audio_lead == 0.25
    assert settings.person_rate[0] == 0
    assert settings.chat_rate == (30, 60.0)
    assert (settings.command_prefixes, settings.log_level) == ("/!.", "WARNING")


def test_an_empty_environment_is_told_all_that_it_needs() -> None:
    said = problems({})
    assert [text.split(" ")[0] for text in said] == ["API_ID", "API_HASH", "BOT_TOKEN", "OWNER_ID", "SESSION"]
    assert all("missing" in text for text in said)
    assert "my.telegram.org" in said[0]
    assert "session-gen" in said[-1]


def test_every_wrong_value_is_said_at_once_by_name(tmp_path: Path) -> None:
    wrong = {
        "API_ID": "x",
        "API_HASH": "short",
        "BOT_TOKEN": "nope",
        "OWNER_ID": "-5",
        "SESSION": "nope",
        "SUDOERS": "1,me",
        "MUSIC_DIR": str(tmp_path / "missing"),
        "STATE_DIR": "~nobody-of-that-name/x",
        "DURATION_LIMIT": "-1",
        "QUEUE_LIMIT": "many",
        "CARD_INTERVAL": "0",
        "AUDIO_LEAD": "10",
        "PERSON_RATE": "5 per 10",
        "CHAT_RATE": "20/0",
        "COMMAND_PREFIXES": "a",
        "LOG_LEVEL": "LOUD",
    }
    said = problems(wrong)
    assert {text.split(" ")[0] for text in said} == set(wrong)
    assert len(said) == len(wrong)


def test_a_duration_limit_in_seconds_is_recognised() -> None:
    [text] = problems({**NEEDED, "DURATION_LIMIT": "3600"})
    assert text.startswith("DURATION_LIMIT is 3600, but it counts minutes")
    assert "did you mean 60?" in text


# -- names
@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("BOT_TOKN", "BOT_TOKEN"),
        ("API_IDD", "API_ID"),
        ("APIHASH", "API_HASH"),
        ("OWNERID", "OWNER_ID"),
        ("SESION", "SESSION"),
    ],
)
def test_a_misspelt_name_gets_a_suggestion(name: str, meant: str) -> None:
    environ = {key: value for key, value in NEEDED.items() if key != meant}
    said = problems({**environ, name: "1"})
    assert f"{name} is not known: did you mean {meant}?" in said


def test_variables_of_other_programs_are_none_of_our_business() -> None:
    load(
        PATH="/bin",
        HOME="/root",
        SESSION_MANAGER="x",
        XDG_SESSION_ID="3",
        DESKTOP_SESSION="x",
        GDMSESSION="x",
        LANG="C",
        USER="x",
        LOGNAME="x",
        HOSTNAME="x",
        TOKEN_FILE="x",
        DATABASE="x",
        PYTHON_VERSION="3",
        _="x",
        **{"BASH_FUNC_x%%": "() { :; }"},
    )


def test_every_name_in_the_file_must_mean_something(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text(
        "QUEUE_LIMITT=5\nLANG_CODES=en\nSOMETHING_ELSE=1\nMONGO_DB_URI=mongodb://x\nHEROKU_API_KEY=x\n"
    )
    assert problems(NEEDED, path) == (
        "LANG_CODES is not known: did you mean LANG_CODE?",
        "QUEUE_LIMITT is not known: did you mean QUEUE_LIMIT?",
        "SOMETHING_ELSE in .env is not known: take it out, or see .env.example for the names.",
    )


def test_a_secret_that_stands_in_the_file_without_a_name_is_not_repeated(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text(f"{TOKEN}\n{session()}\n")
    said = "\n".join(problems(NEEDED, path))
    assert "NAME=value" in said
    assert TOKEN not in said
    assert session() not in said


def test_the_environment_wins_over_the_file_and_blanks_count_for_nothing(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("QUEUE_LIMIT=7\nDURATION_LIMIT='5'  # minutes\nBOT_TOKEN=\nexport LOG_LEVEL=DEBUG\n")
    settings = load(path, QUEUE_LIMIT="9", DURATION_LIMIT=" ")
    assert (settings.queue_limit, settings.duration_limit, settings.log_level) == (9, 300, "DEBUG")


def test_a_dollar_in_the_file_is_a_dollar(tmp_path: Path) -> None:
    (tmp_path / "a${HOME}").mkdir()
    path = tmp_path / ".env"
    path.write_text(f"MUSIC_DIR={tmp_path}/a${{HOME}}\n")
    assert load(path).music_dir == tmp_path / "a${HOME}"


@pytest.mark.parametrize(("alias", "name"), [("TOKEN", "BOT_TOKEN"), ("SUDO_USERS", "SUDOERS")])
def test_aliases_stand_for_their_names(alias: str, name: str) -> None:
    value = {"TOKEN": TOKEN.replace("123", "321"), "SUDO_USERS": "5"}[alias]
    environ = {key: text for key, text in NEEDED.items() if key != name}
    settings = Settings.load({**environ, alias: value}, NOWHERE)
    found = settings.bot_token.reveal() if alias == "TOKEN" else str(*settings.sudoers)
    assert found == value


# -- sessions
def test_sessions_are_gathered_from_every_name_in_order_and_once() -> None:
    environ = {key: text for key, text in NEEDED.items() if key != "SESSION"}
    environ |= {f"SESSION{n}": session(n) for n in (10, 2)}
    environ |= {"STRING_SESSION": session(3), "STRING4": session(4)}
    environ |= {"STRING_SESSIONS": f"{session(5)}, {session(2)}\n{session(6)}"}
    found = [each.reveal() for each in Settings.load(environ, NOWHERE).sessions]
    assert found == [session(n) for n in (2, 10, 4, 3, 5, 6)]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("not base64!", "no session string of this kind"),
        (session()[:-20], "cut off"),
        ("1" + "A" * 352, "another library"),
        (session(bot=True), "belongs to a bot"),
    ],
)
def test_a_wrong_session_string_says_what_to_do_and_is_not_repeated(text: str, word: str) -> None:
    [said] = problems({**NEEDED, "SESSION": text})
    assert said.startswith("SESSION ")
    assert word in said
    assert "session-gen" in said
    assert text not in said


def test_the_older_session_strings_are_taken_too() -> None:
    for form in (">B?256sI?", ">B?256sQ?"):
        packed = struct.pack(form, 2, False, b"x" * 256, 7, False)
        text = base64.urlsafe_b64encode(packed).decode().rstrip("=")
        assert load(SESSION=text).sessions[0].reveal() == text


# -- secrets
def test_secrets_are_never_shown() -> None:
    settings = load()
    for text in (
        repr(settings),
        str(settings),
        f"{settings.bot_token}",
        f"{settings.sessions}",
        repr(Secret("x")),
    ):
        for secret in (HASH, TOKEN, session()):
            assert secret not in text
    assert repr(Secret("x")) == str(Secret("x")) == "***"


@given(
    st.sampled_from([field.name for field in FIELDS] + ["SESSION"]),
    st.text(min_size=30).filter(lambda text: len(text.strip()) > 20),  # short ones may be words of the error
)
def test_no_error_repeats_a_value(name: str, value: str) -> None:
    said = ""
    try:
        Settings.load({**NEEDED, name: value}, NOWHERE)
    except ConfigError as error:
        said = str(error)
    assert value.strip() not in said


# -- .env.example
def written() -> dict[str, list[str]]:
    """Name -> the comment lines above it."""
    comments: dict[str, list[str]] = {}
    above: list[str] = []
    for line in (ROOT / ".env.example").read_text().splitlines():
        if match := re.fullmatch(r"#?([A-Z_0-9]+)=.*", line):
            comments[match[1]] = above
        elif line.startswith("# "):
            above = [*above, line]
        elif not line:
            above = []
    return comments


def test_the_example_has_every_setting_with_a_comment_and_knows_no_other() -> None:
    names = written()
    assert set(names) == {field.name for field in FIELDS} | {"SESSION", "STRING_SESSIONS"}
    assert all(names.values())
    assert all(known(name) for name in names)


def test_the_defaults_in_the_example_are_the_defaults(tmp_path: Path) -> None:
    text = (ROOT / ".env.example").read_text()
    path = tmp_path / ".env"
    path.write_text(re.sub(r"^#([A-Z_]+=.*)$", r"\1", text, flags=re.MULTILINE).replace("/srv/music", ""))
    example = load(path, COMMAND_PREFIXES="/")
    assert example == load()


def test_the_example_filled_in_is_enough(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    text = (ROOT / ".env.example").read_text()
    for name, value in NEEDED.items():
        text = text.replace(f"\n{name}=\n", f"\n{name}={value}\n")
    path.write_text(text)
    assert Settings.load({}, path) == load()


def test_names_of_later_parts_are_known() -> None:
    assert all(known(name) for name in LATER)
    assert known("STRING_SESSION12")
    assert not known("SESSION_MANAGER")
