"""A study as TensorBoard logs: one folder per trial with its learning curve, parameters and results."""

from pathlib import Path

from api.client.errors import MissingPackageError
from api.client.resources import Study, TrialInFull
from search.contract.states import StudyState

_CURVE = ("loss", "f1", "accuracy")


class TensorBoardLogs:
    """``out`` is the folder for ``tensorboard --logdir``."""

    def __init__(self, study: Study, out: str) -> None:
        try:
            from tensorboardX import SummaryWriter
        except ModuleNotFoundError as error:
            raise MissingPackageError("tensorboardX", "'seedleaf[tensorboard]'") from error
        self._folder, self._writer = Path(out) / study.id, SummaryWriter

    def add(self, trial: TrialInFull) -> None:
        with self._writer(str(self._folder / f"trial-{trial.number:05d}")) as writer:
            started_s = trial.created_at.timestamp()
            for epoch in trial.epochs:
                for name in _CURVE:
                    writer.add_scalar(f"epoch/{name}", getattr(epoch, name), epoch.epoch, started_s + epoch.elapsed_s)
            params = {name: _hparam(value) for name, value in trial.assignment.items()}
            metrics = {f"trial/{name}": value for name, value in trial.metrics.items()}
            writer.add_hparams({**params, "state": trial.state.value}, metrics, name=".")

    def close(self, state: StudyState) -> None:
        """Nothing to do: each trial's file is closed when it is written."""


def _hparam(value: object) -> bool | int | float | str:
    """TensorBoard takes no lists, objects or nulls: these become text."""
    return value if isinstance(value, bool | int | float | str) else str(value)
