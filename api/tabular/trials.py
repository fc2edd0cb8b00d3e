"""Trials as rows of the leaderboard: for people, and flat for CSV."""

from collections.abc import Sequence

from api.schemas import TrialView, VariantView
from api.tabular import formats
from api.tabular.narrow import Narrow
from api.tabular.variants import f1_test, flat_on_test, latency, metric, speed_up
from search.contract.metrics import NATURAL_GOALS
from search.contract.states import TrialState

HEADERS = (
    "#",
    "trial",
    "state",
    "F1",
    "F1 in full",
    "F1 test",
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
NARROW = Narrow(
    least=("trial id", "speed-up", "score", "MACs", "params", "its F1", "size", "its ms", "state", "F1 in full"),
    cut="best variant",
)
_IN_FULL = ("retrained_f1", "retrained_f1_deviation")
_METRICS = (*NATURAL_GOALS, "latency_low_ms", "latency_high_ms", *_IN_FULL)


def ranks(trials: Sequence[TrialView]) -> list[int | None]:
    """The rank of each trial in its listing, from 1; None for trials that are not completed."""
    last, ranks = 0, list[int | None]()
    for trial in trials:
        completed = trial.state is TrialState.COMPLETED
        last += completed
        ranks.append(last if completed else None)
    return ranks


def row(rank: int | None, trial: TrialView) -> tuple[str, ...]:
    """Cells in the order of ``HEADERS``. Without a best variant its column has the reason of the trial's state."""
    return (
        "-" if rank is None else str(rank),
        str(trial.number) if trial.role is None else f"{trial.number} ({trial.role})",
        trial.state,
        metric(trial, "f1", "{:.3f}".format),
        _in_full(trial),
        f1_test(trial),
        latency(trial),
        metric(trial, "macs", formats.si),
        metric(trial, "params", formats.si),
        metric(trial, "size_bytes", formats.size),
        metric(trial, "score", "{:.3f}".format),
        *_outcome(trial),
        trial.id,
    )


def _in_full(trial: TrialView) -> str:
    """Mean and deviation over the seeds of a full training; empty without one."""
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


def flat(rank: int | None, trial: TrialView) -> dict[str, object]:
    """CSV columns by name, with units."""
    return {
        "rank": rank,
        "number": trial.number,
        "id": trial.id,
        "study_id": trial.study_id,
        "state": trial.state.value,
        "role": trial.role,
        **{name: trial.metrics.get(name) for name in _METRICS},
        **flat_on_test(trial),
        "host": trial.host,
        **_flat_best(trial.best_variant),
        "reason": trial.reason,
    }


def _flat_best(best: VariantView | None) -> dict[str, object]:
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
