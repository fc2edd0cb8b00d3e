"""The best points of an existing Optuna study, for a study to try first."""

from pathlib import Path
from typing import TYPE_CHECKING

from api.client.errors import SourceError

if TYPE_CHECKING:
    import optuna
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial

_SQLITE = b"SQLite format 3\x00"

#: The parameters of a trial, by name.
Point = dict[str, object]


def best_points(storage: str, study_name: str | None, count: int) -> list[Point]:
    """Up to ``count`` points of completed trials: front by front, feasible ones first, then by least violation.

    ``storage`` is a database URL, or the path of a SQLite file or a journal. SourceError if it cannot be read.
    """
    import optuna

    study = _study(storage, study_name)
    completed = study.get_trials(deepcopy=False, states=[optuna.trial.TrialState.COMPLETE])
    if not completed:
        raise SourceError(f"study {study.study_name} in {storage} has no completed trial")
    feasible = [trial for trial in completed if _violation(trial) <= 0]
    ranked = _by_fronts(study, feasible) + sorted(
        (trial for trial in completed if _violation(trial) > 0), key=_violation
    )
    return _unique([trial.params for trial in ranked])[:count]


def _study(storage: str, study_name: str | None) -> "optuna.Study":
    import optuna

    try:
        opened = _open(storage)
        names = optuna.get_all_study_names(opened)
    except Exception as error:  # SQLAlchemy, its drivers, the journal's JSON and files raise many kinds
        raise SourceError(f"{storage} cannot be read as an Optuna storage: {str(error).splitlines()[0]}") from error
    if not names:
        raise SourceError(f"{storage} holds no Optuna study")
    if study_name is None and len(names) == 1:
        study_name = names[0]
    if study_name not in names:
        what = "has several studies: name one" if study_name is None else f"has no study {study_name!r}"
        raise SourceError(f"{storage} {what}, by --study; there are {', '.join(names)}")
    return optuna.load_study(study_name=study_name, storage=opened)


def _open(storage: str) -> "BaseStorage":
    from optuna.storages import JournalStorage, RDBStorage
    from optuna.storages.journal import JournalFileBackend

    if "://" in storage:
        return RDBStorage(storage)
    with Path(storage).open("rb") as file:
        is_sqlite = file.read(len(_SQLITE)) == _SQLITE
    return RDBStorage(f"sqlite:///{storage}") if is_sqlite else JournalStorage(JournalFileBackend(storage))


def _violation(trial: "FrozenTrial") -> float:
    """The sum of a trial's violations, in both forms in which Optuna has stored constraints; feasible is 0."""
    violations = [*trial.constraints.values(), *trial.system_attrs.get("constraints", ())]
    return float(sum(max(violation, 0.0) for violation in violations))


def _by_fronts(study: "optuna.Study", trials: "list[FrozenTrial]") -> "list[FrozenTrial]":
    """The trials of the front, then those of the front of the rest, and so on."""
    import numpy as np
    from optuna.study import StudyDirection

    from search.pareto import front

    signs = [-1.0 if direction == StudyDirection.MAXIMIZE else 1.0 for direction in study.directions]
    rest, ranked = list(trials), list["FrozenTrial"]()
    while rest:
        indices = front(np.array([trial.values for trial in rest], dtype=np.float64) * signs)
        ranked += [rest[index] for index in indices]
        rest = [trial for index, trial in enumerate(rest) if index not in set(indices)]
    return ranked


def _unique(points: list[Point]) -> list[Point]:
    return [point for index, point in enumerate(points) if point not in points[:index]]
