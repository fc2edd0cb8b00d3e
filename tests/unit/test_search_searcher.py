"""StudySearch on a tiny space, without Ray: what it starts, rejects, passes over, and how its trials end."""

import math
from collections import Counter

import pytest
from optuna.trial import TrialState as OptunaState
from ray.tune.search import Searcher

from search.contract.candidate import Candidate, UnbuildableError
from search.contract.epochs import EpochReport
from search.contract.metrics import Metrics
from search.contract.reports import CompletedTrial, InfeasibleTrial, Measurement, TrialReport
from search.contract.states import TrialState
from search.contract.trials import Assignment, PastTrial, TrialRole
from search.tune.codec import decode_suggestion, encode_report
from search.tune.searcher import StudySearch
from tests.unit.search_studies import CLASSES, WIDTHS, MemoryLog, make_search, tiny_cost, tiny_features, tiny_spec

NETWORKS = 12
FIRST: Assignment = {"width": 8, "conv.block": "DWConv"}


def past(number: int = 0, state: TrialState = TrialState.COMPLETED, *, assignment: Assignment = FIRST) -> PastTrial:
    metrics = {"f1": 0.5, "macs": 100.0, "params": 10.0} if state is TrialState.COMPLETED else {"params": 10.0}
    return PastTrial(number=number, state=state, assignment=assignment, metrics=metrics)


def completed(metrics: Metrics) -> TrialReport:
    measurement = Measurement(metrics=metrics)
    return TrialReport(epoch=None, measurement=measurement, result=CompletedTrial(measurement=measurement))


def infeasible(reason: str) -> TrialReport:
    measurement = Measurement(metrics={"latency_ms": 9.0})
    result = InfeasibleTrial(reason=reason, measurement=measurement)
    return TrialReport(epoch=None, measurement=measurement, result=result)


EPOCH = EpochReport(epoch=1, loss=1.0, f1=0.5, accuracy=0.5, elapsed_s=1.0, steps_s=1.0)
CUT_OFF = TrialReport(epoch=EPOCH, measurement=Measurement(metrics={}))


def states(search: StudySearch) -> list[OptunaState]:
    return [trial.state for trial in search._ot_study.trials]


def finish(search: StudySearch, trial_id: str, f1: float = 0.5) -> None:
    search.on_trial_complete(trial_id, encode_report(completed({"f1": f1})))


@pytest.mark.parametrize("sampler", ["frontier", "tpe", "nsga2", "random"])
def test_a_small_space_is_searched_without_duplicates_until_nothing_is_left(sampler: str) -> None:
    log = MemoryLog(budget=100)
    search = make_search(tiny_spec(sampler={"name": sampler}), log)
    started = 0
    while (suggested := search.suggest(str(started))) != Searcher.FINISHED:
        assert isinstance(suggested, dict)
        assert decode_suggestion(suggested).candidate == log.candidates[-1]
        finish(search, str(started), f1=started / 100)
        started += 1
    assert search.end_reason == "the whole space has been tried"
    assert started == NETWORKS
    assert len({candidate.fingerprint for candidate in log.candidates}) == NETWORKS
    assert OptunaState.RUNNING not in states(search)


def test_the_budget_ends_the_search_without_a_reason_of_its_own() -> None:
    log = MemoryLog(budget=2)
    search = make_search(tiny_spec(), log)
    assert [search.suggest(str(number)) == Searcher.FINISHED for number in range(3)] == [False, False, True]
    assert search.end_reason is None
    assert log.sampled_s > 0


@pytest.mark.parametrize("state", [TrialState.COMPLETED, TrialState.FAILED, TrialState.INFEASIBLE, TrialState.STOPPED])
def test_a_candidate_of_the_history_is_not_started_again(state: TrialState) -> None:
    log = MemoryLog(budget=100)
    search = make_search(tiny_spec(), log, history=[past(state=state)])
    while search.suggest(str(len(log.candidates))) != Searcher.FINISHED:
        pass
    assert FIRST not in log.assignments
    assert len(log.candidates) == NETWORKS - 1


def test_a_candidate_that_runs_is_not_started_beside_itself() -> None:
    log = MemoryLog(budget=NETWORKS)
    search = make_search(tiny_spec(), log)
    for number in range(NETWORKS):
        search.suggest(str(number))
    assert len({candidate.fingerprint for candidate in log.candidates}) == NETWORKS
    assert Counter(states(search))[OptunaState.RUNNING] == NETWORKS


