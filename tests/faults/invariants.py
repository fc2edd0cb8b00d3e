"""I1 to I6: what must hold after every fault, as one function that every test of a fault calls."""

import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from shutil import which
from typing import Any, Protocol

import psutil
import pytest
from sqlalchemy import Connection, Engine, text

from search.contract.states import TERMINAL_STUDY_STATES
from services.errors import LeaseLostError
from services.records.on_test import TEST_COLUMNS
from services.store import jobs, studies
from tests.server import wait_for

#: A holder that is gone is noticed when its lease has run out; then the controller needs a round or two.
GRACE_S = 30
_FINISHED = {
    "trials": "SELECT * FROM seedleaf.trials WHERE state <> 'RUNNING'",
    "variants": "SELECT * FROM seedleaf.variants",
    "artifacts": "SELECT * FROM seedleaf.artifacts",
    "training_runs": "SELECT training_id || '/' || seed AS id, * FROM seedleaf.training_runs",
}
#: Written later than a trial's or a variant's end: by a training in full, and when the study's picks are scored.
_MAY_CHANGE = ("retrained_f1", "retrained_f1_deviation", *TEST_COLUMNS)


class Artifacts(Protocol):
    """A store whose ``get`` fails where a file is missing or is not what its name says."""

    def get(self, sha256: str, /) -> bytes: ...


@dataclass(frozen=True, kw_only=True)
class Witness:
    """What had been finished before a fault, by table and id, and who held which lease."""

    finished: Mapping[str, Mapping[str, Mapping[str, Any]]]
    study_tokens: Mapping[str, str]
    job_tokens: Mapping[str, str]


def witness(engine: Engine) -> Witness:
    with engine.connect() as connection:
        return Witness(
            finished={table: _rows(connection, query) for table, query in _FINISHED.items()},
            study_tokens=_tokens(connection, "studies"),
            job_tokens=_tokens(connection, "compression_jobs"),
        )


def check_invariants(
    engine: Engine,
    artifacts: Artifacts,
    before: Witness,
    *,
    processes: Callable[[], Iterable[psutil.Process]] = tuple,
) -> None:
    """AssertionError that names the invariant which does not hold.

    ``processes``: all that the cluster has started and that lives, of whatever parent.
    """
    with engine.connect() as connection:
        _no_finished_result_is_lost_or_changed(connection, before)
        _a_trial_ends_once_and_none_is_missing(connection)
        _nothing_is_past_its_lease(connection)
        _a_stale_holder_writes_nothing(connection, before)
        files = _column(connection, "SELECT DISTINCT sha256 FROM seedleaf.artifacts")
    for sha256 in files:
        artifacts.get(sha256)  # I5: fails where it is missing or its content has another sha256
    _no_process_is_left(engine, processes)
    _no_gpu_memory_is_left()


def _no_finished_result_is_lost_or_changed(connection: Connection, before: Witness) -> None:
    for table, rows in before.finished.items():
        now = _rows(connection, _FINISHED[table])
        for row_id, row in rows.items():
            assert row_id in now, f"I1: {table} {row_id} is lost"
            for name, value in row.items():
                assert name in _MAY_CHANGE or now[row_id][name] == value, f"I1: {table} {row_id}: {name} has changed"


def _a_trial_ends_once_and_none_is_missing(connection: Connection) -> None:
    told = """
        SELECT trial_id, count(*) FROM seedleaf.events
        WHERE kind = 'trial' AND payload ->> 'state' <> 'RUNNING' GROUP BY trial_id
    """
    ends = {row.trial_id: row.count for row in connection.execute(text(told))}
    trials = connection.execute(text("SELECT id, study_id, number, state FROM seedleaf.trials")).all()
    for trial in trials:
        expected = 0 if trial.state == "RUNNING" else 1
        assert ends.get(trial.id, 0) == expected, (
            f"I2: trial {trial.id} is {trial.state}, ended {ends.get(trial.id, 0)}x"
        )
    for study_id in {trial.study_id for trial in trials}:
        numbers = sorted(trial.number for trial in trials if trial.study_id == study_id)
        assert numbers == list(range(len(numbers))), f"I2: study {study_id} has trials {numbers}"


def _nothing_is_past_its_lease(connection: Connection) -> None:
    late = f"""
        SELECT id FROM seedleaf.compression_jobs
        WHERE state = 'RUNNING' AND lease_expires_at < now() - interval '{GRACE_S} seconds'
        UNION ALL
        SELECT id FROM seedleaf.studies WHERE state = 'RUNNING' AND searched_at IS NULL
        AND lease_expires_at < now() - interval '{GRACE_S} seconds'
        UNION ALL
        SELECT trials.id FROM seedleaf.trials JOIN seedleaf.studies ON studies.id = study_id
        WHERE trials.state = 'RUNNING' AND studies.state IN {_listed(TERMINAL_STUDY_STATES)}
    """
    assert not _column(connection, late), "I3: these are not over though nobody holds them"


def _a_stale_holder_writes_nothing(connection: Connection, before: Witness) -> None:
    holders = [(studies.lock_lease, before.study_tokens, "studies"), (jobs.hold, before.job_tokens, "compression_jobs")]
    for hold, tokens, table in holders:
        now = _tokens(connection, table)
        for row_id, token in tokens.items():
            if now.get(row_id) != token:
                with pytest.raises(LeaseLostError):
                    hold(connection, row_id, token)
    connection.rollback()


def _no_process_is_left(engine: Engine, processes: Callable[[], Iterable[psutil.Process]]) -> None:
    """A driver writes its study's end and then ends itself: what is there ``GRACE_S`` later is left behind."""

    def left() -> list[str]:
        with engine.connect() as connection:
            over = _column(
                connection, f"SELECT id FROM seedleaf.studies WHERE state IN {_listed(TERMINAL_STUDY_STATES)}"
            )
            running = _column(connection, "SELECT id FROM seedleaf.trials WHERE state = 'RUNNING'")
        commands = [_command(process) for process in processes()]
        of_the_ended = [command for command in commands if any(study_id in command for study_id in over)]
        return of_the_ended + [command for command in commands if "Trainable" in command and not running]

    try:
        wait_for(lambda: not left(), timeout_s=GRACE_S, what="processes to end")
    except AssertionError as error:
        raise AssertionError(f"I6: these outlive their study or trial by {GRACE_S} s: {left()}") from error


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _no_gpu_memory_is_left() -> None:
    if which("nvidia-smi") is None:
        return
    query = ["nvidia-smi", "--query-compute-apps=pid", "--format=csv,noheader"]
    holders = subprocess.run(query, capture_output=True, text=True, check=True).stdout.split()
    assert all(psutil.pid_exists(int(holder)) for holder in holders), "I6: a dead process holds memory of the GPU"


def _rows(connection: Connection, query: str) -> dict[str, Mapping[str, Any]]:
    return {row["id"]: dict(row) for row in connection.execute(text(query)).mappings()}


def _tokens(connection: Connection, table: str) -> dict[str, str]:
    query = f"SELECT id, lease_token FROM seedleaf.{table} WHERE lease_token IS NOT NULL"
    return {row.id: row.lease_token for row in connection.execute(text(query))}


def _column(connection: Connection, query: str) -> list[str]:
    return list(connection.execute(text(query)).scalars())


def _listed(states: Iterable[str]) -> str:
    return f"({', '.join(repr(str(state)) for state in states)})"
