"""What a study's winners are, one front for each host and runtime."""

from sqlalchemy import Engine

from search.contract.states import StudyState
from services.views import studies as study_views
from tests.integration.records import HOST, make_study, make_trial, make_variant


def test_every_host_and_runtime_has_a_front_and_picks_of_its_own(engine: Engine) -> None:
    study_id = make_study(engine, StudyState.COMPLETED)
    trial_id = make_trial(engine, study_id)

    def variant(f1: float, latency_ms: float, **values: object) -> str:
        bounds = {"latency_low_ms": latency_ms - 0.005, "latency_high_ms": latency_ms + 0.005}
        return make_variant(engine, study_id, trial_id, f1=f1, latency_ms=latency_ms, **bounds, **values)

    best, noise = variant(0.900, 0.200), variant(0.895, 0.198)
    dominated, fast = variant(0.890, 0.300), variant(0.700, 0.100, score=0.01)
    eager = variant(0.900, 0.900, runtime="torch")
    elsewhere = variant(0.900, 0.050, host="another host")

    with engine.connect() as connection:
        study_front = study_views.pareto(connection, study_id)
    fronts = {(front.host, front.runtime): front for front in study_front.variants}
    here = fronts[HOST, "onnxruntime"]
    assert [item.id for item in here.items] == [best, noise, fast]
    assert (here.recommended, here.ties, here.best_score) == (best, (noise,), fast)
    assert dominated not in [item.id for front in study_front.variants for item in front.items]
    assert fronts[HOST, "torch"].recommended == eager
    assert fronts["another host", "onnxruntime"].recommended == elsewhere
    assert len(fronts) == 3


def test_the_model_to_ship_is_that_of_the_host_that_the_trials_were_timed_on(engine: Engine) -> None:
    study_id = make_study(engine, StudyState.COMPLETED)
    trial_id = make_trial(engine, study_id)
    make_variant(engine, study_id, trial_id, host="another host")
    with engine.connect() as connection:
        assert study_views.pareto(connection, study_id).recommended is None
    here = make_variant(engine, study_id, trial_id)
    with engine.connect() as connection:
        assert study_views.pareto(connection, study_id).recommended == here
