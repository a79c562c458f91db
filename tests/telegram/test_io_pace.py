"""Laws of the limits, as arithmetic: no stretch of time ever holds more than it may."""

from hypothesis import given
from hypothesis import strategies as st

from ryzen.telegram.pace import Bucket, Paces, Window

gaps = st.lists(st.floats(0, 90, allow_nan=False), min_size=1, max_size=120)


def departures(pace: Bucket | Window | Paces, arrivals: list[float]) -> list[float]:
    """When each goes, if each goes as soon as it may."""
    now, gone = 0.0, []
    for gap in arrivals:
        now = max(now, now + gap)
        moment = pace.ready(now)
        assert moment >= now
        pace.take(moment)
        gone.append(moment)
    return gone


@given(gaps, st.integers(1, 30), st.floats(0.1, 60))
def test_no_window_wherever_it_is_laid_holds_more_than_its_count(
    arrivals: list[float], count: int, period: float
) -> None:
    gone = departures(Window(count, period), [gap / 20 for gap in arrivals])
    for first, one_too_many in zip(gone, gone[count:], strict=False):
        assert one_too_many - first >= period - 1e-6


@given(gaps, st.integers(1, 5), st.floats(0.1, 5))
def test_a_bucket_gives_a_burst_and_then_its_rate(arrivals: list[float], burst: int, interval: float) -> None:
    gone = departures(Bucket(burst, interval), [gap / 20 for gap in arrivals])
    for i, start in enumerate(gone):
        for n, end in enumerate(gone[i:], start=1):
            assert n <= burst + (end - start) / interval + 1e-6


@given(gaps)
def test_nobody_waits_longer_than_the_limits_need(arrivals: list[float]) -> None:
    """The earliest of all lawful schedules: one that goes at its arrival or exactly when a limit lets it."""
    gone = departures(Paces(Bucket(3, 1.0), Window(20, 60.0)), arrivals)
    now, refill = 0.0, 0.0
    for i, (gap, moment) in enumerate(zip(arrivals, gone, strict=True)):
        now += gap
        lawful = [now, gone[i - 1] if i else 0.0, gone[i - 20] + 60.0 if i >= 20 else 0.0, refill - 2.0]
        assert moment <= max(lawful) + 1e-6
        refill = max(refill, moment) + 1.0


def test_order_is_kept_when_places_are_booked_ahead() -> None:
    window = Window(1, 1.0)
    booked = []
    for _ in range(4):
        moment = window.ready(0.0)
        window.take(moment)
        booked.append(moment)
    assert booked == [0.0, 1.0, 2.0, 3.0]
