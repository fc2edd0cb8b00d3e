"""Totals: what is kept as it happens is what counting would find."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from search.contract.states import ANSWERED_TRIAL_STATES, StudyState, TrialState
from services.store import studies, totals, trials
from services.store.tables import totals as totals_table
from services.store.tables import trials as trials_table
from services.studies import commands, life_cycle
from tests.integration.records import make_study, make_trial
from tests.integration.security import serving


def _kept(engine: Engine, study_id: str, name: str) -> dict[str, float]:
    query = select(totals_table.c.label, totals_table.c.amount).where(
        totals_table.c.study_id == study_id, totals_table.c.name == name, totals_table.c.amount != 0
    )
    with engine.connect() as connection:
        return {row.label: row.amount for row in connection.execute(query)}


def _counted(engine: Engine, study_id: str) -> dict[str, float]:
    query = select(trials_table.c.state, func.count()).where(trials_table.c.study_id == study_id)
    with engine.connect() as connection:
        return {str(state): count for state, count in connection.execute(query.group_by(trials_table.c.state))}


def test_totals_are_what_counting_finds(engine: Engine) -> None:
    study_id, other_id = make_study(engine), make_study(engine)
    for state in (*TrialState, TrialState.COMPLETED, TrialState.RUNNING):
        make_trial(engine, study_id, state)
    make_trial(engine, other_id)
    assert _kept(engine, study_id, "trials") == _counted(engine, study_id)
    commands.cancel(engine, study_id)
    assert _kept(engine, study_id, "trials") == _counted(engine, study_id)
    assert _counted(engine, study_id)["CANCELLED"] == 3
    answered = sum(_counted(engine, study_id)[state] for state in ANSWERED_TRIAL_STATES)
    ruled_out = 1
    assert _kept(engine, study_id, "spent") == {"": answered - ruled_out}
    assert _kept(engine, study_id, "trial_seconds")["CANCELLED"] > 0
    assert _kept(engine, other_id, "trials") == {"COMPLETED": 1}


def test_what_is_rolled_back_is_not_counted(engine: Engine) -> None:
    study_id = make_study(engine)

    def fail() -> None:
        with engine.begin() as connection:
            totals.add(connection, study_id, "leases_lost", 1, label="search")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    make_trial(engine, study_id)
    assert _kept(engine, study_id, "leases_lost") == {}


def test_parallel_writers_of_many_studies_lose_nothing_and_never_lock_each_other_up(engine: Engine) -> None:
    study_ids = [make_study(engine) for _ in range(3)]

    def write(number: int) -> None:
        with engine.begin() as connection:
            for study_id in study_ids if number % 2 else reversed(study_ids):
                totals.add(connection, study_id, "spent", 1)
                totals.add(connection, study_id, "trials", 1, label=TrialState.RUNNING)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(80)))
    for study_id in study_ids:
        assert _kept(engine, study_id, "spent") == {"": 80}


def test_a_study_is_shown_with_its_phase_and_progress(engine: Engine) -> None:
    study_id = make_study(engine, compression={"recipes": ["fp32"], "max_candidates": 1})
    make_trial(engine, study_id, f1=0.7)
    make_trial(engine, study_id, f1=0.8)
    with engine.begin() as connection:
        _, progress = studies.get_with_progress(connection, study_id)
        assert (progress.spent, progress.best_f1, progress.compression) == (2, 0.8, {})
        life_cycle.end_search(connection, study_id, reason=None)
        assert studies.get_with_progress(connection, study_id)[1].compression == {"QUEUED": 1}
        assert trials.next_number(connection, study_id) == 2


def test_prometheus_finds_every_figure_by_state_and_by_study(database_url: str, engine: Engine, tmp_path: Path) -> None:
    study_id = make_study(engine)
    make_trial(engine, study_id)
    make_trial(engine, make_study(engine, StudyState.CANCELLED))
    with engine.begin() as connection:
        totals.add(connection, study_id, "sampler_seconds", 1.5)
        totals.add(connection, study_id, "leases_lost", 1, label="search")
    with serving(database_url, tmp_path) as client:
        figures = client.get("/metrics").text
    for line in (
        'seedleaf_studies{state="RUNNING"} 1.0',
        'seedleaf_trials{state="COMPLETED"} 2.0',
        'seedleaf_leases_lost_total{what="search"} 1.0',
        "seedleaf_sampler_seconds_total 1.5",
        "seedleaf_benchmark_seconds_total 0.0",
        f'seedleaf_study_trials{{state="COMPLETED",study_id="{study_id}"}} 1.0',
        f'seedleaf_study_sampler_seconds_total{{study_id="{study_id}"}} 1.5',
    ):
        assert line in figures.splitlines(), line
