"""``seedleaf train``: a trial's candidate in full, watched to its end."""

import time
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from api.cli.errors import CommandError
from api.cli.output import console
from api.client.client import Client
from api.schemas import TrainingDetail
from search.states import UNFINISHED_JOB_STATES, JobState

_PERIOD_S = 1.0


def train(
    trial_id: Annotated[str, typer.Argument(metavar="TRIAL", help="The id of a trial.")],
    epochs: Annotated[int, typer.Option(min=1, max=10_000, help="Of each seed, over the whole training split.")] = 30,
    seeds: Annotated[int, typer.Option(min=1, max=20, help="How often, each time from fresh weights.")] = 1,
) -> None:
    """Train a trial's candidate in full, on all the data; it survives kill -9 and goes on from its last epoch."""
    with Client() as client:
        training = client.train_trial(trial_id, epochs=epochs, seeds=seeds)
        print(f"training {training.id} is {training.state}")
        try:
            ended = _watch(client, training.id)
        except KeyboardInterrupt:
            raise CommandError(f"stopped watching; training {training.id} goes on: see trial {trial_id}") from None
    _tell(ended)


def _watch(client: Client, training_id: str) -> TrainingDetail:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[note]}"), TimeRemainingColumn())
    output = console()
    with Progress(*columns, console=output, disable=not output.is_terminal) as progress:
        bar = progress.add_task("training", total=None, note="")
        while (training := client.get_training(training_id)).state in UNFINISHED_JOB_STATES:
            best = max((epoch.f1 for epoch in training.curves), default=None)
            note = "waiting for a place" if best is None else f"best f1 so far {best:.3f}"
            total = training.epochs * training.seeds
            progress.update(bar, completed=len(training.curves), total=total, note=note)
            time.sleep(_PERIOD_S)
    return training


def _tell(training: TrainingDetail) -> None:
    for run in training.runs:
        classes = " ".join(f"{f1:.3f}" for f1 in run.per_class_f1)
        print(f"seed {run.seed}: f1 {run.f1:.4f}, accuracy {run.accuracy:.4f}; by class {classes}")
    if training.state is not JobState.COMPLETED:
        raise CommandError(f"training {training.id} is {training.state}: {training.reason or 'by request'}")
    deviation = f", deviation {training.f1_deviation:.4f}" if training.seeds > 1 else ""
    print(f"f1 {training.f1:.4f}{deviation} ({training.seeds} seeds, {training.epochs} epochs)")
    print(f"its best weights are what is compressed now: seedleaf compress {training.trial_id} --recipe fp32")
