"""The Ray job "compression pool": leases queued compression jobs, has them run and records their variants.

It is started when there is work and ends when there has been none for a while. It may be killed at any moment: the jobs
that it had leased are leased again when their leases have run out.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import structlog
from sqlalchemy import Connection, Engine

from search.contract.confusion import confusion_to_json
from search.contract.recipes import Recipe
from search.contract.recipes.config import TrainingConfig
from search.contract.reports import (
    CompressedModel,
    CompressionFailed,
    CompressionResult,
    DatasetChanged,
    RecipeNotApplicable,
    VariantResult,
)
from search.contract.states import JobState
from search.files import UnwritableError
from services import logs
from services.database import make_engine
from services.errors import ConflictError, DeletedError, LeaseLostError, NotFoundError, StorageError
from services.jobs import no_room, ray_session
from services.jobs.heartbeat import Heartbeat
from services.jobs.teacher import taught_by
from services.log_tail import last_lines
from services.records.jobs import CompressionJob
from services.records.studies import Study
from services.records.trials import Trial
from services.settings import Settings, settings
from services.storage.artifacts import ArtifactStore
from services.store import jobs, storage_faults, studies, trials, variants
from services.store.ids import new_id
from services.studies import life_cycle, recipe_searches
from workers.actors.compressors import RESOURCE, Compressors, NotStored, WorkerLost
from workers.compression.task import CompressionTask, TrainedModel
from workers.teacher.answers import TeacherAnswers

log = structlog.get_logger()
LEASE_S = 30.0
_HEARTBEAT_S = 5.0
_IDLE_S = 30.0
_POLL_S = 0.5
_NO_SLOT = (
    f"waits for a place: no node of the Ray cluster offers {RESOURCE!r}: ray start --resources='{{\"{RESOURCE}\": 1}}'"
)


class Pool:
    """Runs as many jobs at once as the cluster has slots for compressors."""

    def __init__(self, engine: Engine, config: Settings) -> None:
        self._engine, self._config = engine, config
        self._artifacts = ArtifactStore(config.artifacts)
        self.token = new_id("lease")
        self._compressors = Compressors()
        self._leased: dict[str, CompressionJob] = {}

    def run(self) -> None:
        """Work until nothing has been waiting for ``_IDLE_S`` seconds."""
        heartbeat = Heartbeat("leases", self._extend_leases, period_s=_HEARTBEAT_S)
        idle_since = time.monotonic()
        try:
            while time.monotonic() - idle_since < _IDLE_S:
                if self._round():
                    idle_since = time.monotonic()
        finally:
            heartbeat.close()

    def _round(self) -> bool:
        """Start and record what there is; whether anything was waiting, running or announced."""
        self._fail_abandoned_jobs()
        searching = recipe_searches.advance(self._engine, slots=self._compressors.slots)
        waiting = self._start_jobs()
        if self._leased:
            for finished in self._compressors.finished(timeout_s=_POLL_S):
                self.end(self._leased.pop(finished.job_id), finished.outcome)
        else:
            time.sleep(_POLL_S)
        return searching or waiting or bool(self._leased)

    def _fail_abandoned_jobs(self) -> None:
        """Fail the jobs that lost every pool that leased them, so that their studies go on without them."""
        with self._engine.connect() as connection:
            abandoned = jobs.abandoned(connection)
        for job in abandoned:
            with suppress(DeletedError), self._engine.begin() as connection:
                life_cycle.fail_abandoned_job(connection, job)

    def _extend_leases(self) -> bool:
        with self._engine.begin() as connection:
            jobs.extend(connection, self.token, lease_s=LEASE_S)
        return True

    def _start_jobs(self) -> bool:
        """Give free compressors the oldest jobs; whether there were any, or will be when a probe ends. None is started
        while files have no room.
        """
        with self._engine.begin() as connection:
            waiting, announced = jobs.waiting(connection), jobs.announced(connection)
            if faults := storage_faults.list_open(connection):
                jobs.explain_waiting(connection, faults[0].reason)
                return False
            if waiting and not self._compressors.slots:
                jobs.explain_waiting(connection, _NO_SLOT)
        self._compressors.adjust(waiting + announced + len(self._leased))
        for _ in range(waiting):
            if not self._start_job():
                break
        return bool(waiting or announced)

    def _start_job(self) -> bool:
        """Whether a job was leased and a compressor free for it."""
        compressor = self._compressors.take()
        if compressor is None:
            return False
        with self._engine.begin() as connection:
            job = jobs.lease(connection, self.token, lease_s=LEASE_S)
        if job is None:
            self._compressors.give_back(compressor)
            return False
        try:
            task = self._task(job)
        except ValueError as error:
            self._compressors.give_back(compressor)
            self.end(job, CompressionFailed(reason=str(error)))
            return True
        except NotFoundError as error:  # its study was deleted meanwhile
            self._compressors.give_back(compressor)
            log.info("compression job given up", job_id=job.id, study_id=job.study_id, why=str(error))
            return True
        self._leased[job.id] = job
        self._compressors.start(compressor, job.id, task)
        return True

    def _task(self, job: CompressionJob) -> CompressionTask:
        """ValueError where the weights are missing or damaged."""
        with self._engine.connect() as connection:
            trial = trials.get(connection, job.trial_id)
            study = studies.get(connection, job.study_id)
            recipe = job.read_recipe()
            learns = recipe.learns_from_study and study.teacher_answers_sha256 is None
            teacher = life_cycle.best_model(connection, job.study_id) if learns else None
        return CompressionTask(
            candidate=trial.candidate,
            weights=self._artifacts.get(job.weights_sha256),
            spec=study.spec,
            dataset=study.dataset,
            recipe=recipe,
            teacher=None if teacher is None else self._trained(*teacher),
            cache_dir=self._config.cache_dir,
            answers=self._answers(study, trial, recipe),
        )

    def _answers(self, study: Study, trial: Trial, recipe: Recipe) -> TeacherAnswers | None:
        """Those of the study's teacher, if a step of the recipe learns from them."""
        trains = any(isinstance(step, TrainingConfig) for step in recipe.steps)
        learns = recipe.learns_from_study or (trains and trial.candidate.distillation_weight > 0)
        return taught_by(study, self._artifacts) if learns else None

    def _trained(self, trial: Trial, weights_sha256: str) -> TrainedModel:
        return TrainedModel(candidate=trial.candidate, weights=self._artifacts.get(weights_sha256))

    def end(self, job: CompressionJob, outcome: CompressionResult | WorkerLost | NotStored) -> None:
        """Record how the task of a job ended, unless the job is no longer this pool's."""
        try:
            if isinstance(outcome, NotStored):
                self._wait_for_room(job, outcome.error)
            else:
                self._record(job, outcome)
        except (UnwritableError, StorageError) as error:
            self._wait_for_room(job, error)

    def _wait_for_room(self, job: CompressionJob, error: no_room.NoRoomError) -> None:
        """Put a job back into the queue, unless it is no longer this pool's; the attempt does not count."""
        with self._holding(job) as connection:
            jobs.requeue(connection, job.id, reason=no_room.note(connection, error), counts=False)

    def _record(self, job: CompressionJob, outcome: CompressionResult | WorkerLost) -> None:
        """UnwritableError or StorageError if the files cannot be stored."""
        variants = outcome.variants if isinstance(outcome, CompressedModel) else ()
        stored = [(variant, self._stored(job, variant)) for variant in variants]
        with self._holding(job) as connection:
            for variant, files in stored:
                _add_variant(connection, job, variant, files)
            _change_state(connection, job, outcome)

    @contextmanager
    def _holding(self, job: CompressionJob) -> Iterator[Connection]:
        """A transaction for the result of a job; it is rolled back if the job is no longer this pool's."""
        try:
            with self._engine.begin() as connection:
                life_cycle.hold_job(connection, job, self.token)
                yield connection
        except (LeaseLostError, ConflictError, NotFoundError) as error:
            log.info(
                "compression result discarded",
                job_id=job.id,
                study_id=job.study_id,
                trial_id=job.trial_id,
                why=str(error),
            )

    def _stored(self, job: CompressionJob, variant: VariantResult) -> list[dict[str, object]]:
        """The rows of a variant's files, which are in the artifact store now."""
        return [
            {
                "id": new_id("artifact"),
                "kind": kind,
                "sha256": self._artifacts.put(content),
                "size_bytes": len(content),
                "trial_id": job.trial_id,
            }
            for kind, content in variant.files.items()
        ]


