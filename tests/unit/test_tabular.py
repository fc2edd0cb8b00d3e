"""Trials and variants as table rows."""

from datetime import UTC, datetime
from typing import Any

from api.schemas import ParetoView, TrialView, VariantFront, VariantView
from api.tabular import trials as trial_rows
from api.tabular import variants as variant_rows
from search.contract.candidate import Architecture, Candidate

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_CANDIDATE = Candidate.model_validate(
    {
        "architecture": Architecture(
            width_multiple=0.5,
            backbone=((2, "Conv", (16, 3, 2)), (1, "GlobalAvgPool", ()), (1, "FixedConv", (10,))),
        ),
        "image_size": 24,
        "batch_size": 32,
        "learning_rate": 0.1,
        "optimizer": "sgd",
    }
)


_ON_TEST: dict[str, Any] = {"f1_test": 0.941, "f1_test_low": 0.92, "f1_test_high": 0.958, "test_images": 200}
_NO_FRONT = ParetoView(items=[], hypervolume=0.0, reference={}, variants=[], recommended=None)


def _trial(state: str = "COMPLETED", **changes: Any) -> TrialView:
    fields = {
        "id": "trial_1",
        "study_id": "study_1",
        "number": 7,
        "state": state,
        "reason": None,
        "candidate": _CANDIDATE,
        "assignment": {},
        "role": None,
        "metrics": {},
        "host": None,
        "best_variant": None,
        "created_at": _NOW,
        "finished_at": _NOW,
        **changes,
    }
    return TrialView.model_validate(fields)


def _variant(runtime: str = "onnxruntime", host: str = "CPU, 2 cores", latency_ms: float = 0.1) -> VariantView:
    fields = {
        "id": "variant_1",
        "trial_id": "trial_1",
        "trial_number": 0,
        "study_id": "study_1",
        "recipe": "static-int8",
        "steps": [],
        "runtime": runtime,
        "host": f"{host}, {runtime} 1.0, 1 thread",
        "metrics": {"f1": 0.9, "latency_ms": latency_ms},
        "parity_error": 0.0,
        "agreement": 1.0,
        "latency": {"parent_ms": 0.25},
        "artifacts": [],
        "created_at": _NOW,
    }
    return VariantView.model_validate(fields)


def test_only_completed_trials_are_ranked() -> None:
    states = ("INFEASIBLE", "COMPLETED", "RUNNING", "COMPLETED", "FAILED")
    assert trial_rows.ranks([_trial(state) for state in states]) == [None, 1, None, 2, None]


def test_a_row_shows_the_trial_and_its_best_variant() -> None:
    metrics = {
        "f1": 0.9612,
        "latency_ms": 0.2131,
        "latency_low_ms": 0.21,
        "latency_high_ms": 0.217,
        "macs": 1_234_000,
        "params": 83_100,
        "size_bytes": 340_000,
        "score": 0.512,
        "retrained_f1": 0.9712,
        "retrained_f1_deviation": 0.0031,
    }
    row = trial_rows.row(1, _trial(metrics=metrics, best_variant=_variant(), **_ON_TEST))
    assert dict(zip(trial_rows.HEADERS, row, strict=True)) == {
        "#": "1",
        "trial": "7",
        "F1 in full": "0.971 ± 0.003",
        "F1 test": "0.941 [0.920, 0.958]",
        "state": "COMPLETED",
        "F1": "0.961",
        "latency ms": "0.213 [0.210, 0.217]",
        "MACs": "1.23 M",
        "params": "83.1 k",
        "size": "340 kB",
        "score": "0.512",
        "best variant": "static-int8",
        "its F1": "0.900",
        "its ms": "0.100",
        "speed-up": "2.5x",
        "trial id": "trial_1",
    }


def test_csv_has_the_score_on_the_test_split() -> None:
    flat = trial_rows.flat(1, _trial(**_ON_TEST))
    assert {name: flat[name] for name in _ON_TEST} == _ON_TEST
    assert trial_rows.flat(1, _trial())["f1_test"] is None


def test_a_trial_without_a_result_says_why() -> None:
    trial = _trial("FAILED", reason="Traceback\nRuntimeError: out of memory")
    row = dict(zip(trial_rows.HEADERS, trial_rows.row(None, trial), strict=True))
    assert (row["#"], row["F1"], row["best variant"]) == ("-", "", "RuntimeError: out of memory")


def test_csv_has_the_same_columns_with_and_without_a_variant() -> None:
    with_variant = trial_rows.flat(1, _trial(best_variant=_variant()))
    assert with_variant.keys() == trial_rows.flat(None, _trial("RUNNING")).keys()
    assert with_variant["best_variant_speed_up"] == 2.5


def test_a_variant_is_compared_with_its_trial_in_eager_pytorch() -> None:
    eager = _variant("torch", latency_ms=0.8)
    assert list(variant_rows.eager_variants([_variant(), eager]).values()) == [eager]
    assert variant_rows.baseline_key(_variant()) in variant_rows.eager_variants([eager])
    assert variant_rows.versus_eager(_variant(), eager) == 8


def test_figures_of_different_machines_are_not_compared() -> None:
    assert variant_rows.versus_eager(_variant(), _variant("torch", host="other CPU, 8 cores")) is None
    assert variant_rows.versus_eager(_variant(), None) is None


def test_variants_are_ranked_among_those_of_their_host_and_runtime_only() -> None:
    here, there, eager = _variant(), _variant(host="other CPU, 8 cores"), _variant("torch")
    rows = variant_rows.ranked([there, here, eager, here], _NO_FRONT)
    assert [row.rank for row in rows] == [1, 1, 1, 2]
    assert [[row.variant for row in group] for group in variant_rows.by_host(rows)] == [[here, here], [there], [eager]]


def test_what_is_not_listed_is_no_row_but_compared_with() -> None:
    (row,) = variant_rows.ranked([_variant()], _NO_FRONT, unlisted=[_variant("torch")])
    assert (row.rank, row.eager) == (1, _variant("torch"))


def test_the_picks_of_a_front_are_told_in_words() -> None:
    item = _variant()
    group = VariantFront(
        host=item.host,
        runtime=item.runtime,
        items=[item, item.model_copy(update={"id": "variant_2"})],
        recommended="variant_1",
        ties=["variant_3"],
        knee=None,
        best_score="variant_1",
    )
    front = _NO_FRONT.model_copy(update={"variants": [group]})
    assert variant_rows.picks(front) == {
        "variant_1": "recommended, best score",
        "variant_2": "front",
        "variant_3": "tie",
    }
