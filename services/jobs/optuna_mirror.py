"""The mirror of a study in Optuna's own tables, which optuna-dashboard opens."""

import threading
import time
from collections.abc import Sequence

import optuna

from search.contract.trials import PastTrial
from search.samplers.optuna_trials import for_dashboard, frozen_trial, optuna_study
from search.study.spec import StudySpec

_MIRROR_PERIOD_S = 0.5


class Mirror:
    """Copies ended trials into Optuna's own tables, in a thread of its own.

    ``history`` may grow meanwhile. The mirror is a projection: the search never reads it, and what is missing there is
    added when a driver starts. The thread rests nineteen times as long as it works, so that it takes little from a
    search with very short trials; ``close`` makes up for what is left.
    """

    def __init__(self, url: str, study_id: str, spec: StudySpec, *, classes: int, history: Sequence[PastTrial]) -> None:
        self._url, self._study_id, self._spec, self._classes = url, study_id, spec, classes
        self._history = history
        self._closing = threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="optuna-mirror", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Wait until the whole history is written; raises what went wrong."""
        self._closing.set()
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            storage = optuna.storages.RDBStorage(self._url)
            self._copy(optuna_study(storage, self._study_id, self._spec, load_if_exists=True))
        except Exception as error:  # whatever it is, close() raises it in the driver's thread
            self._error = error

    def _copy(self, study: optuna.Study) -> None:
        copied_earlier = {trial.user_attrs["number"] for trial in study.get_trials(deepcopy=False)}
        copied = 0
        while not (self._closing.wait(_MIRROR_PERIOD_S) and copied == len(self._history)):
            while copied < len(self._history):
                started = time.perf_counter()
                past = self._history[copied]
                if past.is_point and past.number not in copied_earlier:
                    trial = frozen_trial(past, self._spec, classes=self._classes)
                    study.add_trial(for_dashboard(trial))
                copied += 1
                self._closing.wait(19 * (time.perf_counter() - started))
