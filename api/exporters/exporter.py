"""Exporter: the protocol of a tool that trials are written to. A new exporter is a new file in this folder."""

from typing import Literal, Protocol

from api.client.resources import TrialInFull
from search.contract.states import StudyState

Target = Literal["optuna-journal", "optuna-sqlite", "mlflow", "tensorboard"]


class Exporter(Protocol):
    """Writes one study to another tool."""

    def add(self, trial: TrialInFull) -> None:
        """Write a trial that has ended."""

    def close(self, state: StudyState) -> None:
        """Finish after the last trial; ``state`` is the study's."""