def test_what_a_constraint_rules_out_is_recorded_with_its_reason_and_not_started() -> None:
    log = MemoryLog(budget=NETWORKS)
    search = make_search(tiny_spec(constraints=[{"metric": "params", "max": 60}]), log)
    ids = []
    while search.suggest(trial_id := str(len(log.candidates))) != Searcher.FINISHED:
        ids.append(trial_id)
        finish(search, trial_id)
    reasons = dict(zip((candidate.fingerprint for candidate in log.candidates), log.reasons, strict=True))
    assert len(reasons) == len(log.candidates) == NETWORKS
    allowed = [assignment for assignment, reason in zip(log.assignments, log.reasons, strict=True) if reason is None]
    assert len(ids) == len(allowed) == 5
    assert all(assignment["width"] * assignment.get("kernel", 3) <= 60 for assignment in allowed)
    assert "params 72 is above the limit of 60" in log.reasons
    assert OptunaState.RUNNING not in states(search)


def test_a_rejected_trial_tells_the_sampler_by_how_much() -> None:
    search = make_search(
        tiny_spec(constraints=[{"metric": "params", "max": 6}]), MemoryLog(budget=1, queue={"q": FIRST})
    )
    assert search.suggest("a") == Searcher.FINISHED
    (trial,) = search._ot_study.trials
    assert trial.state is OptunaState.PRUNED
    assert trial.constraints == {"params": pytest.approx((24 - 6) / 6)}


def test_what_cannot_be_built_is_recorded_with_its_reason_and_violates_a_constraint() -> None:
    def only_depthwise(candidate: Candidate) -> Metrics:
        if candidate.architecture.backbone[0][1] != "DWConv":
            raise UnbuildableError("layer 1: it vanishes")
        return tiny_cost(candidate)

    log = MemoryLog(budget=NETWORKS)
    search = StudySearch(
        spec=tiny_spec(),
        classes=CLASSES,
        history=(),
        log=log,
        profile=only_depthwise,
        features=tiny_features,
    )
    while search.suggest(trial_id := str(len(log.candidates))) != Searcher.FINISHED:
        finish(search, trial_id)
    assert Counter(log.reasons) == {None: 4, "layer 1: it vanishes": 8}
    refused = [trial for trial in search._ot_study.trials if trial.state is OptunaState.PRUNED]
    assert all(trial.constraints == {"architecture": 1.0} for trial in refused)


@pytest.mark.parametrize(
    ("report", "error", "expected"),
    [
        (completed({"f1": 0.5}), False, OptunaState.COMPLETE),
        (completed({"f1": math.nan}), False, OptunaState.FAIL),
        (completed({"f1": math.inf}), False, OptunaState.FAIL),
        (completed({}), False, OptunaState.FAIL),
        (CUT_OFF, False, OptunaState.FAIL),
        (None, False, OptunaState.FAIL),
        (None, True, OptunaState.FAIL),
        (completed({"f1": 0.5}), True, OptunaState.FAIL),
        (infeasible("latency_ms 9 is above the limit of 1"), False, OptunaState.PRUNED),
    ],
)
def test_every_end_of_a_trial_ends_it_for_optuna(
    report: TrialReport | None, error: bool, expected: OptunaState
) -> None:
    search = make_search(tiny_spec(constraints=[{"metric": "f1", "min": 0.1}]), MemoryLog(budget=1))
    search.suggest("a")
    search.on_trial_result("a", encode_report(CUT_OFF))
    search.on_trial_complete("a", {} if report is None else encode_report(report), error)
    assert states(search) == [expected]


def test_a_trial_that_ended_before_its_first_report_ends_for_optuna() -> None:
    search = make_search(tiny_spec(), MemoryLog(budget=1))
    search.suggest("a")
    search.on_trial_complete("a", None)
    assert states(search) == [OptunaState.FAIL]


def test_the_objectives_of_a_completed_trial_are_told_in_the_order_of_the_spec() -> None:
    search = make_search(tiny_spec(), MemoryLog(budget=1, queue={"q": {**FIRST, "width": 32}}))
    search.suggest("a")
    finish(search, "a", f1=0.7)
    (trial,) = search._ot_study.trials
    assert trial.values == [0.7, 96.0]
    assert [direction.name for direction in search._ot_study.directions] == ["MAXIMIZE", "MINIMIZE"]


def test_enqueued_assignments_come_first_even_if_they_are_known_already() -> None:
    second: Assignment = {"width": 16, "conv.block": "Conv", "kernel": 5}
    log = MemoryLog(budget=3, queue={"q1": FIRST, "q2": second})
    search = make_search(tiny_spec(), log, history=[past()])
    for number in range(3):
        search.suggest(str(number))
    assert log.assignments[:2] == [FIRST, second]
    assert log.assignments[2] not in (FIRST, second)
    assert not log.queue


