"""The best points of an Optuna study of one's own, for a study to try first."""

from pathlib import Path
from typing import Any

from api.client.errors import SourceError

_SQLITE = b"SQLite format 3\x00"


def best_points(storage: str, study_name: str | None, count: int) -> list[dict[str, Any]]:
    """The parameters of up to ``count`` completed trials: front by front, those that break no constraint before others.

    ``storage`` is a database's URL, or the path of a SQLite file or a journal. SourceError where nothing can be read.
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
    return _different([trial.params for trial in ranked])[:count]


def _study(storage: str, study_name: str | None) -> Any:
    import optuna

    try:
        opened = _opened(storage)
        names = optuna.get_all_study_names(opened)
    except Exception as error:  # whatever the database or the file gives rise to
        raise SourceError(f"{storage} cannot be read as an Optuna storage: {str(error).splitlines()[0]}") from error
    if not names:
        raise SourceError(f"{storage} holds no study of Optuna's")
    if study_name is None and len(names) == 1:
        study_name = names[0]
    if study_name not in names:
        what = "has several studies: name one" if study_name is None else f"has no study {study_name!r}"
        raise SourceError(f"{storage} {what}, by --study; there are {', '.join(names)}")
    return optuna.load_study(study_name=study_name, storage=opened)


def _opened(storage: str) -> Any:
    from optuna.storages import JournalStorage, RDBStorage
    from optuna.storages.journal import JournalFileBackend

    if "://" in storage:
        return RDBStorage(storage)
    with Path(storage).open("rb") as file:
        is_sqlite = file.read(len(_SQLITE)) == _SQLITE
    return RDBStorage(f"sqlite:///{storage}") if is_sqlite else JournalStorage(JournalFileBackend(storage))


def _violation(trial: Any) -> float:
    """The sum of what a trial's constraints are violated by, in both forms that Optuna has kept them in."""
    shares = [*trial.constraints.values(), *trial.system_attrs.get("constraints", ())]
    return float(sum(max(share, 0.0) for share in shares))


def _by_fronts(study: Any, trials: list[Any]) -> list[Any]:
    """The front, then the front of what is left, and so on."""
    import numpy as np
    from optuna.study import StudyDirection

    from search.pareto import front

    signs = [-1.0 if direction == StudyDirection.MAXIMIZE else 1.0 for direction in study.directions]
    left, ranked = list(trials), list[Any]()
    while left:
        indices = front(np.array([trial.values for trial in left], dtype=np.float64) * signs)
        ranked += [left[index] for index in indices]
        left = [trial for index, trial in enumerate(left) if index not in set(indices)]
    return ranked


def _different(points: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [point for place, point in enumerate(points) if point not in points[:place]]
