"""The command line: what it says to those who call it wrong, and how it ends."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from loguru import logger

from ryzen import __version__
from ryzen.__main__ import exit_code, main
from ryzen.errors import ConfigError, Escalation, SendError
from ryzen.sandbox.box.keys import AuthKey
from ryzen.sandbox.demo.command import read

NEEDED = {
    "API_ID": "12345",
    "API_HASH": "0123456789abcdef" * 2,
    "BOT_TOKEN": "123456789:" + "A" * 35,
    "OWNER_ID": "42",
}


def run_with(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`ryzen run` in an empty folder with these variables and no others."""
    done = subprocess.run(
        [sys.executable, "-m", "ryzen", "run"],
        cwd=folder,
        env={"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **environment},
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    return done


def test_an_empty_environment_is_told_everything_at_once_and_leaves_no_file(tmp_path: Path) -> None:
    done = run_with(tmp_path)
    assert done.returncode == 2
    first, *problems, last = done.stderr.splitlines()
    assert first == "Ryzen cannot start:"
    names = ["API_ID", "API_HASH", "BOT_TOKEN", "OWNER_ID", "SESSION"]
    assert [line.removeprefix("  - ").split()[0] for line in problems] == names
    assert last == "Every setting is explained in .env.example; `ryzen demo` needs none."
    assert list(tmp_path.iterdir()) == []


def test_a_misspelt_name_and_a_broken_session_string_are_told_with_what_to_do(tmp_path: Path) -> None:
    session = "B" * 40
    (tmp_path / ".env").write_text(f"SESSION={session}\n")
    done = run_with(tmp_path, **{**NEEDED, "BOT_TOKN": "x"})
    assert done.returncode == 2
    assert "SESSION is no session string" in done.stderr
    assert "scripts/session-gen.py" in done.stderr
    assert session not in done.stderr
    assert ".env.example" not in done.stderr  # nothing is missing
    without = {name: text for name, text in NEEDED.items() if name != "BOT_TOKEN"}
    done = run_with(tmp_path, **without, BOT_TOKN="x")
    assert "BOT_TOKN is not known: did you mean BOT_TOKEN?" in done.stderr


def test_a_state_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    session = AuthKey(user_id=7).session_string(7, False, 1)
    done = run_with(tmp_path, **NEEDED, SESSION=session, STATE_DIR="/dev/null/state")
    assert done.returncode == 2
    assert "STATE_DIR (/dev/null/state) must be a folder that this user may write to" in done.stderr


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (ConfigError(("SESSION has expired: make a new one",)), 2, "cannot start:\n  - SESSION has expired"),
        (
            SendError("unreachable"),
            1,
            "cannot go on:\n  - Telegram did not answer at the start (unreachable): check",
        ),
        (Escalation("chats"), 70, "cannot go on:\n  - the actors «chats» crash again and again"),
        (ExceptionGroup("x", [ExceptionGroup("y", [Escalation("chats")])]), 70, "«chats»"),
        (ExceptionGroup("x", [ConfigError(("one",)), ConfigError(("two",))]), 2, "  - one\n  - two"),
    ],
)
def test_what_ends_it_is_a_sentence_and_a_code(
    capsys: pytest.CaptureFixture[str], error: Exception, code: int, said: str
) -> None:
    def fail() -> int:
        raise error

    assert exit_code(fail) == code
    assert said in capsys.readouterr().err


def test_an_interruption_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt() -> int:
        raise KeyboardInterrupt

    assert exit_code(interrupt) == 130
    assert capsys.readouterr() == ("", "")


def test_a_bug_keeps_its_traceback() -> None:
    def fail() -> int:
        raise ExceptionGroup("x", [ConfigError(("one",)), ZeroDivisionError()])

    with pytest.raises(ExceptionGroup):
        exit_code(fail)


def test_help_is_what_one_gets_without_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    told = capsys.readouterr().err
    assert "run the bot" in told
    assert "try it without an account" in told
    for words, begins in ((["--help"], "usage: ryzen"), (["--version"], f"ryzen {__version__}")):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 0
        assert capsys.readouterr().out.startswith(begins)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["dmo"], "choose from"),
        (["demo", "--groups", "0"], "whole number from 1 to 100"),
        (["demo", "--groups", "many"], "whole number from 1 to 100"),
        (["demo", "--until", "soon"], "number of seconds"),
        (["demo", "--until", "nan"], "number of seconds"),
        (["demo", "--delay", "-1"], "number of seconds"),
        (["demo", "--music", "/there/is/none"], "name one with music in it"),
        (["demo", "--state", "/dev/null/x"], "cannot be made a folder"),
        (["demo", "--sing"], "--sing"),
    ],
)
def test_a_wrong_argument_says_what_to_write(
    capsys: pytest.CaptureFixture[str], words: list[str], says: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert says in capsys.readouterr().err


def test_a_wrong_script_is_told_all_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--say", "hello", "--do", "1: explode", "--do", "2: flood messages.Sing 5"]) == 2
    told = capsys.readouterr().err
    assert "--say 'hello': write AT: text" in told
    assert "no trouble called 'explode': write kill bot" in told
    assert "there is no method 'messages.Sing'" in told


def test_a_demo_without_an_end_goes_on_for_a_while_after_its_last_step() -> None:
    assert read(["--headless", "--say", "3: hello", "--do", "5: kill bot"]).until == 11
    assert read(["--headless", "--say", "3: hello", "--until", "4.5"]).until == 4.5
    with pytest.raises(ConfigError, match="last step, which is at 3: make it later"):
        read(["--headless", "--say", "3: hello", "--until", "2"])


def test_the_demo_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["demo", "--help"])
    told = capsys.readouterr().out
    for word in ("kill bot", "AT@Bob", "AT#2", "press LABEL", "--until", "exit code"):
        assert word in told


@pytest.mark.parametrize("missing", ["PIL", "pylibsrtp", "ryzen.sandbox"])
def test_a_demo_without_its_extra_says_what_to_install(missing: str) -> None:
    script = (
        "import sys\n"
        "class Missing:\n"
        "    def find_spec(self, name, *_):\n"
        f"        if name == {missing!r}:\n"
        "            raise ModuleNotFoundError(name, name=name)\n"
        "sys.meta_path.insert(0, Missing())\n"
        "from ryzen.__main__ import main\n"
        "sys.exit(main(['demo', '--headless']))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=50)
    assert done.returncode == 1
    assert f"{missing} is missing" in done.stderr
    assert "pip install 'ryzen[demo]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_place_that_cannot_hold_the_demos_music_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from ryzen.sandbox.demo import command

    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null")
    assert exit_code(lambda: bool(command.own_music())) == 2
    assert "/dev/null/ryzen/demo-music" in (told := capsys.readouterr().err)
    assert "--music" in told


@pytest.fixture(autouse=True)
def _keep_the_log() -> object:
    """`demo` points loguru at standard error; nothing of that may outlive a test."""
    yield
    logger.remove()
    logger.add(sys.stderr)
