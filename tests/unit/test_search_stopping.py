"""Early stopping with several objectives: forecasts from learning curves, verdicts, and what the search is told."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from ray.tune.schedulers import TrialScheduler

from search.contract.candidate import Candidate
from search.contract.epochs import CurvePoint, EpochReport
from search.contract.reports import CompletedTrial, Measurement, StoppedTrial, TrialReport
from search.contract.states import TrialState
from search.contract.trials import Cohort, PastTrial
from search.samplers.frontier import EXPECTED
from search.study.spec import StudySpec
from search.tune.codec import SuggestedTrial, encode_report, encode_suggestion
from search.tune.early_stopping import Stopping
from search.tune.scheduler import CurveForecastStopping
from tests.integration.records import CANDIDATE
from tests.unit.search_studies import OBJECTIVES, MemoryLog, make_search, tiny_spec

EPOCHS = 6
COHORT = Cohort(epochs=EPOCHS)


def spec_of(**fields: Any) -> StudySpec:
    return tiny_spec(scheduler={"name": "curve-forecast"}, budget={"epochs": EPOCHS}, **fields)


def curve_to(final: float, *, epochs: int = EPOCHS) -> list[CurvePoint]:
    """A training that comes to ``final``, the half of it after one epoch; its loss tells nothing."""
    return [CurvePoint(f1=final * (1 - 0.5 ** (epoch + 1)) / (1 - 0.5**EPOCHS), loss=1.0) for epoch in range(epochs)]


def reports_of(curve: list[CurvePoint], *, macs: float) -> list[TrialReport]:
    """What a trial with this learning curve reports before its last epoch."""
    costs = Measurement(metrics={"macs": macs})
    return [
        TrialReport(
            epoch=EpochReport(epoch=epoch, loss=loss, f1=f1, accuracy=f1, elapsed_s=1.0, steps_s=1.0), measurement=costs
        )
        for epoch, (f1, loss) in enumerate(curve, start=1)
    ]


def completed(final: float, macs: float) -> PastTrial:
    return PastTrial(
        number=0,
        state=TrialState.COMPLETED,
        assignment={"width": 8, "conv.block": "DWConv"},
        metrics={"f1": final, "macs": macs},
        curve=curve_to(final),
    )


def tune_trial(trial_id: str) -> SimpleNamespace:
    """What the scheduler reads of a trial of Tune's."""
    candidate = Candidate.model_validate(CANDIDATE)
    suggested = SuggestedTrial(trial_id=trial_id, candidate=candidate, cohort=COHORT, whole_gpu=False)
    return SimpleNamespace(trial_id=trial_id, config=encode_suggestion(suggested))


FIVE = [completed(final, macs) for final, macs in ((0.3, 50), (0.5, 100), (0.62, 150), (0.7, 200), (0.74, 400))]


def test_a_hopeless_trial_is_stopped_with_its_reason() -> None:
    reason = Stopping(spec_of(), FIVE).verdict({"macs": 250}, curve_to(0.4, epochs=2), COHORT)
    assert reason is not None
    assert reason.startswith("after epoch 2 of 6 its f1 is 0.305 and will hardly exceed 0.4")
    assert reason.endswith("another trial has 0.700 and is no worse in anything else")


@pytest.mark.parametrize(
    ("final", "macs"), [(0.4, 90), (0.8, 250), (0.1, 10)], ids=["cheap for its f1", "the best", "the cheapest"]
)
def test_what_may_still_come_onto_the_front_goes_on(final: float, macs: float) -> None:
    assert Stopping(spec_of(), FIVE).verdict({"macs": macs}, curve_to(final, epochs=2), COHORT) is None


