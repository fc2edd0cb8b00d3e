"""A study's picks, trials and variants alike: what is scored on the test split when it ends."""

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import Connection

from search.study.winners import Figures, winners
from services.records.trials import MeasuredTrial, Trial
from services.records.variants import Variant
from services.store import trials, variants
from services.views.winners import figures, group_variants

_INTERVAL = ("latency_ms", "latency_low_ms", "latency_high_ms")


def variants_to_score(connection: Connection, study_id: str) -> list[Variant]:
    """The picks of each host and runtime that have no score on the test split yet."""
    groups = group_variants(variants.list_by_study(connection, study_id))
    picked = {variant_id for group in groups for variant_id in _picks(map(figures, group))}
    return [
        variant for group in groups for variant in group if variant.id in picked and variant.on_test.f1_test is None
    ]


def trials_to_score(connection: Connection, study_id: str) -> list[Trial]:
    """The picks among the completed trials of each host, and every trial that was trained in full, of which the latest
    weights have no score on the test split yet.
    """
    by_host: dict[str | None, list[MeasuredTrial]] = defaultdict(list)
    completed = trials.list_measured(connection, study_id)
    for trial in completed:
        if all(name in trial.metrics for name in _INTERVAL):
            by_host[trial.host].append(trial)
    picked = {trial_id for group in by_host.values() for trial_id in _picks(map(figures, group))}
    if completed:
        picked.add(max(completed, key=lambda trial: trial.metrics["f1"]).id)
    retrained = trials.list_retrained(connection, study_id)
    chosen = {trial.id: trial for trial in (*trials.list_by_ids(connection, sorted(picked)), *retrained)}
    unscored = [trial for trial in chosen.values() if trial.on_test.f1_test is None]
    return sorted(unscored, key=lambda trial: trial.number)


def _picks(models: Iterable[Figures]) -> frozenset[str]:
    return winners(list(models)).picks
