"""What compression is worth: each recipe against its parent's fp32 file and against eager PyTorch, over whole studies.

The study is examples/trashnet.yaml, through the service, once a seed (of the sampler, the split and the training). For
each recipe, on each study's candidate of the best f1, compared are the files as they stand on the leaderboard. A recipe
is named beforehand and averaged over the seeds: none is picked for what it happened to score.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from api.cli.documents import read_spec
from api.client.client import Client
from api.schemas import TrialView, VariantView
from benchmarks.parts.machine import describe, spread
from search.contract.states import JobState
from search.study.spec import StudySpec
from tests.acceptance.studies import ENDED
from tests.server import home_folder, server_process, wait_for

_EXAMPLE = Path(__file__).parents[1] / "examples" / "trashnet.yaml"
_EAGER, _PARENT = ("torch", "fp32"), ("onnxruntime", "fp32")


@dataclass(frozen=True, kw_only=True)
class Gain:
    """One recipe on one candidate: speed-ups are ratios of median latencies, ``f1`` the difference from the parent."""

    over_file: float
    over_eager: float
    f1: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/trashnet"), help="a folder of class folders")
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    print(f"{describe()}; {options.data.name}, {options.trials} trials a study, {options.seeds} seeds")
    gains: dict[str, list[Gain]] = {}
    with home_folder() as home, server_process(home) as server, Client(server.url) as client:
        for seed in range(options.seeds):
            best, variants = _searched(client, _spec(options.data.resolve(), options.trials, seed))
            found = gains_of(variants)
            cost = f"f1 {best.metrics['f1']:.3f}, {best.metrics['macs'] / 1e6:.1f} MMACs"
            print(f"seed {seed}: best candidate: {cost}; {len(found)} recipes", flush=True)
            for recipe, gain in found.items():
                gains.setdefault(recipe, []).append(gain)
    _print(gains)


def _spec(data: Path, trials: int, seed: int) -> StudySpec:
    spec = read_spec(_EXAMPLE)
    changes = {
        "dataset": spec.dataset.model_copy(update={"path": str(data), "seed": seed}),
        "budget": spec.budget.model_copy(update={"max_trials": trials}),
        "sampler": spec.sampler.model_copy(update={"seed": seed}),
    }
    return spec.model_copy(update=changes)


def _searched(client: Client, spec: StudySpec) -> tuple[TrialView, Sequence[VariantView]]:
    """The study's trial of the best f1 and what the pool made of it."""
    study = client.create_study(spec)
    wait_for(lambda: client.get_study(study.id).state in ENDED, timeout_s=3600, what="the study to end")
    best = client.list_trials(study_id=study.id, sort="f1", order="desc", limit=1).items[0]
    failed = [job for job in client.get_trial(best.id).compression if job.state is JobState.FAILED]
    for job in failed:
        print(f"  {job.recipe.name}: {job.reason}")
    return best, list(client.iter_variants(trial_id=best.id))


def gains_of(variants: Sequence[VariantView]) -> Mapping[str, Gain]:
    """For each recipe of one trial, by its name, what its ONNX Runtime file gains over the unchanged network."""
    rows = {(variant.runtime, variant.recipe): variant.metrics for variant in variants}
    eager, parent = rows[_EAGER], rows[_PARENT]
    return {
        recipe: Gain(
            over_file=parent["latency_ms"] / metrics["latency_ms"],
            over_eager=eager["latency_ms"] / metrics["latency_ms"],
            f1=metrics["f1"] - parent["f1"],
        )
        for (runtime, recipe), metrics in rows.items()
        if runtime == "onnxruntime"
    }


def _print(gains: Mapping[str, Sequence[Gain]]) -> None:
    print(f"{'recipe':28} {'times faster than fp32 file':32} {'than eager':32} f1 difference, mean (each)")
    for recipe, each in gains.items():
        over_file, over_eager = ([getattr(gain, name) for gain in each] for name in ("over_file", "over_eager"))
        differences = [gain.f1 for gain in each]
        listed = " ".join(f"{difference:+.3f}" for difference in differences)
        row = f"{recipe:28} {spread(over_file, 2):32} {spread(over_eager, 2):32} {mean(differences):+.4f} ({listed})"
        print(row, flush=True)


if __name__ == "__main__":
    main()