def test_a_trial_is_compared_with_curves_of_its_own_family_and_epochs() -> None:
    spec = StudySpec.model_validate(
        {
            "name": "families",
            "dataset": {"source": "sklearn"},
            "space": {"architecture": ["mobile", "blocks-small"]},
            "objectives": OBJECTIVES,
            "budget": {"epochs": EPOCHS, "epochs_of": {"mobile": 3}},
            "scheduler": {"name": "curve-forecast"},
        }
    )
    mobile = spec.cohort_of({"family": "mobile"})
    stopping = Stopping(spec, [replace(trial, assignment={"family": "blocks-small"}) for trial in FIVE])
    hopeless = {"macs": 250}, curve_to(0.4, epochs=2)
    assert stopping.verdict(*hopeless, spec.cohort_of({"family": "blocks-small"})) is not None
    assert stopping.verdict(*hopeless, mobile) is None
    for final in (0.3, 0.5, 0.62, 0.7, 0.74):
        stopping.learn({"f1": final, "macs": 200}, curve_to(final)[:3], mobile)
    reason = stopping.verdict(*hopeless, mobile)
    assert reason is not None
    assert reason.startswith("after epoch 2 of 3")


def test_a_curve_that_tells_nothing_stops_nothing() -> None:
    """Its f1 is what every trial has after two epochs: a new trial in its place would have no better chance."""
    first = [CurvePoint(f1=0.1, loss=1.0)] * 2
    stopping = Stopping(spec_of(), [])
    for trial in FIVE:
        stopping.learn(trial.metrics, [*first, *trial.curve[2:]], COHORT)
    assert stopping.verdict({"macs": 1000}, first, COHORT) is None
    assert stopping.verdict({"macs": 1000}, [*first, CurvePoint(f1=0.2, loss=1.0)], COHORT) is not None


def test_a_loss_tells_what_the_f1_of_the_same_epoch_does_not() -> None:
    stopping = Stopping(spec_of(), [])
    for trial in FIVE:
        final = trial.metrics["f1"]
        stopping.learn(trial.metrics, [*[CurvePoint(f1=0.1, loss=2 - final)] * 2, *trial.curve[2:]], COHORT)
    curve = [CurvePoint(f1=0.1, loss=1.6)] * 2
    forecast = stopping.forecast(curve, COHORT)
    assert forecast is not None
    assert forecast.mean == pytest.approx(0.4, abs=0.01)
    assert stopping.verdict({"macs": 250}, curve, COHORT) is not None


def test_with_few_curves_at_first_or_at_the_end_nothing_is_stopped() -> None:
    hopeless = {"macs": 1000}
    assert Stopping(spec_of(), FIVE[:3]).verdict(hopeless, curve_to(0.1, epochs=2), COHORT) is None
    stopping = Stopping(spec_of(), FIVE)
    stopped = [
        epochs for epochs in range(1, EPOCHS + 1) if stopping.verdict(hopeless, curve_to(0.1, epochs=epochs), COHORT)
    ]
    assert stopped == [2, 3, 4, 5]


def test_a_cost_that_is_still_to_be_measured_may_be_the_best() -> None:
    latency = {"metric": "latency_ms", "goal": "minimize"}
    spec = spec_of(objectives=[{"metric": "f1", "goal": "maximize"}, latency])
    history = [
        PastTrial(
            number=0,
            state=TrialState.COMPLETED,
            assignment=trial.assignment,
            metrics={**trial.metrics, "latency_ms": 1.0},
            curve=trial.curve,
        )
        for trial in FIVE
    ]
    stopping = Stopping(spec, history)
    assert stopping.verdict({}, curve_to(0.1, epochs=2), COHORT) is None
    assert stopping.verdict({"latency_ms": 2.0}, curve_to(0.1, epochs=2), COHORT) is not None