def _change_state(connection: Connection, job: CompressionJob, outcome: CompressionResult | WorkerLost) -> None:
    """Bring a job to the state that its outcome calls for."""
    match outcome:
        case WorkerLost(reason=reason):
            log.warning("compressor lost", job_id=job.id, study_id=job.study_id, trial_id=job.trial_id, error=reason)
            jobs.requeue(connection, job.id, reason=last_lines(reason))
        case CompressedModel(not_timed=not_timed):
            life_cycle.end_job(connection, job, JobState.COMPLETED, reason=not_timed)
        case RecipeNotApplicable(reason=reason) | CompressionFailed(reason=reason):
            life_cycle.end_job(connection, job, JobState.FAILED, reason=last_lines(reason))
        case DatasetChanged(reason=reason):
            if not life_cycle.end_for_changed_dataset(connection, job.study_id, reason):
                life_cycle.end_job(connection, job, JobState.FAILED, reason=reason)


def _add_variant(
    connection: Connection, job: CompressionJob, variant: VariantResult, files: list[dict[str, object]]
) -> None:
    metrics = variant.measurement.metrics
    row = {
        "id": new_id("variant"),
        "trial_id": job.trial_id,
        "job_id": job.id,
        "study_id": job.study_id,
        "recipe": job.recipe["name"],
        "steps": job.recipe["steps"],
        "runtime": variant.runtime,
        "host": variant.measurement.host,
        **metrics,
        "score": metrics.get("score"),
        "per_class_f1": variant.scores.per_class_f1,
        "confusion": confusion_to_json(variant.scores.confusion),
        "parity_error": variant.parity_error,
        "agreement": variant.agreement,
        "latency": variant.latency.to_json(),
    }
    variants.add(connection, row)
    for file in files:
        variants.add_artifact(connection, {**file, "variant_id": row["id"]})


def main() -> None:
    ray_session.connect()
    logs.configure("compression")
    config = settings()
    Pool(make_engine(config.require_database_url()), config).run()


if __name__ == "__main__":
    main()
