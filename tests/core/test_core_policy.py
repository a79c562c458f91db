"""Backoff and windows, for all numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ryzen.actors.policy import RestartPolicy, Window

SECONDS = st.floats(0.001, 1000)
POLICIES = st.builds(RestartPolicy, first=SECONDS, ceiling=SECONDS, jitter=st.floats(0, 0.99), period=SECONDS)
SPREADS = st.floats(-1, 1)


@given(POLICIES, st.integers(1, 10**9), SPREADS)
def test_a_delay_is_positive_and_never_past_its_ceiling(policy, attempt, spread):
    assert 0 < policy.delay(attempt, spread) <= policy.ceiling


@given(POLICIES, st.integers(1, 100), SPREADS)
def test_a_delay_is_the_doubled_one_spread_by_the_jitter(policy, attempt, spread):
    exact = min(policy.ceiling, policy.first * 2 ** (attempt - 1))
    delay = policy.delay(attempt, spread)
    assert delay == pytest.approx(min(policy.ceiling, exact * (1 + policy.jitter * spread)))
    assert policy.delay(attempt, -1) <= delay <= policy.delay(attempt, 1)


@given(POLICIES, st.integers(1, 100), SPREADS)
def test_a_later_attempt_never_waits_less(policy, attempt, spread):
    assert policy.delay(attempt, spread) <= policy.delay(attempt + 1, spread)


@given(st.lists(st.floats(0, 50), max_size=50), st.floats(0.1, 100), st.floats(0, 100))
def test_a_window_holds_what_is_younger_than_its_period(gaps, period, wait):
    window, times, now = Window(period), [], 0.0
    for gap in gaps:
        now += gap
        times.append(now)
        assert window.add(now) == sum(time > now - period for time in times)
    now += wait
    assert window.count(now) == sum(time > now - period for time in times)


@pytest.mark.parametrize(
    "wrong",
    [
        {"first": 0.0},
        {"ceiling": -1.0},
        {"jitter": 1.0},
        {"jitter": -0.1},
        {"intensity": -1},
        {"period": 0.0},
    ],
)
def test_a_policy_that_makes_no_sense_is_not_accepted(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        RestartPolicy(**wrong)
