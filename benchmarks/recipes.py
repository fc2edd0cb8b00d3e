"""The search for recipes against a list of them, at the same number of evaluations: the hypervolume of F1 and latency.

Five networks of the space blocks-small are drawn and trained for a few epochs on a part of a folder of images at 64 px.
For each, the list is what a user may write down: the default recipes, then further ones by their names; the search
proposes as many, beginning with the default ones. Both sides are scored by the same functions: F1 of the exported file
on the validation split, and its latency interleaved with the parent's file, one thread. What both sides try is tried
once. A recipe that does not apply counts as an evaluation. The reference point is just beyond the worst of both.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from benchmarks.parts.machine import describe
from search.contract.candidate import Candidate
from search.contract.dataset import DatasetSpec
from search.contract.recipes import DEFAULT_RECIPES, NAMED_RECIPES, Recipe, Step, default_recipe
from search.contract.states import JobState
from search.pareto import hypervolume, reference_point
from search.samplers.optuna_trials import random_choosers
from search.samplers.recipe_search import Evaluation, propose
from search.study.draw import draw
from search.study.space_spec import SpaceSpec
from workers.augmentation.training_input import training_input
from workers.candidate_training import plan_of
from workers.compression.pipeline import finish
from workers.compression.state import CompressionState, NotApplicableError
from workers.compression.step_cache import StepCache
from workers.compression.task import TrainedModel
from workers.data import Dataset, load_dataset
from workers.export import load_weights, save_weights, to_onnx
from workers.latency.gate import HostGate
from workers.latency.protocol import QUICK, measure
from workers.latency.runtimes import RUNTIMES
from workers.latency.subject import model_subject
from workers.models import build_network, profile
from workers.training.device_dataset import DeviceDataset, to_device
from workers.training.engine import train

_SIDE_PX = 64
_LARGEST_MACS = 8e6
_SMALLEST_MACS = 2e6
#: What a user would add to the default recipes first: fewer channels in other ways, then a teacher, then the rest.
_FURTHER = (
    "structured-half",
    "structured-taylor",
    "structured-distilled",
    "low-rank",
    "mixed-int8",
    "qat-int8",
    "distilled",
    "structured-batchnorm",
)


@dataclass(frozen=True, kw_only=True)
class Parent:
    """A trained candidate and what its recipes need."""

    candidate: Candidate
    weights: bytes
    file: bytes
    training: DeviceDataset
    validation: DeviceDataset


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/trashnet"), help="a folder of class folders")
    parser.add_argument("--candidates", type=int, default=5)
    parser.add_argument("--evaluations", type=int, default=12)
    parser.add_argument("--epochs", type=int, default=8, help="of the training of each candidate")
    parser.add_argument("--fraction", type=float, default=0.4, help="of the training split that is trained on")
    parser.add_argument("--threads", type=int, default=2, help="of training")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    listed = [*DEFAULT_RECIPES, *map(default_recipe, _FURTHER)]
    listed += [named.recipe for named in NAMED_RECIPES if named.recipe not in listed]
    spec = DatasetSpec(
        source="folder", path=str(options.data.resolve()), subset_fraction=options.fraction, test_fraction=0
    )
    print(
        f"{describe()}; {options.data.name}, seed {options.seed}, {options.evaluations} evaluations a side", flush=True
    )
    with tempfile.TemporaryDirectory() as folder:
        data = load_dataset(spec, side_px=_SIDE_PX, cache_dir=Path(folder))
        wins = 0
        for number, candidate in enumerate(_candidates(len(data.classes), options.candidates, seed=options.seed)):
            parent = _trained(data, candidate, epochs=options.epochs, seed=options.seed)
            evaluate = _Evaluator(data, parent, seed=options.seed, folder=Path(folder) / f"beginnings-{number}")
            by_list = [evaluate(recipe) for recipe in listed[: options.evaluations]]
            by_search = _searched(evaluate, options.evaluations, seed=options.seed + number)
            wins += _compare(number, candidate, by_list, by_search)
    print(f"the search is ahead on {wins} of {options.candidates} candidates")


def _candidates(classes: int, count: int, *, seed: int) -> Iterator[Candidate]:
    """Random networks of blocks-small whose multiply-accumulates lie within limits."""
    space = SpaceSpec(image_size=(_SIDE_PX,))
    choosers = random_choosers(seed)
    while count:
        candidate = draw(space, next(choosers), classes=classes).model_copy(update={"learning_rate": 0.1})
        if _SMALLEST_MACS <= profile(candidate).macs <= _LARGEST_MACS:
            count -= 1
            yield candidate


def _trained(data: Dataset, candidate: Candidate, *, epochs: int, seed: int) -> Parent:
    training, validation = (
        to_device(data.images, data.labels, rows, classes=len(data.classes), device="cpu")
        for rows in (data.splits.train, data.splits.validation)
    )
    torch.manual_seed(seed)
    network = build_network(candidate.architecture)
    prepared = training_input(training, candidate.augmentation, seed=seed)
    plan = plan_of(candidate, epochs=epochs, seed=seed)
    for _ in train(network, prepared.training, validation, plan, augment=prepared.augment):
        pass
    return Parent(
        candidate=candidate,
        weights=save_weights(network),
        file=to_onnx(network, _SIDE_PX),
        training=training,
        validation=validation,
    )


class _Evaluator:
    """Evaluates each recipe once."""

    def __init__(self, data: Dataset, parent: Parent, *, seed: int, folder: Path) -> None:
        self._data, self._parent, self._seed = data, parent, seed
        self._step_cache = StepCache(folder=folder, origin="")
        self._known: dict[tuple[Step, ...], Evaluation] = {}

    def __call__(self, recipe: Recipe) -> Evaluation:
        if recipe.steps not in self._known:
            self._known[recipe.steps] = self._evaluation(recipe)
            print(f"  {_told(self._known[recipe.steps])}", flush=True)
        return self._known[recipe.steps]

    def _evaluation(self, recipe: Recipe) -> Evaluation:
        data, rows = self._data, self._data.splits.validation
        state = self._state()
        try:
            self._step_cache.run(recipe.network_steps, state)
            made = finish(recipe.file_steps, state, data.images[rows], data.labels[rows])
        except NotApplicableError:
            return Evaluation(recipe=recipe, state=JobState.FAILED)
        files = {"variant": made.model, "parent": self._parent.file}
        subjects = [model_subject(name, RUNTIMES["onnxruntime"], file) for name, file in files.items()]
        variant, parent = measure(subjects, threads=1, gate=HostGate(), effort=QUICK)
        share = variant.p50_ms / parent.p50_ms
        return Evaluation(recipe=recipe, state=JobState.COMPLETED, f1=made.scores.f1, latency_share=share)

    def _state(self) -> CompressionState:
        parent = self._parent
        network = build_network(parent.candidate.architecture, pretrained=False)
        load_weights(network, parent.weights)
        return CompressionState(
            network=network,
            candidate=parent.candidate,
            training=partial(training_input, parent.training, parent.candidate.augmentation, seed=self._seed),
            validation=parent.validation,
            calibration=self._data.images[self._data.splits.calibration],
            seed=self._seed,
            working=nullcontext,
            teacher=TrainedModel(candidate=parent.candidate, weights=parent.weights),
        )


def _searched(evaluate: Callable[[Recipe], Evaluation], count: int, *, seed: int) -> list[Evaluation]:
    past: list[Evaluation] = []
    while len(past) < count and (recipe := propose(past, seed=seed)) is not None:
        past.append(evaluate(recipe))
    return past


def _compare(number: int, candidate: Candidate, by_list: Sequence[Evaluation], by_search: Sequence[Evaluation]) -> bool:
    """Print both hypervolumes; whether the search's is larger."""
    sides = [_losses(by_list), _losses(by_search)]
    reference = reference_point(np.concatenate(sides))
    volumes = [hypervolume(losses, reference) for losses in sides]
    best = [f"f1 {-losses[:, 0].min():.3f}, least latency {losses[:, 1].min():.2f}" for losses in sides]
    print(
        f"candidate {number}, {profile(candidate).macs / 1e6:.1f} MMACs: list {volumes[0]:.4f} ({best[0]}), "
        f"search {volumes[1]:.4f} ({best[1]}), ratio {volumes[1] / volumes[0]:.3f}",
        flush=True,
    )
    return volumes[1] > volumes[0]


def _told(evaluation: Evaluation) -> str:
    steps = ", ".join(step.technique for step in evaluation.recipe.steps)
    if evaluation.f1 is None or evaluation.latency_share is None:
        return f"{evaluation.recipe.name} ({steps}): does not apply"
    return f"{evaluation.recipe.name} ({steps}): f1 {evaluation.f1:.3f}, latency {evaluation.latency_share:.2f}"


def _losses(evaluations: Sequence[Evaluation]) -> np.ndarray:
    """[n, 2]: the negative F1, and the latency as a share of the parent's."""
    figures = [
        (-evaluation.f1, evaluation.latency_share)
        for evaluation in evaluations
        if evaluation.f1 is not None and evaluation.latency_share is not None
    ]
    return np.array(figures)


if __name__ == "__main__":
    main()
