"""Sink: where the trials of a study are written to, so that another tool shows them. A new one is a file here."""

from typing import Literal, Protocol

from api.client.resources import TrialInFull
from search.contract.states import StudyState

Target = Literal["optuna-journal", "optuna-sqlite", "mlflow", "tensorboard"]


class Sink(Protocol):
    """One study in another tool, opened with what is known of the study."""

    def add(self, trial: TrialInFull) -> None:
        """Write a trial that has ended."""

    def close(self, state: StudyState) -> None:
        """Nothing more will come; ``state`` is the study's."""