@given(seed=st.integers(0, 1000), epochs=st.integers(1, EPOCHS - 1))
def test_a_forecast_holds_what_comes_in_most_cases(seed: int, epochs: int) -> None:
    rng = np.random.default_rng(seed)
    stopping, inside = Stopping(spec_of(), []), []
    for number in range(40):
        smooth = curve_to(rng.uniform(0.2, 0.8))
        curve = [CurvePoint(f1=look.f1 + rng.normal(0, 0.03), loss=2 - look.f1 + rng.normal(0, 0.1)) for look in smooth]
        if number >= 8:
            forecast = stopping.forecast(curve[:epochs], COHORT)
            assert forecast is not None
            inside.append(curve[-1].f1 <= forecast.mean + 2.5 * forecast.deviation)
        stopping.learn({"f1": curve[-1].f1, "macs": 1.0}, curve, COHORT)
    assert np.mean(inside) > 0.8


def test_the_scheduler_stops_by_the_verdict_and_learns_from_what_ends() -> None:
    stopping = Stopping(spec_of(), FIVE[:3])
    scheduler = CurveForecastStopping(stopping)
    for number, final in enumerate((0.7, 0.74)):
        trial = tune_trial(f"good{number}")
        *reports, last = reports_of(curve_to(final), macs=200)
        for report in reports:
            assert scheduler.on_trial_result(None, trial, encode_report(report)) == TrialScheduler.CONTINUE
        measurement = Measurement(metrics={"f1": final, "macs": 200})
        result = CompletedTrial(measurement=measurement)
        scheduler.on_trial_complete(None, trial, encode_report(replace(last, result=result)))
    hopeless = tune_trial("hopeless")
    decisions = [
        scheduler.on_trial_result(None, hopeless, encode_report(report))
        for report in reports_of(curve_to(0.1, epochs=2), macs=300)
    ]
    assert decisions == [TrialScheduler.CONTINUE, TrialScheduler.STOP]
    stopped = stopping.stopped["hopeless"]
    assert "hardly" in stopped.reason
    assert (stopped.measurement.metrics, stopped.curve) == ({"macs": 300}, tuple(curve_to(0.1, epochs=2)))


def test_the_search_is_told_of_a_stopped_trial_what_it_was_on_its_way_to() -> None:
    log, stopping = MemoryLog(budget=1), Stopping(spec_of(), FIVE)
    search = make_search(spec_of(), log, stopping=stopping)
    search.suggest("a")
    curve = curve_to(0.4, epochs=2)
    *_, last = reports_of(curve, macs=300)
    stopping.stopped["a"] = StoppedTrial(reason="hopeless", measurement=Measurement(metrics={}), curve=tuple(curve))
    search.on_trial_complete("a", encode_report(last))
    (trial,) = search._ot_study.trials
    (f1, deviation), (macs, exact) = trial.user_attrs[EXPECTED]
    assert f1 == pytest.approx(0.4, abs=0.01)
    assert (deviation < 0.05, exact) == (True, 0.0)
    stopped = PastTrial(
        number=1, state=TrialState.STOPPED, assignment=trial.params, metrics={"macs": macs}, curve=curve
    )
    (again,) = make_search(spec_of(), MemoryLog(budget=0), history=[stopped], stopping=stopping)._ot_study.trials
    assert (again.state, again.user_attrs[EXPECTED]) == (trial.state, trial.user_attrs[EXPECTED])


@pytest.mark.parametrize("metrics", [("accuracy", "macs"), ("f1", "score"), ("macs", "params")])
def test_a_scheduler_without_f1_or_beside_other_trained_metrics_is_refused(metrics: tuple[str, str]) -> None:
    with pytest.raises(ValidationError, match="make f1 an objective"):
        spec_of(objectives=[{"metric": metric, "goal": "maximize"} for metric in metrics])


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ({}, "curve-forecast"),
        ({"name": "curve-forecast"}, "curve-forecast"),
        ({"name": "moasha"}, "moasha"),
    ],
)
def test_a_scheduler_is_kept_under_the_name_it_was_written_with(written: dict[str, str], kept: str) -> None:
    assert tiny_spec(scheduler=written).model_dump(mode="json")["scheduler"] == {"name": kept}
