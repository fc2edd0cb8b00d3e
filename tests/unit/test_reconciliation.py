"""What the controller decides: the tables of docs/reconciliation.md, row by row, and that they leave nothing out."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import pytest

from search.contract.states import JobState, StudyState
from search.study.run_spec import ResourcesSpec
from services.control.reconciliation import (
    MAX_SUBMISSIONS,
    WAITS_FOR_A_NODE,
    WAITS_FOR_A_PLACE,
    Explain,
    ExplainTask,
    GiveUp,
    GiveUpTask,
    PutBack,
    StartPool,
    StartTask,
    Step,
    Stop,
    Submit,
    plan,
)
from services.control.tasks import MAX_LOST
from services.ray.capacity import Capacity, Offer
from services.records.studies import ActiveStudy
from services.records.tasks import Task, TaskKind

_DOCUMENT = Path(__file__).parents[2] / "docs" / "reconciliation.md"
LAST = "study-1-3"
KNOWN = {"unknown": {}, "none": {}, "alive": {LAST: True}, "ended": {LAST: False}}
STATES = {
    "QUEUED": [StudyState.QUEUED],
    "searching": [StudyState.RUNNING],
    "searched": [StudyState.RUNNING],
    "PAUSED": [StudyState.PAUSED],
    "over": [StudyState.COMPLETED, StudyState.FAILED, StudyState.CANCELLED],
}
LEASES = {"in time": [False], "overdue": [True], "any": [False, True]}
SUBMISSIONS = {"below 5": [0, 1, MAX_SUBMISSIONS - 1], "5": [MAX_SUBMISSIONS], "any": [0, 1, MAX_SUBMISSIONS]}
LOST = {"below 3": [1, MAX_LOST - 1], "3": [MAX_LOST], "any": [1, MAX_LOST]}


def table(heading: str) -> list[list[str]]:
    section = _DOCUMENT.read_text().partition(f"\n## {heading}")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


STUDY_CASES, TASK_CASES = table("A study and its driver"), table("A task")
QUEUE_CASES = table("Who is next")
ROOMY = Capacity(searches=9, tasks=9, offers=[Offer(cpus=2, gpus=0)])
START = datetime(2026, 1, 1, tzinfo=UTC)


def make_study(number: int, state: StudyState = StudyState.QUEUED, **changes: object) -> ActiveStudy:
    """The ``number``-th study that was posted, which waits for its first driver."""
    values: dict[str, object] = {
        "id": f"study-{number}",
        "state": state,
        "reason": None,
        "resources": ResourcesSpec(),
        "queued_at": START + timedelta(minutes=number),
        "job_id": None,
        "job_attempt": 0,
        "overdue": False,
        "submissions": 0,
        "searched_at": None,
    }
    return ActiveStudy(**(values | changes))  # type: ignore[arg-type]


def make_task(number: int, kind: TaskKind = "training", **changes: object) -> Task:
    values: dict[str, object] = {
        "kind": kind,
        "row_id": f"{kind}-{number}",
        "state": JobState.QUEUED,
        "attempts": 0,
        "lost": 0,
        "reason": None,
        "resources": None,
        "may_run": True,
    }
    return Task(**(values | changes))  # type: ignore[arg-type]


def capacity(*, searches: int = 1, tasks: int = 1, cpus: float = 2) -> Capacity:
    return Capacity(searches=searches, tasks=tasks, offers=[Offer(cpus=cpus, gpus=0)])


def studies_of(case: list[str]) -> Iterator[ActiveStudy]:
    """Every study that a row of the table stands for."""
    study, driver, lease, in_a_row, _ = case
    for state, overdue, submissions in product(STATES[study], LEASES[lease], SUBMISSIONS[in_a_row]):
        yield make_study(
            1,
            state,
            job_id=None if driver == "none" else LAST,
            job_attempt=0 if driver == "none" else 3,
            overdue=overdue,
            submissions=submissions,
            searched_at=START if study == "searched" else None,
        )


def expected_of_study(step: str, row: ActiveStudy) -> list[Step]:
    def submit(attempt: int) -> Step:
        return Submit(study_id="study-1", state=row.state, seen=row.job_attempt, attempt=attempt)

    steps: dict[str, list[Step]] = {
        "nothing": [],
        "submit the next": [submit(row.job_attempt + 1)],
        "submit the same": [submit(row.job_attempt)],
        "give up": [GiveUp(study_id="study-1", job_id=row.job_id)],
        "stop": [Stop(job_id=LAST)],
    }
    return steps[step]


@pytest.mark.parametrize("case", STUDY_CASES, ids=", ".join)
def test_a_study_gets_the_step_of_its_row(case: list[str]) -> None:
    for row in studies_of(case):
        assert plan([row], KNOWN[case[1]], ROOMY) == expected_of_study(case[-1], row)


def test_the_rows_of_studies_cover_every_case_once() -> None:
    possible = product(STATES, ("none", "unknown", "ended", "alive"), (False, True), SUBMISSIONS["any"])
    # A study that runs has had a driver.
    cases = [case for case in possible if case[0] not in ("searching", "searched") or case[1] != "none"]
    written = [
        (study, driver, overdue, submissions)
        for study, driver, lease, in_a_row, _ in STUDY_CASES
        for overdue, submissions in product(LEASES[lease], set(SUBMISSIONS[in_a_row]) & set(SUBMISSIONS["any"]))
    ]
    assert sorted(written) == sorted(cases)


@pytest.mark.parametrize("case", TASK_CASES, ids=", ".join)
def test_a_task_gets_the_step_of_its_row(case: list[str]) -> None:
    state, job, lost_before, step = case
    for lost in LOST[lost_before]:
        attempts = 0 if job == "none" else 3
        task = make_task(1, row_id="study-1", state=JobState(state), attempts=attempts, lost=lost)
        steps: dict[str, list[Step]] = {
            "nothing": [],
            "start the next": [StartTask(task=task, attempt=attempts + 1)],
            "start the same": [StartTask(task=task, attempt=attempts)],
            "give up": [GiveUpTask(task=task)],
        }
        assert plan([], KNOWN[job], ROOMY, tasks=[task]) == steps[step]


@pytest.mark.parametrize(("job", "steps"), [("alive", [Stop(job_id=LAST)]), ("ended", []), ("unknown", [])])
def test_the_job_of_a_cancelled_task_is_stopped(job: str, steps: list[Step]) -> None:
    assert plan([], KNOWN[job], ROOMY, stray_jobs=[LAST]) == steps


def test_the_rows_of_tasks_cover_every_case_once() -> None:
    written = [(task, job, lost) for task, job, limits, _ in TASK_CASES for lost in set(LOST[limits]) & {1, MAX_LOST}]
    jobs = product(("QUEUED", "RUNNING"), ("unknown", "ended", "alive"), (1, MAX_LOST))
    assert sorted(written) == sorted([*jobs, ("QUEUED", "none", 1)])


@pytest.mark.parametrize(
    ("compression", "known", "expected"),
    [
        (0, {}, []),
        (3, {}, [StartPool(job_id="compression-pool-1")]),
        (3, {LAST: True}, [StartPool(job_id="compression-pool-1")]),
        (3, {"compression-pool-1": False}, [StartPool(job_id="compression-pool-2")]),
        (3, {"compression-pool-1": False, "compression-pool-2": True}, []),
        (0, {"compression-pool-1": False}, []),
    ],
)
def test_a_pool_is_started_when_jobs_wait_and_none_lives(
    compression: int, known: dict[str, bool], expected: list[Step]
) -> None:
    assert plan([], known, ROOMY, compression=compression) == expected


def submit(study: ActiveStudy) -> Submit:
    return Submit(study_id=study.id, state=study.state, seen=study.job_attempt, attempt=study.job_attempt + 1)


@pytest.mark.parametrize("case", QUEUE_CASES, ids=", ".join)
def test_a_study_that_needs_a_driver_gets_the_step_of_its_row(case: list[str]) -> None:
    before, large_enough, places, step = case
    runs = make_study(1, StudyState.RUNNING, queued_at=None, job_id="study-1-1", job_attempt=1)
    lost = {"state": StudyState.RUNNING, "queued_at": None, "job_id": "study-2-1", "job_attempt": 1}
    needing = make_study(2, **(lost if before == "was lost" else {}))  # type: ignore[arg-type]
    room = capacity(searches=2 if places == "free" else 1, cpus=2 if large_enough == "yes" else 0.5)
    known = {"study-1-1": True, "study-2-1": False}
    (taken,) = [each for each in plan([needing, runs], known, room) if each != told(runs, room)]
    reason = WAITS_FOR_A_PLACE if large_enough == "yes" else f"{WAITS_FOR_A_NODE}: {room.shortfall(needing.resources)}"
    steps: dict[str, Step] = {
        "start": submit(needing),
        "put back": PutBack(study_id=needing.id, state=needing.state, seen=needing.job_attempt, reason=reason),
        "say why": Explain(study_id=needing.id, state=needing.state, reason=reason),
    }
    assert taken == steps[step]


def told(study: ActiveStudy, room: Capacity) -> Step | None:
    """What a study with a driver is told where no node is large enough for it."""
    shortfall = room.shortfall(study.resources)
    return (
        None
        if shortfall is None
        else Explain(study_id=study.id, state=study.state, reason=f"{WAITS_FOR_A_NODE}: {shortfall}")
    )


def test_the_rows_of_the_queue_cover_every_case_once() -> None:
    assert sorted(case[:3] for case in QUEUE_CASES) == sorted(
        list(case) for case in product(("was lost", "waits"), ("yes", "no"), ("free", "none"))
    )


def test_of_five_studies_the_two_that_wait_longest_start_and_the_others_are_told_once() -> None:
    queued = [make_study(number) for number in (4, 1, 5, 2, 3)]
    steps = plan(queued, {}, capacity(searches=2))
    assert steps[:2] == [submit(make_study(1)), submit(make_study(2))]
    assert steps[2:] == [
        Explain(study_id=f"study-{number}", state=StudyState.QUEUED, reason=WAITS_FOR_A_PLACE) for number in (3, 4, 5)
    ]
    told_already = [make_study(number, reason=WAITS_FOR_A_PLACE) for number in (3, 4, 5)]
    runs = [make_study(n, StudyState.RUNNING, queued_at=None, job_id=f"study-{n}-1", job_attempt=1) for n in (1, 2)]
    assert plan([*runs, *told_already], {"study-1-1": True, "study-2-1": True}, capacity(searches=2)) == []


def test_a_study_waits_from_when_it_was_queued_and_not_from_when_it_was_posted() -> None:
    resumed = make_study(1, queued_at=START + timedelta(hours=1))
    assert plan([resumed, make_study(2)], {}, capacity())[0] == submit(make_study(2))


def test_a_driver_that_is_left_of_a_paused_or_ended_study_keeps_its_place() -> None:
    for state in (StudyState.PAUSED, StudyState.CANCELLED):
        leaving = make_study(1, state, queued_at=None, job_id="study-1-1", job_attempt=1)
        waits = make_study(2, reason=WAITS_FOR_A_PLACE)
        assert plan([leaving, waits], {"study-1-1": True}, capacity()) == []
        assert plan([leaving, waits], {"study-1-1": False}, capacity()) == [submit(waits)]


def test_a_study_that_no_node_can_run_holds_up_no_other() -> None:
    giant = make_study(1, resources=ResourcesSpec(cpus_per_trial=64))
    told_why, started = plan([giant, make_study(2)], {}, capacity())
    assert isinstance(told_why, Explain)
    assert told_why.reason == "waits for a node: no node has 64 CPUs for a trial (the nodes have: 2 CPUs)"
    assert started == submit(make_study(2))


def test_a_study_whose_nodes_have_left_says_so_and_says_no_more_when_they_are_back() -> None:
    runs = make_study(1, StudyState.RUNNING, queued_at=None, job_id="study-1-1", job_attempt=1)
    (left,) = plan([runs], {"study-1-1": True}, capacity(cpus=0.5))
    assert isinstance(left, Explain)
    waits = make_study(1, StudyState.RUNNING, queued_at=None, job_id="study-1-1", job_attempt=1, reason=left.reason)
    assert plan([waits], {"study-1-1": True}, capacity(cpus=0.5)) == []
    back = Explain(study_id="study-1", state=StudyState.RUNNING, reason=None)
    assert plan([waits], {"study-1-1": True}, capacity()) == [back]


def test_each_kind_of_task_has_places_of_its_own_and_the_oldest_is_next() -> None:
    tasks = [make_task(number, kind) for kind in ("dataset", "training", "test_scoring") for number in (3, 2, 1)]
    started = plan([], {}, capacity(), tasks=tasks)
    assert {step.task.row_id for step in started if isinstance(step, StartTask)} == {
        "dataset-1",
        "training-1",
        "test_scoring-1",
    }
    assert len(started) == 3


def test_a_task_that_was_lost_comes_before_those_that_wait() -> None:
    lost = make_task(9, state=JobState.RUNNING, attempts=1, lost=1)
    assert plan([], {"training-9-1": False}, capacity(), tasks=[make_task(1), lost]) == [
        StartTask(task=lost, attempt=2)
    ]


def test_the_job_of_a_paused_study_keeps_its_place_and_is_not_started_again() -> None:
    paused = make_task(1, state=JobState.RUNNING, attempts=1, may_run=False)
    assert plan([], {"training-1-1": True}, capacity(), tasks=[paused, make_task(2)]) == []
    assert plan([], {"training-1-1": False}, capacity(), tasks=[paused, make_task(2)]) == [
        StartTask(task=make_task(2), attempt=1)
    ]


def test_a_training_that_no_node_can_run_says_so_once_and_holds_up_no_other() -> None:
    giant = make_task(1, resources=ResourcesSpec(cpus_per_trial=64))
    told_why, started = plan([], {}, capacity(), tasks=[giant, make_task(2)])
    assert isinstance(told_why, ExplainTask)
    assert started == StartTask(task=make_task(2), attempt=1)
    told_already = make_task(1, resources=giant.resources, reason=told_why.reason)
    assert plan([], {}, capacity(), tasks=[told_already]) == []


def test_the_jobs_of_a_deleted_study_are_stopped_while_they_live() -> None:
    known, stray = {"study-1-3": True, "training-1-1": False}, ["study-1-3", "training-1-1", "scoring-1-1"]
    assert plan([], known, ROOMY, stray_jobs=stray) == [Stop(job_id="study-1-3")]


def test_without_room_nothing_is_started_that_writes_files_and_no_other_reason_is_given() -> None:
    queued = [make_study(number) for number in (1, 2)]
    stuck = replace(make_study(3, StudyState.RUNNING, job_id=LAST, job_attempt=3), overdue=True)
    tasks = [make_task(1, "dataset"), make_task(1), make_task(1, "test_scoring")]
    steps = plan([*queued, stuck], {LAST: True}, capacity(), compression=1, tasks=tasks, has_room=False)
    assert steps == [Stop(job_id=LAST), StartTask(task=tasks[0], attempt=1)]
