from hypothesis import given
from hypothesis import strategies as st

from search.tune.next_point import FinishedTrial, next_point

WORK = st.floats(min_value=1, max_value=1e12)
WAITING = st.dictionaries(st.text(min_size=1, max_size=3), WORK, max_size=6)
FINISHED = st.lists(st.builds(FinishedTrial, WORK, st.floats(min_value=0, max_value=1e5)), max_size=4)


def test_without_a_limit_of_minutes_the_first_point_runs() -> None:
    assert next_point({"a": 900.0, "b": 1.0}, running=[1.0], finished=[], seconds_left=None) == "a"


def test_before_a_trial_has_finished_only_points_of_little_work_run() -> None:
    waiting = {"whole": 900.0, "half": 190.0, "least": 100.0}
    assert next_point(waiting, running=[], finished=[], seconds_left=60.0) == "half"
    assert next_point(waiting, running=[10.0], finished=[], seconds_left=60.0) is None


def test_the_costliest_finished_trial_sets_the_pace() -> None:
    finished = [FinishedTrial(work=10.0, seconds=9.0), FinishedTrial(work=100.0, seconds=20.0)]
    # 100 units took 20 s: half of 60 s is enough for 150.
    assert next_point({"a": 151.0}, running=[], finished=finished, seconds_left=60.0) is None
    assert next_point({"a": 151.0, "b": 149.0}, running=[], finished=finished, seconds_left=60.0) == "b"


@given(WAITING, st.lists(WORK, max_size=3), FINISHED, st.floats(min_value=0, max_value=1e5))
def test_more_minutes_never_hold_back_more_points(
    waiting: dict[str, float], running: list[float], finished: list[FinishedTrial], seconds: float
) -> None:
    ids = list(waiting)
    chosen = [
        next_point(waiting, running=running, finished=finished, seconds_left=left) for left in (seconds, 2 * seconds)
    ]
    assert chosen[0] is None or (chosen[1] is not None and ids.index(chosen[1]) <= ids.index(chosen[0]))
