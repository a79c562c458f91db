"""The language of `--say` and `--do`."""

import pytest

from ryzen.errors import ConfigError
from ryzen.sandbox.demo.script import Do, Press, Say, Trouble, parse, say_line

PEOPLE = ("Ada", "Bob")


def steps(*says: str, do: list[str] | None = None, groups: int = 2) -> tuple[object, ...]:
    return parse(list(says), do or [], groups, PEOPLE)


def test_a_line_says_when_who_where_and_what() -> None:
    assert steps("0: /play tone 440") == (Say(0, "/play tone 440"),)
    assert steps("1.5@Bob: hello: you") == (Say(1.5, "hello: you", who="Bob"),)
    assert steps("2#2: /skip") == (Say(2, "/skip", group=2),)
    assert steps("3@bob#2: press ⏸ Pause") == (Press(3, "⏸ Pause", group=2, who="bob"),)


def test_faults_are_understood() -> None:
    found = steps(
        do=["1: kill bot", "2#2: crash chat", "3: silence media 5", "4: flood messages.SendMessage 7"]
    )
    assert found == (
        Do(1, Trouble.KILL_BOT),
        Do(2, Trouble.CRASH_CHAT, group=2),
        Do(3, Trouble.SILENCE_MEDIA, seconds=5),
        Do(4, Trouble.FLOOD, seconds=7, method="messages.SendMessage"),
    )
    assert [str(step) for step in found] == [
        "kill bot",
        "crash chat",
        "silence media 5",
        "flood messages.SendMessage 7",
    ]


def test_steps_come_in_the_order_of_their_times() -> None:
    assert [step.at for step in parse(["6: b", "0: a"], ["3: kill bot"], 1, PEOPLE)] == [0, 3, 6]


def test_every_problem_is_told_at_once_with_what_to_write() -> None:
    with pytest.raises(ConfigError) as wrong:
        parse(["soon: /play", "1@Zoe: hi", "1#9: hi"], ["2: explode", "3: silence media long"], 2, PEOPLE)
    told = wrong.value.problems
    assert len(told) == 5
    assert "'0: /play tone 440'" in told[0]
    assert "Ada, Bob" in told[1]
    assert "--groups" in told[2]
    assert "kill worker" in told[3]
    assert "seconds" in told[4]


def test_a_typed_line_needs_no_time() -> None:
    assert say_line("/play x", 3, 2, PEOPLE) == Say(3, "/play x")
    assert say_line("@Bob #2 hi there", 3, 2, PEOPLE) == Say(3, "hi there", group=2, who="Bob")
    assert say_line("press ⏭ Skip", 3, 2, PEOPLE) == Press(3, "⏭ Skip")
    assert say_line("do kill worker", 3, 2, PEOPLE) == Do(3, Trouble.KILL_WORKER)
    assert say_line("do kill fetcher", 3, 2, PEOPLE) == Do(3, Trouble.KILL_FETCHER)
    with pytest.raises(ValueError, match="nothing"):
        say_line("  ", 3, 2, PEOPLE)
    with pytest.raises(ValueError, match="Ada, Bob"):
        say_line("@Zoe hi", 3, 2, PEOPLE)


def test_marks_come_in_any_order_and_a_hashtag_is_no_mark() -> None:
    assert say_line("#2 @Bob hi", 3, 2, PEOPLE) == Say(3, "hi", group=2, who="Bob")
    assert say_line("#music now", 3, 2, PEOPLE) == Say(3, "#music now")


def test_a_method_is_named_as_telegram_does_or_as_the_library_does_and_must_exist() -> None:
    flood = Do(1, Trouble.FLOOD, seconds=2, method="messages.SendMessage")
    assert steps(do=["1: flood messages.sendMessage 2", "1: flood messages.SendMessage 2"]) == (flood, flood)
    with pytest.raises(ConfigError, match=r"no method 'messages\.Sing'.*messages\.SendMessage"):
        steps(do=["1: flood messages.sing 2"])


def test_a_typed_trouble_that_is_none_lists_those_there_are() -> None:
    for line in ("do", "do explode", "do silence media"):
        with pytest.raises(ValueError, match="kill bot, kill worker, kill fetcher, crash chat"):
            say_line(line, 3, 2, PEOPLE)
