"""``seedleaf train``: train a trial's candidate in full, and watch until it ends."""

from typing import Annotated

import typer

from api.cli.errors import CommandError
from api.cli.names import TrialName, find_trial_id
from api.cli.output import TextFormat, print_json
from api.client.client import Client
from api.client.waiting import wait_for_training
from api.schemas import TrainingDetail
from search.contract.states import JobState


def train(
    trial: TrialName,
    epochs: Annotated[
        int, typer.Option(min=1, max=10_000, help="Epochs of each seed, over the whole training split.")
    ] = 30,
    seeds: Annotated[int, typer.Option(min=1, max=20, help="How many runs, each from fresh weights.")] = 1,
    format_: TextFormat = "text",
) -> None:
    """Train a trial's candidate in full, on all the data; after kill -9 it resumes from its last epoch."""
    with Client() as client:
        trial_id = find_trial_id(client, trial)
        training = client.train_trial(trial_id, epochs=epochs, seeds=seeds)
        if format_ == "text":
            place = "" if training.queue_position is None else f", number {training.queue_position} in the queue"
            print(f"training {training.id} is {training.state}{place}", flush=True)
        try:
            ended = wait_for_training(client, training.id, training.study_id, progress=format_ == "text")
        except KeyboardInterrupt:
            raise CommandError(f"stopped watching; training {training.id} goes on: see trial {trial_id}") from None
    if format_ == "json":
        print_json(ended)
    else:
        _print(ended)
    if ended.state is not JobState.COMPLETED:
        raise CommandError(f"training {ended.id} is {ended.state}: {ended.reason or 'by request'}")


def _print(training: TrainingDetail) -> None:
    for run in training.runs:
        classes = " ".join(f"{f1:.3f}" for f1 in run.per_class_f1)
        print(f"seed {run.seed}: f1 {run.f1:.4f}, accuracy {run.accuracy:.4f}; by class {classes}")
    if training.state is not JobState.COMPLETED:
        return
    deviation = f", deviation {training.f1_deviation:.4f}" if training.seeds > 1 else ""
    print(f"f1 {training.f1:.4f}{deviation} ({training.seeds} seeds, {training.epochs} epochs)")
    print(f"from now on its best weights are compressed: seedleaf compress {training.trial_id} --recipe fp32")
