"""A study as an Optuna study in a file, a journal or SQLite, for optuna-dashboard and Optuna."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, cast

from api.client.errors import TargetError
from api.client.resources import Study, TrialInFull
from search.contract.states import StudyState

if TYPE_CHECKING:
    from optuna.storages import BaseStorage


class OptunaFile:
    """An Optuna study named by the study's id, with metric names; violated limits are Optuna constraints."""

    def __init__(self, study: Study, storage: "BaseStorage") -> None:
        from optuna.exceptions import DuplicatedStudyError

        from search.samplers.optuna_trials import optuna_study

        self._spec, self._classes = study.spec, len(study.classes or ())
        try:
            self._study = optuna_study(storage, study.id, study.spec, load_if_exists=False)
        except DuplicatedStudyError as error:
            raise TargetError(f"study {study.id} is in that file already: name another file") from error

    def add(self, trial: TrialInFull) -> None:
        from search.contract.trials import Assignment, PastTrial, TrialRole
        from search.samplers.optuna_trials import for_dashboard, frozen_trial

        if trial.role is TrialRole.PROBE:  # no point of the space
            return
        assignment = cast(Assignment, trial.assignment)
        past = PastTrial(number=trial.number, state=trial.state, assignment=assignment, metrics=trial.metrics)
        self._study.add_trial(for_dashboard(frozen_trial(past, self._spec, classes=self._classes)))

    def close(self, state: StudyState) -> None:
        """Nothing to do: each trial is written when it is added."""


def journal(study: Study, out: str) -> OptunaFile:
    """``out`` is the file; open it by ``JournalStorage(JournalFileBackend(out))``."""
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    return _open(study, out, lambda path: JournalStorage(JournalFileBackend(str(path))))


def sqlite(study: Study, out: str) -> OptunaFile:
    """``out`` is the file; open it as ``sqlite:///out``."""
    from optuna.storages import RDBStorage

    return _open(study, out, lambda path: RDBStorage(f"sqlite:///{path}"))


def _open(study: Study, out: str, storage: Callable[[Path], "BaseStorage"]) -> OptunaFile:
    path = Path(out)
    if not path.parent.is_dir():
        raise TargetError(f"there is no folder {path.parent} to write {path.name} to")
    return OptunaFile(study, storage(path))
