"""Variants as rows of the leaderboard: for people, and flat for CSV; and how much faster they are than what."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from api.schemas import ParetoView, TrialView, VariantView
from api.tabular import formats
from search.contract.metrics import NATURAL_GOALS

HEADERS = (
    "#",
    "pick",
    "trial",
    "recipe",
    "runtime",
    "F1",
    "latency ms",
    "vs eager",
    "size",
    "score",
    "agreement",
    "variant id",
)
WORDS = frozenset({"pick", "recipe", "runtime", "variant id"})
EAGER_RUNTIME = "torch"
_METRICS = (*NATURAL_GOALS, "latency_low_ms", "latency_high_ms")


def metric(measured: TrialView | VariantView, name: str, shown: Callable[[float], str]) -> str:
    """A metric as text, empty where it is not known."""
    value = measured.metrics.get(name)
    return "" if value is None else shown(value)


def latency(measured: TrialView | VariantView) -> str:
    """The median with its interval, in milliseconds."""
    metrics = measured.metrics
    bounds = metrics.get("latency_low_ms"), metrics.get("latency_high_ms")
    return metric(measured, "latency_ms", lambda value_ms: formats.interval(value_ms, *bounds))


def speed_up(variant: VariantView) -> float | None:
    """How many times faster than its trial's own fp32 file, which was timed interleaved with it."""
    parent_ms, variant_ms = variant.latency.get("parent_ms"), variant.metrics.get("latency_ms")
    return parent_ms / variant_ms if isinstance(parent_ms, float | int) and parent_ms and variant_ms else None


def eager_variants(variants: Iterable[VariantView]) -> dict[tuple[str, str], VariantView]:
    """By trial and target, its network uncompressed in eager PyTorch."""
    return {beside(variant): variant for variant in variants if variant.runtime == EAGER_RUNTIME}


def beside(variant: VariantView) -> tuple[str, str]:
    """What a variant has in common with those that it may be compared with: its trial, and its machine and threads."""
    machine, _, threads = variant.host.rsplit(", ", 2)
    return variant.trial_id, f"{machine}, {threads}"


def versus_eager(variant: VariantView, eager: VariantView | None) -> float | None:
    """How many times faster than its trial in eager PyTorch; None unless both were timed on one target."""
    if eager is None or beside(eager) != beside(variant):
        return None
    eager_ms, variant_ms = eager.metrics.get("latency_ms"), variant.metrics.get("latency_ms")
    return eager_ms / variant_ms if eager_ms and variant_ms else None


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """A variant's place among those of its host and runtime, what it is picked as there, and its trial in eager
    PyTorch.
    """

    rank: int
    pick: str
    variant: VariantView
    eager: VariantView | None


def ranked(variants: Iterable[VariantView], front: ParetoView, *, unlisted: Iterable[VariantView] = ()) -> list[Ranked]:
    """``variants`` in their order. Those of different hosts and runtimes are never ranked together.

    ``unlisted`` ones are no rows, but may be the eager PyTorch of those that are.
    """
    known = list(variants)
    eager, pick, places = eager_variants((*known, *unlisted)), picks(front), Counter[tuple[str, str]]()
    rows = []
    for variant in known:
        places[variant.host, variant.runtime] += 1
        rows.append(
            Ranked(
                rank=places[variant.host, variant.runtime],
                pick=pick.get(variant.id, ""),
                variant=variant,
                eager=eager.get(beside(variant)),
            )
        )
    return rows


def by_host(rows: Iterable[Ranked]) -> list[list[Ranked]]:
    """A list for each host and runtime, the longest first."""
    groups: dict[tuple[str, str], list[Ranked]] = {}
    for row in rows:
        groups.setdefault((row.variant.host, row.variant.runtime), []).append(row)
    return sorted(groups.values(), key=len, reverse=True)


def picks(front: ParetoView) -> dict[str, str]:
    """By id, what a variant is picked as among those of its host and runtime."""
    found: dict[str, list[str]] = {}
    for group in front.variants:
        found.setdefault(group.recommended, []).append("recommended")
        for variant_id in group.ties:
            found.setdefault(variant_id, []).append("tie")
        for word, picked in (("knee", group.knee), ("best score", group.best_score)):
            if picked is not None:
                found.setdefault(picked, []).append(word)
        for variant in group.items:
            found.setdefault(variant.id, ["front"])
    return {variant_id: ", ".join(words) for variant_id, words in found.items()}


def details(variant: VariantView) -> list[tuple[str, str]]:
    """Names and values of one variant, one a line."""
    return [
        ("variant id", variant.id),
        ("trial id", variant.trial_id),
        ("recipe", variant.recipe),
        ("host", variant.host),
        ("F1", metric(variant, "f1", "{:.3f}".format)),
        ("latency ms", latency(variant)),
        ("size", metric(variant, "size_bytes", formats.size)),
        ("score", metric(variant, "score", "{:.3f}".format)),
        ("files", ", ".join(artifact.kind for artifact in variant.artifacts)),
    ]


def row(ranked: Ranked) -> tuple[str, ...]:
    """Texts in the order of ``HEADERS``."""
    variant, gained = ranked.variant, versus_eager(ranked.variant, ranked.eager)
    return (
        str(ranked.rank),
        ranked.pick,
        str(variant.trial_number),
        variant.recipe,
        variant.runtime,
        metric(variant, "f1", "{:.3f}".format),
        latency(variant),
        "" if gained is None else formats.ratio(gained),
        metric(variant, "size_bytes", formats.size),
        metric(variant, "score", "{:.3f}".format),
        "" if variant.agreement is None else f"{variant.agreement:.1%}",
        variant.id,
    )


def flat(ranked: Ranked) -> dict[str, Any]:
    """Plain values under names with their units."""
    variant, metrics = ranked.variant, ranked.variant.metrics
    return {
        "rank": ranked.rank,
        "pick": ranked.pick,
        "id": variant.id,
        "trial_id": variant.trial_id,
        "trial_number": variant.trial_number,
        "study_id": variant.study_id,
        "recipe": variant.recipe,
        "runtime": variant.runtime,
        **{name: metrics.get(name) for name in _METRICS},
        "speed_up": speed_up(variant),
        "versus_eager": versus_eager(variant, ranked.eager),
        "agreement": variant.agreement,
        "parity_error": variant.parity_error,
        "host": variant.host,
    }
