"""What the controller decides: the tables of docs/reconciliation.md, row by row, and that they leave nothing out."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import pytest

from search.contract.states import JobState, StudyState
from services.control.reconciliation import (
    MAX_SUBMISSIONS,
    GiveUp,
    GiveUpTask,
    StartPool,
    StartTask,
    Step,
    Stop,
    Submit,
    plan,
)
from services.control.tasks import MAX_LOST
from services.records.studies import ActiveStudy
from services.records.tasks import Task

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


def studies_of(case: list[str]) -> Iterator[ActiveStudy]:
    """Every study that a row of the table stands for."""
    study, driver, lease, in_a_row, _ = case
    for state, overdue, submissions in product(STATES[study], LEASES[lease], SUBMISSIONS[in_a_row]):
        yield ActiveStudy(
            id="study-1",
            job_id=None if driver == "none" else LAST,
            job_attempt=0 if driver == "none" else 3,
            state=state,
            overdue=overdue,
            submissions=submissions,
            searched_at=datetime(2026, 1, 1, tzinfo=UTC) if study == "searched" else None,
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
        assert plan([row], KNOWN[case[1]]) == expected_of_study(case[-1], row)


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
        task = Task(kind="training", row_id="study-1", state=JobState(state), attempts=attempts, lost=lost)
        steps: dict[str, list[Step]] = {
            "nothing": [],
            "start the next": [StartTask(task=task, attempt=attempts + 1)],
            "start the same": [StartTask(task=task, attempt=attempts)],
            "give up": [GiveUpTask(task=task)],
        }
        assert plan([], KNOWN[job], tasks=[task]) == steps[step]


def test_the_rows_of_tasks_cover_every_case_once() -> None:
    written = [(task, job, lost) for task, job, limits, _ in TASK_CASES for lost in set(LOST[limits]) & {1, MAX_LOST}]
    jobs = product(("QUEUED", "RUNNING"), ("unknown", "ended", "alive"), (1, MAX_LOST))
    assert sorted(written) == sorted([*jobs, ("QUEUED", "none", 1)])


@pytest.mark.parametrize(
    ("waiting_jobs", "known", "expected"),
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
    waiting_jobs: int, known: dict[str, bool], expected: list[Step]
) -> None:
    assert plan([], known, waiting_jobs=waiting_jobs) == expected
