"""Variants as rows of the leaderboard: for people, and flat for CSV; and how much faster they are than what."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from api.rows import formats
from api.schemas import TrialView, VariantView
from search.metrics import NATURAL_GOALS

HEADERS = (
    "#",
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
WORDS = frozenset({"recipe", "runtime", "variant id"})
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
    return parent_ms / variant_ms if parent_ms and variant_ms else None


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


def row(rank: int, variant: VariantView, number: int, eager: VariantView | None) -> tuple[str, ...]:
    """Texts in the order of ``HEADERS``; ``number`` is the trial's."""
    gained = versus_eager(variant, eager)
    return (
        str(rank),
        str(number),
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


def flat(rank: int, variant: VariantView, number: int, eager: VariantView | None) -> dict[str, Any]:
    """Plain values under names with their units."""
    metrics: Mapping[str, float] = variant.metrics
    return {
        "rank": rank,
        "id": variant.id,
        "trial_id": variant.trial_id,
        "trial_number": number,
        "study_id": variant.study_id,
        "recipe": variant.recipe,
        "runtime": variant.runtime,
        **{name: metrics.get(name) for name in _METRICS},
        "speed_up": speed_up(variant),
        "versus_eager": versus_eager(variant, eager),
        "agreement": variant.agreement,
        "parity_error": variant.parity_error,
        "host": variant.host,
    }
