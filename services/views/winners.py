"""A study's winners: the front of its variants on every host and runtime, and the one to ship."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from search.study.winners import Figures, winners
from services.records.trials import MeasuredTrial
from services.records.variants import Variant
from services.store import trials, variants
from services.views import variants as variant_views
from services.views.variants import VariantRow


@dataclass(frozen=True, kw_only=True)
class VariantFront:
    """The front of the variants of one host and runtime, best f1 first, and ids of the picks (search.study.winners)."""

    host: str
    runtime: str
    items: Sequence[VariantRow]
    recommended: str
    ties: Sequence[str]
    knee: str | None
    best_score: str | None


def variant_fronts(connection: Connection, study_id: str) -> list[VariantFront]:
    """One front per host and runtime; the fronts with the most variants first."""
    return [_front(connection, group) for group in group_variants(variants.list_by_study(connection, study_id))]


def group_variants(listed: Sequence[Variant]) -> list[list[Variant]]:
    """The variants of each host and runtime, the largest groups first."""
    groups: dict[tuple[str, str], list[Variant]] = defaultdict(list)
    for variant in listed:
        groups[variant.host, variant.runtime].append(variant)
    return [group for _, group in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))]


def _front(connection: Connection, group: Sequence[Variant]) -> VariantFront:
    picks = winners([figures(variant) for variant in group])
    by_id = {variant.id: variant for variant in group}
    return VariantFront(
        host=group[0].host,
        runtime=group[0].runtime,
        items=variant_views.make_rows(connection, [by_id[variant_id] for variant_id in picks.front]),
        recommended=picks.recommended,
        ties=picks.ties,
        knee=picks.knee,
        best_score=picks.best_score,
    )


def figures(model: Variant | MeasuredTrial) -> Figures:
    """The figures of a model whose latency was measured."""
    return Figures(
        id=model.id,
        f1=model.metrics["f1"],
        latency_ms=model.metrics["latency_ms"],
        low_ms=model.metrics["latency_low_ms"],
        high_ms=model.metrics["latency_high_ms"],
        score=model.metrics.get("score"),
    )


def recommended_variant(connection: Connection, study_id: str, fronts: Sequence[VariantFront]) -> str | None:
    """The recommended variant of the host that the study's trials were timed on.

    None where no variant was timed there, or trials were timed on more than one host.
    """
    hosts = trials.list_hosts(connection, study_id)
    picks = [front.recommended for front in fronts if front.host in hosts]
    return picks[0] if len(hosts) == len(picks) == 1 else None
