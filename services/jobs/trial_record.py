"""The callbacks of Ray Tune in a study's driver: they record its trials, and end those that hang."""

from pathlib import Path

import ray
import structlog
from ray import cloudpickle, tune
from ray.exceptions import OutOfMemoryError
from ray.tune.experiment import Trial

from search.contract.reports import FailedTrial
from search.tune.codec import decode_report, decode_suggestion, drop_outputs
from search.tune.early_stopping import Stopping
from services.jobs.deadline import Deadlines
from services.jobs.no_room import no_room_behind
from services.jobs.recorder import Recorder
from services.log_tail import last_lines
from workers.actors.lost import worker_was_lost
from workers.data import DatasetChangedError
from workers.training.errors import DeviceMemoryError

log = structlog.get_logger()


class NotCheckpointed:
    """Tune pickles what it is given to restore it one day; a study is rebuilt from the trials table instead."""

    def __getstate__(self) -> dict[str, object]:
        return {}


class TrialRecord(NotCheckpointed, tune.Callback):  # type: ignore[misc]
    """Records what Tune reports of each trial.

    A trial whose worker was lost is run again; one that reports nothing until its deadline is ended as FAILED.
    """

    def __init__(self, recorder: Recorder, stopping: Stopping | None, deadlines: Deadlines) -> None:
        self._recorder, self._stopping, self._deadlines = recorder, stopping, deadlines
        self._running: dict[str, Trial] = {}
        self._hung: dict[str, str] = {}

    def on_trial_start(self, iteration: int, trials: list[Trial], trial: Trial, **_: object) -> None:
        suggested = decode_suggestion(trial.config)
        self._running[suggested.trial_id] = trial
        self._deadlines.started(suggested.trial_id, macs=suggested.macs)

    def on_step_begin(self, iteration: int, trials: list[Trial], **_: object) -> None:
        """End the trials that hang: Tune then reports their workers as lost."""
        for trial_id, reason in self._deadlines.overdue().items():
            self._hung[trial_id] = reason
            self._deadlines.ended(trial_id)
            log.warning("trial hung", trial_id=trial_id, reason=reason)
            ray.kill(self._running[trial_id].temporary_state.ray_actor)

    def on_trial_result(
        self, iteration: int, trials: list[Trial], trial: Trial, result: dict[str, object], **_: object
    ) -> None:
        trial_id, report = decode_suggestion(trial.config).trial_id, decode_report(result)
        if report is None:
            return
        self._deadlines.reported(trial_id)
        if report.epoch is not None:
            self._recorder.epoch(trial_id, report.epoch)
        stopped = self._stopping.stopped.get(trial.trial_id) if self._stopping is not None else None
        if (ended := stopped or report.result) is not None:
            self._recorder.ended(trial_id, ended)
        drop_outputs(result)

    def on_trial_complete(self, iteration: int, trials: list[Trial], trial: Trial, **_: object) -> None:
        self._ended(decode_suggestion(trial.config).trial_id)

    def on_trial_error(self, iteration: int, trials: list[Trial], trial: Trial, **_: object) -> None:
        suggested, reason = decode_suggestion(trial.config), last_lines(Path(trial.error_file).read_text())
        trial_id, error = suggested.trial_id, _error_of(trial)
        self._ended(trial_id)
        raised = getattr(error, "cause", error)
        if trial_id in self._hung:
            self._recorder.ended(trial_id, FailedTrial(reason=self._hung.pop(trial_id)))
        elif error is not None and (no_room := no_room_behind(error)) is not None:
            self._recorder.no_room = no_room
        elif isinstance(raised, DatasetChangedError):
            self._recorder.dataset_changed(trial_id, str(raised), whole_gpu=suggested.whole_gpu)
        elif isinstance(raised, DeviceMemoryError) and not suggested.whole_gpu:
            self._recorder.run_again_on_whole_gpu(trial_id, f"run again with a GPU of its own, after this:\n{reason}")
        elif worker_was_lost(error):
            self._recorder.worker_lost(trial_id, reason, whole_gpu=suggested.whole_gpu)
        else:
            self._recorder.ended(trial_id, FailedTrial(reason=reason))

    def _ended(self, trial_id: str) -> None:
        self._running.pop(trial_id, None)
        self._deadlines.ended(trial_id)

    def killed_for_memory(self, error: OutOfMemoryError) -> None:
        """Have all that ran run again after Ray's memory monitor has killed a worker, which ends Tune's run.

        Only the trial whose worker is named counts it as lost; all of them where none is named.
        """
        reason = last_lines(str(error))
        named = {trial_id for trial_id, trial in self._running.items() if _actor_id(trial) in str(error)}
        self._recorder.interrupted(reason, lost=named or set(self._running))


def _actor_id(trial: Trial) -> str:
    return str(trial.temporary_state.ray_actor._actor_id.hex())


def _error_of(trial: Trial) -> BaseException | None:
    """What a trial was ended by; None for an error of Tune's own, which it does not keep."""
    if trial.pickled_error_file is None:
        return None
    error: BaseException = cloudpickle.loads(Path(trial.pickled_error_file).read_bytes())
    return error


def memory_kill_behind(error: BaseException) -> OutOfMemoryError | None:
    """The memory monitor's kill that an error of Tune's came from, if it did."""
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, OutOfMemoryError):
        seen = seen.__cause__ or seen.__context__
    return seen