def test_a_probe_runs_before_all_points_and_the_sampler_never_learns_of_it() -> None:
    log = MemoryLog(budget=3, queue={"q1": {"width": 32}, "q2": FIRST})
    log.roles["q1"] = TrialRole.PROBE
    search = make_search(tiny_spec(learning_rate={"low": 0.01, "high": 0.1}), log)
    suggested = search.suggest("probe")
    assert isinstance(suggested, dict)
    probed = decode_suggestion(suggested).candidate
    assert (probed.method, probed.learning_rate) == ("linear-probe", 0.01)
    assert search.suggest("point") is None
    assert log.assignments == [{"width": 32}]
    finish(search, "probe")
    search.suggest("point")
    finish(search, "point")
    assert log.assignments[1].items() >= FIRST.items()
    assert log.candidates[1].method == "training"
    assert len(search._ot_study.trials) == 1
    assert not log.queue


def test_a_probe_that_a_limit_rules_out_is_recorded_and_the_search_goes_on() -> None:
    log = MemoryLog(budget=20, queue={"q": {"width": 32, "conv.block": "Conv", "kernel": 5}})
    log.roles["q"] = TrialRole.PROBE
    search = make_search(tiny_spec(constraints=[{"metric": "params", "max": 60}]), log)
    assert search.suggest("a") != Searcher.FINISHED
    assert log.candidates[0].method == "linear-probe"
    assert log.reasons[0] is not None
    assert [candidate.method for candidate in log.candidates[1:]] == ["training"] * (len(log.candidates) - 1)


def test_the_history_of_a_sampler_is_without_the_probe() -> None:
    probe = PastTrial(
        number=0,
        state=TrialState.COMPLETED,
        assignment={"width": 8},
        metrics={"f1": 0.9, "macs": 1.0},
        role=TrialRole.PROBE,
    )
    search = make_search(tiny_spec(), MemoryLog(budget=0), history=[probe, past(1)])
    (trial,) = search._ot_study.trials
    assert trial.params == FIRST


def test_what_is_enqueued_while_the_search_runs_comes_next() -> None:
    log = MemoryLog(budget=2)
    search = make_search(tiny_spec(), log)
    search.suggest("a")
    log.queue["late"] = FIRST
    search.suggest("b")
    assert log.assignments[1] == FIRST


CHEAP: Assignment = {"conv.block": "DWConv", "width": 32}
DEAR: Assignment = {"conv.block": "Conv", "width": 32, "kernel": 5}


def test_of_the_first_points_the_cheapest_runs_first_where_the_minutes_have_a_limit() -> None:
    log = MemoryLog(budget=2, queue={"a": DEAR, "b": CHEAP})
    log.left_s = 1000.0
    make_search(tiny_spec(), log).suggest("first")
    assert log.assignments == [CHEAP]
    assert set(log.queue) == {"a"}


@pytest.mark.parametrize(("steps_s", "runs"), [(1.0, True), (10.0, False)])
def test_the_first_epoch_of_a_running_trial_tells_what_the_minutes_allow(steps_s: float, runs: bool) -> None:
    """DEAR has 100 / 6 times the multiply-accumulates of CHEAP, and a study 5 epochs."""
    log = MemoryLog(budget=2, queue={"a": DEAR, "b": CHEAP})
    log.left_s = 100.0
    search = make_search(tiny_spec(), log)
    search.suggest("first")
    epoch = EpochReport(epoch=1, loss=1.0, f1=0.5, accuracy=0.5, elapsed_s=20.0, steps_s=steps_s)
    search.on_trial_result("first", encode_report(TrialReport(epoch=epoch, measurement=Measurement(metrics={}))))
    search.suggest("second")
    assert ("a" not in log.queue) == runs


def test_the_search_ends_when_no_proposal_would_end_in_its_minutes() -> None:
    finished = [
        PastTrial(
            number=number,
            state=TrialState.COMPLETED,
            assignment={"conv.block": "DWConv", "width": width},
            metrics={"f1": 0.5, "macs": 3.0 * width, "params": 3.0 * width},
            seconds=10.0 * width,
        )
        for number, width in enumerate((8, 16))
    ]
    log = MemoryLog(budget=5)
    log.left_s = 1.0
    search = make_search(tiny_spec(), log, history=finished)
    assert search.suggest("a") == Searcher.FINISHED
    assert search.end_reason == "no further trial would end in the minutes that are left"
    assert not log.candidates


def test_a_probe_never_waits() -> None:
    log = MemoryLog(budget=1, queue={"a": DEAR, "b": CHEAP})
    log.left_s, log.roles = 1000.0, {"a": TrialRole.PROBE}
    make_search(tiny_spec(), log).suggest("first")
    assert log.assignments == [DEAR]


