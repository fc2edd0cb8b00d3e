"""The recorder: the only writer of a study's trials. Every write is made under the study's lease."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

import structlog
from sqlalchemy import Connection, Engine

from search.contract.candidate import Candidate, Enqueued
from search.contract.epochs import EpochReport
from search.contract.metrics import Metrics
from search.contract.reports import ANSWERS, CompletedTrial, FailedTrial, Files, TrialResult
from search.contract.states import ANSWERED_TRIAL_STATES, StudyState, TrialState
from search.contract.trials import Assignment
from search.files import UnwritableError
from search.study.run_spec import BudgetSpec
from services.errors import ConflictError, LeaseLostError, StorageError
from services.jobs import no_room
from services.jobs.heartbeat import Heartbeat
from services.records.json_object import JsonObject
from services.records.trials import Trial
from services.storage.artifacts import ArtifactStore
from services.store import studies, totals, trials, variants
from services.store.ids import new_id
from services.studies import life_cycle

LEASE_S = 15.0
#: A search ends when its limits rule out so many candidates in a row: they cost no budget.
MAX_RULED_OUT = 200
#: A trial whose worker was lost is run again so many times at most.
MAX_RUNS_AGAIN = 3
_HEARTBEAT_S = 1.0
log = structlog.get_logger()

#: The ``shape``, ``macs`` and ``params`` of each line of a candidate's backbone.
Layers = Callable[[Candidate], Sequence[JsonObject]]


class Recorder:
    """Takes the lease of a study and writes its trials until the lease is lost. Implements ``TrialLog``.

    A thread extends the lease and reads the study's state and budget every second. ``layers`` computes the output shape
    and the cost of each layer of a network. ``no_room`` is why files of a trial could not be stored, once that is so:
    the search is to end then, by ``wait_for_room``.
    """

    def __init__(
        self, engine: Engine, artifacts: ArtifactStore, study_id: str, *, layers: Layers | None = None
    ) -> None:
        self._engine, self._artifacts, self.study_id = engine, artifacts, study_id
        self._layers = layers
        self._token = new_id("lease")
        self.lease_lost = self._progressed = False
        self.no_room: no_room.NoRoomError | None = None
        self._failures_in_row, self._last_failure = 0, ""
        self._dataset_change: str | None = None
        self._ruled_out_in_row, self._last_complaint = 0, ""
        self._sampled_s = 0.0
        with engine.begin() as connection:
            self._take_over(connection)
        self._heartbeat = Heartbeat("lease", self._beat, period_s=_HEARTBEAT_S)

    def _take_over(self, connection: Connection) -> None:
        study = studies.get(connection, self.study_id, lock=True)
        if study.state not in (StudyState.QUEUED, StudyState.RUNNING):
            raise ConflictError(f"study {self.study_id} is {study.state}: there is nothing to search")
        self.spec = study.spec
        self.answers_sha256 = study.teacher_answers_sha256
        self._elapsed_s = study.search_elapsed_s
        self.state = StudyState.RUNNING
        studies.take_lease(connection, self.study_id, self._token, lease_s=LEASE_S)
        if study.state is StudyState.QUEUED:
            studies.set_state(
                connection, self.study_id, StudyState.RUNNING, started_at=study.started_at or study.created_at
            )
        for cut_off in trials.cancel_running(connection, self.study_id, "its driver was lost: it is run again"):
            studies.enqueue(connection, new_id("enqueued"), self.study_id, cut_off)
        answered = trials.list_by_study(connection, self.study_id, ANSWERED_TRIAL_STATES)
        self._curves = trials.curves(connection, self.study_id)
        self.history = [trial.as_past(self._curves.get(trial.id, ())) for trial in answered]
        self._spent = sum(trial.state is not TrialState.INFEASIBLE or trial.host is not None for trial in answered)
        self._number = trials.next_number(connection, self.study_id)
        self._enqueued = studies.enqueued(connection, self.study_id)

    @property
    def budget(self) -> BudgetSpec:
        return self.spec.budget

    def accepts_more(self) -> bool:
        return (
            self.state is StudyState.RUNNING
            and not self.lease_lost
            and self.no_room is None
            and self.stop_reason() is None
            and self.remaining() > 0
        )

    def remaining(self) -> int:
        """Trials that the budget still allows to start."""
        return self.budget.max_trials - self._spent

    def time_is_short(self) -> bool:
        """Whether, at the pace so far, the budget's minutes run out before its trials; true before there is a pace."""
        left_s = self.seconds_left()
        if left_s is None:
            return False
        return not self._spent or self.remaining() * self._elapsed_s / self._spent > left_s

    def seconds_left(self) -> float | None:
        """What is left of the budget's minutes, below 0 once they are over; None if these have no limit."""
        return None if self.budget.max_minutes is None else 60 * self.budget.max_minutes - self._elapsed_s

    def stop_reason(self) -> str | None:
        """Why the search ends before its number of trials, or None."""
        if self._dataset_change is not None:
            return f"dataset: {self._dataset_change}"
        if self._failures_in_row >= self.budget.max_failures:
            return f"{self._failures_in_row} trials failed in a row; the last one: {self._last_failure}"
        if self._ruled_out_in_row >= MAX_RULED_OUT:
            return f"{MAX_RULED_OUT} candidates in a row were ruled out before training: {self._last_complaint}"
        if self.budget.max_minutes is not None and self._elapsed_s >= 60 * self.budget.max_minutes:
            return f"the budget of {self.budget.max_minutes:g} minutes is used up"
        return None

    def longest_epoch(self) -> tuple[float, float] | None:
        """The seconds of the longest epoch so far, and the most multiply-accumulates of a trial that reported one."""
        with self._engine.connect() as connection:
            return trials.longest_epoch(connection, self.study_id)

    @property
    def failed(self) -> bool:
        return self._dataset_change is not None or self._failures_in_row >= self.budget.max_failures

    def enqueued(self) -> Mapping[str, Enqueued]:
        return self._enqueued

    def started(self, *, assignment: Assignment, candidate: Candidate, metrics: Metrics, enqueued: str | None) -> str:
        layers = self._layers(candidate) if self._layers else None
        with self.writing() as connection:
            queued = self._taken_off(connection, enqueued)
            trial_id = self._add(connection, assignment, candidate, metrics, queued, layers)
            self._spent += 1
            self._ruled_out_in_row = 0
        return trial_id

    def infeasible(
        self, *, assignment: Assignment, candidate: Candidate, metrics: Metrics, reason: str, enqueued: str | None
    ) -> None:
        self._ruled_out_in_row, self._last_complaint = self._ruled_out_in_row + 1, reason
        with self.writing() as connection:
            queued = self._taken_off(connection, enqueued)
            trial_id = self._add(connection, assignment, candidate, metrics, queued)
            trial = trials.end(connection, trial_id, TrialState.INFEASIBLE, reason=reason)
        self.history.append(trial.as_past())

    def _taken_off(self, connection: Connection, enqueued: str | None) -> Enqueued | None:
        """Take ``enqueued`` off the queue."""
        if enqueued is None:
            return None
        queued = studies.dequeue(connection, enqueued)
        self._enqueued = studies.enqueued(connection, self.study_id)
        return queued

    def _add(
        self,
        connection: Connection,
        assignment: Assignment,
        candidate: Candidate,
        metrics: Metrics,
        queued: Enqueued | None,
        layers: Sequence[JsonObject] | None = None,
    ) -> str:
        trial_id = new_id("trial")
        trials.add(
            connection,
            trial_id=trial_id,
            study_id=self.study_id,
            number=self._number,
            candidate=candidate.model_dump(mode="json"),
            assignment=dict(assignment),
            metrics=metrics,
            layers=layers,
            role=None if queued is None else queued.role,
            workers_lost=0 if queued is None else queued.workers_lost,
        )
        self._number += 1
        totals.add(connection, self.study_id, "sampler_seconds", self._sampled_s)
        self._sampled_s = 0.0
        return trial_id

    def sampled(self, elapsed_s: float) -> None:
        self._sampled_s += elapsed_s

    def epoch(self, trial_id: str, epoch: EpochReport) -> None:
        with self.writing() as connection:
            trials.add_epoch(connection, self.study_id, trial_id, epoch)
        self._curves.setdefault(trial_id, []).append(epoch.curve_point)

    def ended(self, trial_id: str, result: TrialResult) -> None:
        """Record how a trial ended; nothing if it was ended from outside before: that state stays.

        A trial whose files cannot be stored stays as it is, for ``wait_for_room``.
        """
        files = dict(result.files) if isinstance(result, CompletedTrial) else {}
        answers = files.pop(ANSWERS, None)
        try:
            artifacts = self._stored(trial_id, files)
            answers_sha256 = None if answers is None else self._artifacts.put(answers)
        except (UnwritableError, StorageError) as error:
            self.no_room = error
            return
        try:
            with self.writing() as connection:
                trial = _end(connection, trial_id, result)
                for artifact in artifacts:
                    variants.add_artifact(connection, artifact)
                if trial.state is TrialState.COMPLETED:
                    life_cycle.trial_completed(connection, self.spec, trial)
                if answers_sha256 is not None:
                    self._add_answers(connection, answers_sha256, trial_id=trial_id)
                if not self._progressed:
                    studies.set_values(connection, self.study_id, submissions=0)
        except ConflictError as error:
            log.info("trial result discarded", trial_id=trial_id, why=str(error))
            return
        self._progressed = True
        self._count_failures(result)
        self.history.append(trial.as_past(self._curves.get(trial_id, ())))

    def add_answers(self, answers: bytes) -> None:
        """Record the answers of a teacher that is no trial. Raises UnwritableError and StorageError."""
        sha256 = self._artifacts.put(answers)
        with self.writing() as connection:
            self._add_answers(connection, sha256, trial_id=None)

    def _add_answers(self, connection: Connection, sha256: str, *, trial_id: str | None) -> None:
        values = {"teacher_trial_id": trial_id, "teacher_answers_sha256": sha256}
        studies.set_values(connection, self.study_id, **values)
        self.answers_sha256 = sha256

    def _stored(self, trial_id: str, files: Files) -> list[dict[str, object]]:
        """The rows of a trial's files, which are in the artifact store now."""
        return [
            {
                "id": new_id("artifact"),
                "sha256": self._artifacts.put(content),
                "kind": kind,
                "size_bytes": len(content),
                "trial_id": trial_id,
            }
            for kind, content in files.items()
        ]

    def dataset_changed(self, trial_id: str, change: str, *, whole_gpu: bool) -> None:
        """Cancel a trial whose images are no longer the study's, at no cost to the budget, and end the search.

        Its choices are queued: they run first if the images are restored and the study is extended.
        """
        self._dataset_change = change
        self._run_again(trial_id, change, whole_gpu=whole_gpu)

    def run_again_on_whole_gpu(self, trial_id: str, reason: str) -> None:
        """Cancel a trial, at no cost to the budget, and queue its choices for a GPU that no other trial shares."""
        self._run_again(trial_id, reason, whole_gpu=True)

    def worker_lost(self, trial_id: str, cause: str, *, whole_gpu: bool = False) -> None:
        """Have a trial whose worker died run again, at no cost to the budget; FAILED once it was run again
        ``MAX_RUNS_AGAIN`` times.
        """
        with self._engine.connect() as connection:
            lost = trials.get(connection, trial_id).workers_lost + 1
        if lost > MAX_RUNS_AGAIN:
            reason = f"poisoned: its worker was lost {lost} times, and it is not run again; the last time:\n{cause}"
            self.ended(trial_id, FailedTrial(reason=reason))
        else:
            reason = f"its worker was lost: it is run again ({lost} of {MAX_RUNS_AGAIN} times at most):\n{cause}"
            self._run_again(trial_id, reason, whole_gpu=whole_gpu, workers_lost=lost)

    def interrupted(self, reason: str, *, lost: Collection[str]) -> None:
        """Have every running trial run again. The workers of the trials in ``lost`` died."""
        with self._engine.connect() as connection:
            running = trials.list_by_study(connection, self.study_id, [TrialState.RUNNING])
        for trial in running:
            if trial.id in lost:
                self.worker_lost(trial.id, reason)
            else:
                self._run_again(trial.id, f"it was interrupted, and is run again:\n{reason}")

    def _run_again(
        self, trial_id: str, reason: str, *, whole_gpu: bool = False, workers_lost: int | None = None
    ) -> None:
        try:
            with self.writing() as connection:
                trial = trials.end(connection, trial_id, TrialState.CANCELLED, reason=reason)
                again = trial.enqueued_again(whole_gpu=whole_gpu, workers_lost=workers_lost)
                studies.enqueue(connection, new_id("enqueued"), self.study_id, again)
                self._enqueued = studies.enqueued(connection, self.study_id)
        except ConflictError as error:
            log.info("trial result discarded", trial_id=trial_id, why=str(error))
            return
        self._spent -= 1

    def wait_for_room(self, error: no_room.NoRoomError) -> None:
        """Have the study wait until files can be stored. Trials that run are cut off, at no cost to the budget."""
        with self.writing() as connection:
            self.lock_study(connection)
            reason = no_room.note(connection, error)
            for cut_off in trials.cancel_running(connection, self.study_id, f"it is run again; {reason}"):
                studies.enqueue(connection, new_id("enqueued"), self.study_id, cut_off)
            if self.state is StudyState.RUNNING:
                studies.requeue(connection, self.study_id, reason=reason)

    def _count_failures(self, result: TrialResult) -> None:
        if isinstance(result, FailedTrial):
            self._failures_in_row += 1
            self._last_failure = result.reason.strip().rpartition("\n")[2]
        else:
            self._failures_in_row = 0

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction under the lease. LeaseLostError, and nothing is written, if another driver has it."""
        with self._engine.begin() as connection:
            studies.lock_lease(connection, self.study_id, self._token)
            yield connection

    def _beat(self) -> bool:
        try:
            with self._engine.begin() as connection:
                study = studies.extend_lease(
                    connection, self.study_id, self._token, lease_s=LEASE_S, elapsed_s=_HEARTBEAT_S
                )
                self._enqueued = studies.enqueued(connection, self.study_id)
        except LeaseLostError:
            self.lease_lost = True
            return False
        self._update(study.state, study.budget, study.search_elapsed_s)
        return True

    def _update(self, state: StudyState, budget: BudgetSpec, elapsed_s: float) -> None:
        self.state, self._elapsed_s = state, elapsed_s
        self.spec = self.spec.model_copy(update={"budget": budget})

    def lock_study(self, connection: Connection) -> None:
        """Hold the study's row, and know its state and budget as they are now, until the transaction ends."""
        study = studies.get(connection, self.study_id, lock=True)
        self._update(study.state, study.spec.budget, study.search_elapsed_s)

    def close(self) -> None:
        self._heartbeat.close()


def _end(connection: Connection, trial_id: str, result: TrialResult) -> Trial:
    """Change a trial's state to that of its result. ConflictError if it has ended."""
    measurement = None if isinstance(result, FailedTrial) else result.measurement
    return trials.end(
        connection,
        trial_id,
        result.state,
        reason=None if isinstance(result, CompletedTrial) else result.reason,
        metrics=None if measurement is None else measurement.metrics,
        scores=result.scores if isinstance(result, CompletedTrial) else None,
        host=None if measurement is None else measurement.host,
    )
