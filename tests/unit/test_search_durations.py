import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.tune.durations import Durations, Training, WaitingPoint, next_point

TRAININGS = st.builds(Training, macs=st.floats(min_value=1, max_value=1e10), epochs=st.integers(1, 50))
WAITING = st.dictionaries(
    st.text(min_size=1, max_size=3), st.builds(WaitingPoint, training=TRAININGS, is_yardstick=st.booleans()), max_size=6
)
SEEN = st.lists(st.tuples(TRAININGS, st.floats(min_value=0, max_value=1e5)), max_size=4)


def durations(*seen: tuple[Training, float]) -> Durations:
    result = Durations()
    for trial, (training, seconds) in enumerate(seen):
        result.note(trial, training, seconds)
    return result


def point(macs: float, *, is_yardstick: bool = False) -> WaitingPoint:
    return WaitingPoint(training=Training(macs=macs, epochs=1), is_yardstick=is_yardstick)


def test_before_the_first_epoch_nothing_is_expected() -> None:
    assert durations().expected_s(Training(macs=1.0, epochs=1)) is None


def test_after_epochs_of_one_network_the_seconds_are_proportional_to_the_work() -> None:
    seen = durations((Training(macs=1e6, epochs=2), 10.0), (Training(macs=1e6, epochs=1), 5.0))
    assert seen.expected_s(Training(macs=3e6, epochs=4)) == pytest.approx(60.0)


def test_epochs_of_one_trial_add_up() -> None:
    seen = Durations()
    for seconds in (1.0, 3.0):
        seen.note("trial", Training(macs=1e6, epochs=1), seconds)
    assert seen.expected_s(Training(macs=1e6, epochs=1)) == pytest.approx(2.0)


def test_an_epoch_has_a_constant_part_and_one_that_grows_with_the_network() -> None:
    seen = durations((Training(macs=1e6, epochs=1), 3.0), (Training(macs=3e6, epochs=1), 5.0))
    assert seen.expected_s(Training(macs=10e6, epochs=2)) == pytest.approx(24.0)


def test_where_all_networks_take_as_long_a_larger_one_does_too() -> None:
    seen = durations((Training(macs=1e6, epochs=1), 3.0), (Training(macs=3e6, epochs=1), 3.0))
    assert seen.expected_s(Training(macs=1e9, epochs=1)) == pytest.approx(3.0)


@given(SEEN, TRAININGS)
def test_no_training_is_expected_to_take_less_than_no_time(
    seen: list[tuple[Training, float]], training: Training
) -> None:
    expected_s = durations(*seen).expected_s(training)
    assert (expected_s is None) == (not seen)
    assert expected_s is None or 0 <= expected_s < float("inf")


def test_a_training_that_outlasts_the_minutes_does_not_start_once_two_networks_were_seen() -> None:
    one = (Training(macs=1e6, epochs=1), 3.0)
    two = durations(one, (Training(macs=3e6, epochs=1), 5.0))
    long = Training(macs=10e6, epochs=2)
    assert two.ends_in_time(long, seconds_left=24.1)
    assert not two.ends_in_time(long, seconds_left=23.9)
    assert two.ends_in_time(long, seconds_left=None)
    assert durations(one).ends_in_time(long, seconds_left=1.0)


def test_without_a_limit_of_minutes_the_first_point_runs() -> None:
    assert next_point({"a": point(900.0, is_yardstick=True), "b": point(1.0)}, durations(), seconds_left=None) == "a"


def test_before_the_first_epoch_the_point_of_the_least_work_runs() -> None:
    waiting = {"plain": point(50.0, is_yardstick=True), "whole": point(900.0), "cut": point(100.0)}
    assert next_point(waiting, durations(), seconds_left=60.0) == "cut"
    assert next_point({"plain": waiting["plain"]}, durations(), seconds_left=60.0) is None


def test_a_point_runs_if_it_leaves_a_tenth_of_the_time_and_a_yardstick_if_it_leaves_half() -> None:
    seen = durations((Training(macs=5.0, epochs=1), 1.0))
    for is_yardstick, most_s in ((False, 54.0), (True, 30.0)):
        for seconds, expected in ((most_s + 1, None), (most_s - 1, "a")):
            waiting = {"a": point(5 * seconds, is_yardstick=is_yardstick)}
            assert next_point(waiting, seen, seconds_left=60.0) == expected


@given(WAITING, SEEN, st.floats(min_value=0, max_value=1e5))
def test_more_minutes_never_hold_back_more_points(
    waiting: dict[str, WaitingPoint], seen: list[tuple[Training, float]], seconds: float
) -> None:
    ids = list(waiting)
    chosen = [next_point(waiting, durations(*seen), seconds_left=left) for left in (seconds, 2 * seconds)]
    assert chosen[0] is None or (chosen[1] is not None and ids.index(chosen[1]) <= ids.index(chosen[0]))