@pytest.mark.parametrize(("left_s", "runs"), [(1000.0, True), (100.0, False)])
def test_a_costly_point_runs_once_the_minutes_allow_it(left_s: float, runs: bool) -> None:
    """DEAR has 20 times the multiply-accumulates of the finished trial, which took 10 seconds."""
    finished = PastTrial(
        number=0,
        state=TrialState.COMPLETED,
        assignment={"conv.block": "DWConv", "width": 16},
        metrics={"f1": 0.5, "macs": 16 * 3, "params": 16 * 3},
        seconds=10.0 * 16 * 3 * 20 / (10 * 32 * 5),
    )
    log = MemoryLog(budget=1, queue={"a": DEAR})
    log.left_s = left_s
    make_search(tiny_spec(), log, history=[finished]).suggest("first")
    assert (log.assignments == [DEAR]) == runs


def test_what_the_budget_leaves_in_the_queue_stays_there() -> None:
    log = MemoryLog(budget=0, queue={"q": FIRST})
    assert make_search(tiny_spec(), log).suggest("a") == Searcher.FINISHED
    assert log.queue == {"q": FIRST}


def test_a_search_is_rebuilt_from_its_record_to_the_same_trials() -> None:
    spec = tiny_spec(constraints=[{"metric": "params", "max": 60}], learning_rate={"low": 0.01, "high": 0.1})
    log = MemoryLog(budget=12)
    search = make_search(spec, log)
    while search.suggest(trial_id := str(len(log.candidates))) != Searcher.FINISHED:
        finish(search, trial_id, f1=len(log.candidates) / 100)
    before = search._ot_study.trials
    outcomes = [outcome for outcome in search._outcomes.values() if outcome is not None]
    after = make_search(spec, MemoryLog(budget=0), history=outcomes)._ot_study.trials
    assert len(before) == len(after) == 12
    assert {trial.state for trial in before} == {OptunaState.COMPLETE, OptunaState.PRUNED}
    for old, new in zip(before, after, strict=True):
        assert (old.number, old.state, old.values) == (new.number, new.state, new.values)
        assert (old.params, old.distributions) == (new.params, new.distributions)
        assert list(old.constraints.values()) == list(new.constraints.values())


@pytest.mark.parametrize("sampler", ["frontier", "tpe", "nsga2", "gp", "random"])
def test_each_sampler_suggests_from_a_history(sampler: str) -> None:
    rates = {"low": 0.01, "high": 0.3, "log": True}
    history = [
        PastTrial(
            number=number,
            state=TrialState.COMPLETED,
            assignment={"width": WIDTHS[number % 4], "conv.block": "DWConv", "learning_rate": 0.01 * (number + 1)},
            metrics={"f1": number / 20, "macs": 1.0 + number % 3},
        )
        for number in range(20)
    ]
    log = MemoryLog(budget=2)
    search = make_search(tiny_spec(learning_rate=rates, sampler={"name": sampler}), log, history=history)
    assert search.suggest("a") != Searcher.FINISHED
    assert search.suggest("b") != Searcher.FINISHED
    assert all(0.01 <= candidate.learning_rate <= 0.3 for candidate in log.candidates)


def test_nsga2_breeds_from_the_history_after_a_restart() -> None:
    rates = {"low": 0.01, "high": 0.3}
    history = [
        PastTrial(
            number=number,
            state=TrialState.COMPLETED,
            assignment={"width": 24, "conv.block": "DWConv", "learning_rate": 0.01 * (number + 1)},
            metrics={"f1": number / 20, "macs": 1.0 + number},
        )
        for number in range(20)
    ]
    log = MemoryLog(budget=20)
    search = make_search(tiny_spec(learning_rate=rates, sampler={"name": "nsga2"}), log, history=history)
    for number in range(20):
        search.suggest(str(number))
    inherited = [assignment["width"] == 24 and assignment["conv.block"] == "DWConv" for assignment in log.assignments]
    assert sum(inherited) >= 6  # 2.5 of 20 at random


def test_one_seed_gives_one_search_and_a_restart_another() -> None:
    rates = {"low": 0.01, "high": 0.3}

    def first_rates(*, seed: int, history: list[PastTrial]) -> list[float]:
        log = MemoryLog(budget=4)
        search = make_search(
            tiny_spec(learning_rate=rates, sampler={"name": "random", "seed": seed}), log, history=history
        )
        for number in range(4):
            search.suggest(str(number))
        return [candidate.learning_rate for candidate in log.candidates]

    recorded = [past(assignment={**FIRST, "learning_rate": 0.2})]
    assert first_rates(seed=1, history=[]) == first_rates(seed=1, history=[])
    assert first_rates(seed=1, history=[]) != first_rates(seed=2, history=[])
    assert not set(first_rates(seed=1, history=[])) & set(first_rates(seed=1, history=recorded))
