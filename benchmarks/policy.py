"""What a searched augmentation policy is worth: a study's best trial, trained again with its policy and without.

The study is examples/trashnet-policy.yaml, through the service. Its best trial by f1 is trained again, each time from
fresh weights with another seed, with the policy that was found and with no augmentation at all, for equally many steps:
with copies made ahead an epoch has more of them, so that the other side gets more epochs.
"""

import argparse
import multiprocessing
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import mean, stdev

import torch

from api.cli.documents import read_spec
from benchmarks.parts.machine import describe
from search.contract.augmentation import Policy
from search.contract.candidate import Candidate
from search.contract.dataset import DatasetSpec
from seedleaf import Client
from tests.acceptance.studies import ENDED
from tests.server import home_folder, server_process, wait_for
from workers.augmentation.training_input import training_input
from workers.data import load_dataset
from workers.models import build_network
from workers.training.device_dataset import to_device
from workers.training.engine import TrainingPlan, train

_EXAMPLE = Path(__file__).parents[1] / "examples" / "trashnet-policy.yaml"
_NOTHING = Policy(max_ops=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/trashnet"), help="a folder of class folders")
    parser.add_argument("--trials", type=int, default=24)
    parser.add_argument("--epochs", type=int, default=30, help="of each training with the policy")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    dataset = DatasetSpec(source="folder", path=str(options.data.resolve()), test_fraction=0)
    candidate = _searched(dataset, options.trials)
    policy = candidate.augmentation
    names = ", ".join(f"{operation.name} {operation.magnitude:.2f}" for operation in policy.operations)
    print(f"{describe()}; {options.data.name}, {options.seeds} seeds, {options.epochs} epochs with the policy")
    print(f"policy: up to {policy.max_ops} of {names}; copies {policy.copies}")
    searched = _trained(candidate, dataset, options.epochs, options.seeds)
    plain = candidate.model_copy(update={"augmentation": _NOTHING})
    without = _trained(plain, dataset, options.epochs * (1 + policy.copies), options.seeds)
    differences = [ours - theirs for ours, theirs in zip(searched, without, strict=True)]
    for name, values in {"searched": searched, "without": without, "difference": differences}.items():
        each = " ".join(f"{value:.4f}" for value in values)
        print(f"{name:10} f1 {mean(values):.4f}, deviation {stdev(values):.4f} ({each})")


def _searched(dataset: DatasetSpec, trials: int) -> Candidate:
    """The candidate of the study's best trial."""
    spec = read_spec(_EXAMPLE)
    budget = spec.budget.model_copy(update={"max_trials": trials})
    with home_folder() as home, server_process(home) as server, Client(server.url) as client:
        study = client.create_study(spec.model_copy(update={"dataset": dataset, "budget": budget}))
        wait_for(lambda: client.get_study(study.id).state in ENDED, timeout_s=7200, what="the study to end")
        for use in client.get_importance(study.id).operations:
            print(f"{use.name:14} in {use.share_of_best:4.0%} of the best, {use.share_of_all:4.0%} of all trials")
        return client.list_trials(study_id=study.id, sort="f1", order="desc", limit=1).items[0].candidate


def _trained(candidate: Candidate, dataset: DatasetSpec, epochs: int, seeds: int) -> list[float]:
    """The final f1 of each seed; two trainings at a time, of one thread each."""
    with (
        tempfile.TemporaryDirectory() as cache,
        ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool,
    ):
        jobs = [pool.submit(_train, candidate, dataset, epochs, seed, Path(cache)) for seed in range(seeds)]
        return [job.result() for job in jobs]


def _train(candidate: Candidate, dataset: DatasetSpec, epochs: int, seed: int, cache: Path) -> float:
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    data = load_dataset(dataset, side_px=candidate.image_size, cache_dir=cache)
    training, validation = (
        to_device(data.images, data.labels, rows, classes=len(data.classes), device="cpu")
        for rows in (data.splits.train, data.splits.validation)
    )
    prepared = training_input(training, candidate.augmentation, seed=seed)
    plan = TrainingPlan(
        epochs=epochs,
        batch_size=candidate.batch_size,
        learning_rate=candidate.learning_rate,
        optimizer=candidate.optimizer,
        seed=seed,
    )
    network = build_network(candidate.architecture)
    *_, last = train(network, prepared.training, validation, plan, augment=prepared.augment)
    return last.scores.f1


if __name__ == "__main__":
    main()
