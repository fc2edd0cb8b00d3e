"""A study as points: every trial of a small one, and of a large one those that shape the picture."""

import numpy as np
import pytest
from sqlalchemy import Engine

from search.contract.states import TrialState
from services.views.points import Points, points
from tests.integration.records import make_study, make_trial, make_variant

_TRIALS = 60


@pytest.fixture
def study_id(engine: Engine) -> str:
    random, study_id = np.random.default_rng(0), make_study(engine)
    for f1, latency_ms in random.random((_TRIALS, 2)).tolist():
        bounds = {"latency_low_ms": latency_ms, "latency_high_ms": latency_ms + 0.2}
        make_trial(engine, study_id, f1=f1, latency_ms=latency_ms + 0.1, **bounds)
    make_trial(engine, study_id, TrialState.FAILED)
    return study_id


def test_a_small_study_is_whole_with_the_values_that_were_asked_for(engine: Engine, study_id: str) -> None:
    with engine.connect() as connection:
        whole = points(connection, study_id, x="latency_ms", y="f1", most=100, parameters=["width", "unknown"])
    assert whole.total == len(whole.items) == _TRIALS
    assert [item.number for item in whole.items] == list(range(_TRIALS))
    assert whole.items[0].parameters == {"width": 8, "unknown": None}


def test_of_a_large_study_fronts_bests_and_parents_are_kept(engine: Engine, study_id: str) -> None:
    with engine.connect() as connection:
        whole = points(connection, study_id, x="latency_ms", y="f1", most=100, parameters=[])
    worst = min(whole.items, key=lambda item: item.metrics["f1"])
    make_variant(engine, study_id, worst.id)
    with engine.connect() as connection:
        thin = points(connection, study_id, x="latency_ms", y="f1", most=20, parameters=[])
    kept = {item.id for item in thin.items}
    assert thin.total == _TRIALS
    assert len(kept) < 40
    assert worst.id in kept
    best_f1 = -1.0
    for item in whole.items:
        f1, latency_ms = item.metrics["f1"], item.metrics["latency_ms"]
        dominated = any(other.metrics["f1"] > f1 and other.metrics["latency_ms"] < latency_ms for other in whole.items)
        assert dominated or item.id in kept
        assert f1 <= best_f1 or item.id in kept
        best_f1 = max(best_f1, f1)
    assert thin.hypervolume == whole.hypervolume


def test_the_hypervolume_never_shrinks(engine: Engine, study_id: str) -> None:
    with engine.connect() as connection:
        growth = points(connection, study_id, x="macs", y="f1", most=100, parameters=[]).hypervolume
    volumes = [point.hypervolume for point in growth]
    assert volumes == sorted(volumes)
    assert growth[-1].number == _TRIALS - 1
    assert volumes[-1] > 0


def test_a_study_without_trials_is_empty(engine: Engine) -> None:
    study_id = make_study(engine)
    with engine.connect() as connection:
        empty = points(connection, study_id, x="latency_ms", y="f1", most=100, parameters=["width"])
    assert empty == Points(items=[], total=0, hypervolume=[])
