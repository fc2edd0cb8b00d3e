from hypothesis import given
from hypothesis import strategies as st

from search.tune.next_point import TrainedWork, WaitingPoint, next_point

WORK = st.floats(min_value=1, max_value=1e12)
WAITING = st.dictionaries(st.text(min_size=1, max_size=3), st.builds(WaitingPoint, WORK, st.booleans()), max_size=6)
TRAINED = st.lists(st.builds(TrainedWork, WORK, st.floats(min_value=0, max_value=1e5)), max_size=4)


def test_without_a_limit_of_minutes_the_first_point_runs() -> None:
    waiting = {"a": WaitingPoint(900.0, is_yardstick=True), "b": WaitingPoint(1.0)}
    assert next_point(waiting, trained=[], seconds_left=None) == "a"


def test_before_the_first_epoch_the_point_of_the_least_work_runs() -> None:
    waiting = {"plain": WaitingPoint(50.0, is_yardstick=True), "whole": WaitingPoint(900.0), "cut": WaitingPoint(100.0)}
    assert next_point(waiting, trained=[], seconds_left=60.0) == "cut"
    assert next_point({"plain": waiting["plain"]}, trained=[], seconds_left=60.0) is None


def test_the_trial_of_the_most_work_sets_the_pace() -> None:
    trained = [TrainedWork(work=10.0, seconds=9.0), TrainedWork(work=100.0, seconds=20.0)]
    # 100 units took 20 s, so 54 s, nine tenths of the time that is left, are enough for 270.
    waiting = {"long": WaitingPoint(271.0), "short": WaitingPoint(269.0)}
    assert next_point(waiting, trained=trained, seconds_left=60.0) == "short"
    assert next_point({"long": waiting["long"]}, trained=trained, seconds_left=60.0) is None


def test_a_yardstick_leaves_half_of_the_time() -> None:
    trained = [TrainedWork(work=100.0, seconds=20.0)]
    assert next_point({"plain": WaitingPoint(151.0, is_yardstick=True)}, trained=trained, seconds_left=60.0) is None
    assert next_point({"plain": WaitingPoint(149.0, is_yardstick=True)}, trained=trained, seconds_left=60.0) == "plain"


@given(WAITING, TRAINED, st.floats(min_value=0, max_value=1e5))
def test_more_minutes_never_hold_back_more_points(
    waiting: dict[str, WaitingPoint], trained: list[TrainedWork], seconds: float
) -> None:
    ids = list(waiting)
    chosen = [next_point(waiting, trained=trained, seconds_left=left) for left in (seconds, 2 * seconds)]
    assert chosen[0] is None or (chosen[1] is not None and ids.index(chosen[1]) <= ids.index(chosen[0]))
