"""Variants as rows of the leaderboard: for people, and flat for CSV; and their speed-ups."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from api.schemas import OnTest, ParetoView, TrialView, VariantView
from api.tabular import formats
from api.tabular.narrow import Narrow
from search.contract.metrics import NATURAL_GOALS

HEADERS = (
    "#",
    "pick",
    "trial",
    "recipe",
    "runtime",
    "F1",
    "F1 test",
    "latency ms",
    "vs eager",
    "size",
    "score",
    "agreement",
    "variant id",
)
WORDS = frozenset({"pick", "recipe", "runtime", "variant id"})
NARROW = Narrow(least=("variant id", "score", "agreement", "vs eager", "runtime", "size", "F1 test"))
EAGER_RUNTIME = "torch"
_METRICS = (*NATURAL_GOALS, "latency_low_ms", "latency_high_ms")


def metric(measured: TrialView | VariantView, name: str, shown: Callable[[float], str]) -> str:
    """A metric as text; empty if it is unknown."""
    value = measured.metrics.get(name)
    return "" if value is None else shown(value)


def latency(measured: TrialView | VariantView) -> str:
    """The median with its interval, in milliseconds."""
    metrics = measured.metrics
    bounds = metrics.get("latency_low_ms"), metrics.get("latency_high_ms")
    return metric(measured, "latency_ms", lambda value_ms: formats.interval(value_ms, *bounds))


def f1_test(measured: TrialView | VariantView) -> str:
    """F1 on the test split with its interval, ``0.812 [0.780, 0.841]``; empty if it was not scored there."""
    if measured.f1_test is None:
        return ""
    return f"{measured.f1_test:.3f} [{measured.f1_test_low:.3f}, {measured.f1_test_high:.3f}]"


def flat_on_test(measured: TrialView | VariantView) -> dict[str, object]:
    """CSV columns of the score on the test split."""
    return {name: getattr(measured, name) for name in OnTest.model_fields}


def speed_up(variant: VariantView) -> float | None:
    """How many times faster than the fp32 file of its trial, timed interleaved with it; None if unknown."""
    parent_ms, variant_ms = variant.latency.get("parent_ms"), variant.metrics.get("latency_ms")
    return parent_ms / variant_ms if isinstance(parent_ms, float | int) and parent_ms and variant_ms else None


def eager_variants(variants: Iterable[VariantView]) -> dict[tuple[str, str], VariantView]:
    """By trial and target, the uncompressed network in eager PyTorch."""
    return {baseline_key(variant): variant for variant in variants if variant.runtime == EAGER_RUNTIME}


def baseline_key(variant: VariantView) -> tuple[str, str]:
    """Trial, machine and threads: what a variant and its baseline must have in common."""
    machine, _, threads = variant.host.rsplit(", ", 2)
    return variant.trial_id, f"{machine}, {threads}"


def versus_eager(variant: VariantView, eager: VariantView | None) -> float | None:
    """How many times faster than its trial in eager PyTorch; None unless both were timed on the same target."""
    if eager is None or baseline_key(eager) != baseline_key(variant):
        return None
    eager_ms, variant_ms = eager.metrics.get("latency_ms"), variant.metrics.get("latency_ms")
    return eager_ms / variant_ms if eager_ms and variant_ms else None


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """A variant with its rank and pick among those of its host and runtime, and its trial in eager PyTorch."""

    rank: int
    pick: str
    variant: VariantView
    eager: VariantView | None


def ranked(variants: Iterable[VariantView], front: ParetoView, *, unlisted: Iterable[VariantView] = ()) -> list[Ranked]:
    """``variants`` in their order, ranked from 1 within each host and runtime.

    ``unlisted`` variants get no row, but may be the baseline in eager PyTorch of those that do.
    """
    listed = list(variants)
    eager, pick, ranks = eager_variants((*listed, *unlisted)), picks(front), Counter[tuple[str, str]]()
    rows = []
    for variant in listed:
        ranks[variant.host, variant.runtime] += 1
        rows.append(
            Ranked(
                rank=ranks[variant.host, variant.runtime],
                pick=pick.get(variant.id, ""),
                variant=variant,
                eager=eager.get(baseline_key(variant)),
            )
        )
    return rows


def by_host(rows: Iterable[Ranked]) -> list[list[Ranked]]:
    """One list per host and runtime, the longest first."""
    groups: dict[tuple[str, str], list[Ranked]] = {}
    for row in rows:
        groups.setdefault((row.variant.host, row.variant.runtime), []).append(row)
    return sorted(groups.values(), key=len, reverse=True)


def picks(front: ParetoView) -> dict[str, str]:
    """Picks by variant id, such as ``recommended, knee``."""
    words: dict[str, list[str]] = {}
    for group in front.variants:
        words.setdefault(group.recommended, []).append("recommended")
        for variant_id in group.ties:
            words.setdefault(variant_id, []).append("tie")
        for word, picked in (("knee", group.knee), ("best score", group.best_score)):
            if picked is not None:
                words.setdefault(picked, []).append(word)
        for variant in group.items:
            words.setdefault(variant.id, ["front"])
    return {variant_id: ", ".join(picked) for variant_id, picked in words.items()}


def details(variant: VariantView) -> list[tuple[str, str]]:
    """Pairs of name and value of one variant."""
    return [
        ("variant id", variant.id),
        ("trial id", variant.trial_id),
        ("recipe", variant.recipe),
        ("host", variant.host),
        ("F1", metric(variant, "f1", "{:.3f}".format)),
        ("F1 test", f1_test(variant)),
        ("latency ms", latency(variant)),
        ("size", metric(variant, "size_bytes", formats.size)),
        ("score", metric(variant, "score", "{:.3f}".format)),
        ("files", ", ".join(artifact.kind for artifact in variant.artifacts)),
    ]


def row(ranked: Ranked) -> tuple[str, ...]:
    """Cells in the order of ``HEADERS``."""
    variant, gained = ranked.variant, versus_eager(ranked.variant, ranked.eager)
    return (
        str(ranked.rank),
        ranked.pick,
        str(variant.trial_number),
        variant.recipe,
        variant.runtime,
        metric(variant, "f1", "{:.3f}".format),
        f1_test(variant),
        latency(variant),
        "" if gained is None else formats.ratio(gained),
        metric(variant, "size_bytes", formats.size),
        metric(variant, "score", "{:.3f}".format),
        "" if variant.agreement is None else f"{variant.agreement:.1%}",
        variant.id,
    )


def flat(ranked: Ranked) -> dict[str, object]:
    """CSV columns by name, with units."""
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
        **flat_on_test(variant),
        "speed_up": speed_up(variant),
        "versus_eager": versus_eager(variant, ranked.eager),
        "agreement": variant.agreement,
        "parity_error": variant.parity_error,
        "host": variant.host,
    }
