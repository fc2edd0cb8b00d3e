"""Trials as rows of the leaderboard: for people, and flat for CSV."""

from collections.abc import Sequence
from typing import Any

from api.schemas import TrialView, VariantView
from api.tabular import formats
from api.tabular.variants import latency, metric, speed_up
from search.contract.metrics import NATURAL_GOALS
from search.contract.states import TrialState

HEADERS = (
    "#",
    "trial",
    "state",
    "F1",
    "F1 in full",
    "latency ms",
    "MACs",
    "params",
    "size",
    "score",
    "best variant",
    "its F1",
    "its ms",
    "speed-up",
    "trial id",
)
WORDS = frozenset({"state", "best variant", "trial id"})
_IN_FULL = ("retrained_f1", "retrained_f1_deviation")
_METRICS = (*NATURAL_GOALS, "latency_low_ms", "latency_high_ms", *_IN_FULL)


def ranks(trials: Sequence[TrialView]) -> list[int | None]:
    """The place of each trial in its listing; only completed ones have one."""
    place, found = 0, list[int | None]()
    for trial in trials:
        completed = trial.state is TrialState.COMPLETED
        place += completed
        found.append(place if completed else None)
    return found


def row(rank: int | None, trial: TrialView) -> tuple[str, ...]:
    """Texts in the order of ``HEADERS``. What did not complete says why in the place of its best variant."""
    return (
        "-" if rank is None else str(rank),
        str(trial.number),
        trial.state,
        metric(trial, "f1", "{:.3f}".format),
        _in_full(trial),
        latency(trial),
        metric(trial, "macs", formats.si),
        metric(trial, "params", formats.si),
        metric(trial, "size_bytes", formats.size),
        metric(trial, "score", "{:.3f}".format),
        *_outcome(trial),
        trial.id,
    )


def _in_full(trial: TrialView) -> str:
    """The mean of the seeds and their deviation, where the candidate was trained in full."""
    mean, deviation = (trial.metrics.get(name) for name in _IN_FULL)
    return "" if mean is None else f"{mean:.3f} ± {deviation or 0:.3f}"


def _outcome(trial: TrialView) -> tuple[str, str, str, str]:
    best = trial.best_variant
    if best is None:
        return (formats.brief(trial.reason), "", "", "")
    gained = speed_up(best)
    return (
        best.recipe,
        metric(best, "f1", "{:.3f}".format),
        metric(best, "latency_ms", formats.milliseconds),
        "" if gained is None else formats.ratio(gained),
    )


def flat(rank: int | None, trial: TrialView) -> dict[str, Any]:
    """Plain values under names with their units."""
    return {
        "rank": rank,
        "number": trial.number,
        "id": trial.id,
        "study_id": trial.study_id,
        "state": trial.state.value,
        **{name: trial.metrics.get(name) for name in _METRICS},
        "host": trial.host,
        **_flat_best(trial.best_variant),
        "reason": trial.reason,
    }


def _flat_best(best: VariantView | None) -> dict[str, Any]:
    metrics = best.metrics if best else {}
    return {
        "best_variant_id": best and best.id,
        "best_variant_recipe": best and best.recipe,
        "best_variant_runtime": best and best.runtime,
        "best_variant_f1": metrics.get("f1"),
        "best_variant_latency_ms": metrics.get("latency_ms"),
        "best_variant_size_bytes": metrics.get("size_bytes"),
        "best_variant_speed_up": best and speed_up(best),
    }
