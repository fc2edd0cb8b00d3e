"""The Ray job "compression pool": leases queued compression jobs, has them run and records their variants.

It is started when there is work and ends when there has been none for a while. It may be killed at any moment: what it
had leased is taken up again when the lease has run out.
"""

import time
from typing import Any

import ray
import structlog
from sqlalchemy import Connection, Engine

from search.contract.states import JobState
from services import logs
from services.database import make_engine
from services.errors import ConflictError, LeaseLostError
from services.jobs.heartbeat import Heartbeat
from services.log_tail import last_lines
from services.records.jobs import CompressionJob
from services.records.trials import Trial
from services.settings import Settings, settings
from services.storage.artifacts import ArtifactStore
from services.store import jobs, studies, trials, variants
from services.store.ids import new_id
from services.studies import life_cycle, recipe_searches
from workers.actors.compressor import CompressionTask
from workers.actors.compressors import RESOURCE, Compressors, Outcome
from workers.actors.hosts import NAMESPACE
from workers.compression.state import TrainedModel

log = structlog.get_logger()
LEASE_S = 30.0
_HEARTBEAT_S = 5.0
_IDLE_S = 30.0
_POLL_S = 0.5
_NO_PLACE = (
    f"waits for a place: no node of the Ray cluster offers {RESOURCE!r}: ray start --resources='{{\"{RESOURCE}\": 1}}'"
)


class Pool:
    """As many jobs at once as the cluster has places for compressors."""

    def __init__(self, engine: Engine, config: Settings) -> None:
        self._engine, self._config = engine, config
        self._artifacts = ArtifactStore(config.artifacts)
        self._token = new_id("lease")
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
        """Start and record what there is; whether anything was waiting or running."""
        self._compressors.adjust()
        self._fail_abandoned_jobs()
        searching = recipe_searches.advance(self._engine, slots=self._compressors.places)
        waiting = self._start_jobs()
        if self._leased:
            for outcome in self._compressors.ended(timeout_s=_POLL_S):
                self._end(self._leased.pop(outcome.job_id), outcome)
        else:
            time.sleep(_POLL_S)
        return searching or waiting or bool(self._leased)

    def _fail_abandoned_jobs(self) -> None:
        """Fail the jobs that lost every pool that leased them, so that their studies go on without them."""
        with self._engine.connect() as connection:
            abandoned = jobs.abandoned(connection)
        for job in abandoned:
            with self._engine.begin() as connection:
                life_cycle.fail_abandoned_job(connection, job)

    def _extend_leases(self) -> bool:
        with self._engine.begin() as connection:
            jobs.extend(connection, self._token, lease_s=LEASE_S)
        return True

    def _start_jobs(self) -> bool:
        """Give free compressors the oldest jobs; whether there were any."""
        with self._engine.begin() as connection:
            waiting = jobs.waiting(connection)
            if waiting and not self._compressors.places:
                jobs.explain_waiting(connection, _NO_PLACE)
        for _ in range(waiting):
            if not self._start_job():
                break
        return bool(waiting)

    def _start_job(self) -> bool:
        """Whether a job was leased and a compressor free for it."""
        compressor = self._compressors.take()
        if compressor is None:
            return False
        with self._engine.begin() as connection:
            job = jobs.lease(connection, self._token, lease_s=LEASE_S)
        if job is None:
            self._compressors.give_back(compressor)
            return False
        try:
            task = self._task(job)
        except ValueError as error:
            self._compressors.give_back(compressor)
            self._end(job, Outcome(job_id=job.id, failure=str(error)))
            return True
        self._leased[job.id] = job
        self._compressors.start(compressor, job.id, task)
        return True

    def _task(self, job: CompressionJob) -> CompressionTask:
        """ValueError where the weights are missing or damaged."""
        with self._engine.connect() as connection:
            trial = trials.get(connection, job.trial_id)
            spec = studies.get(connection, job.study_id).spec
            recipe = job.read_recipe()
            teacher = life_cycle.best_model(connection, job.study_id) if recipe.learns_from_study else None
        return CompressionTask(
            candidate=trial.candidate,
            weights=self._artifacts.get(job.weights_sha256),
            spec=spec,
            recipe=recipe,
            teacher=None if teacher is None else self._trained(*teacher),
            cache_dir=self._config.cache_dir,
        )

    def _trained(self, trial: Trial, weights_sha256: str) -> TrainedModel:
        return TrainedModel(candidate=trial.candidate, weights=self._artifacts.get(weights_sha256))

    def _end(self, job: CompressionJob, outcome: Outcome) -> None:
        """Record what came of a job, unless it is no longer this pool's."""
        result = outcome.result or {}
        stored = [self._stored(variant) for variant in result.get("variants", [])]
        try:
            with self._engine.begin() as connection:
                life_cycle.hold_job(connection, job, self._token)
                for values, files in stored:
                    _add_variant(connection, job, values, files)
                self._end_held(connection, job, outcome, result)
        except (LeaseLostError, ConflictError) as error:
            log.info(
                "compression result discarded",
                job_id=job.id,
                study_id=job.study_id,
                trial_id=job.trial_id,
                why=str(error),
            )

    def _end_held(self, connection: Connection, job: CompressionJob, outcome: Outcome, result: dict[str, Any]) -> None:
        if outcome.lost is not None:
            log.warning(
                "compressor lost", job_id=job.id, study_id=job.study_id, trial_id=job.trial_id, error=outcome.lost
            )
            jobs.requeue(connection, job.id, reason=last_lines(outcome.lost))
            return
        failure = outcome.failure or result.get("failed") or result.get("not_applicable")
        if failure:
            life_cycle.end_job(connection, job, JobState.FAILED, reason=last_lines(failure))
        else:
            life_cycle.end_job(connection, job, JobState.COMPLETED, reason=result.get("not_timed"))

    def _stored(self, variant: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The variant's row without its files, which are in the artifact store now, and the rows of these."""
        files = [
            {"id": new_id("artifact"), "kind": kind, "sha256": self._artifacts.put(content), "size_bytes": len(content)}
            for kind, content in variant["files"].items()
        ]
        metrics = variant["metrics"]
        rest = {key: value for key, value in variant.items() if key not in ("files", "metrics")}
        return {"id": new_id("variant"), **rest, **metrics}, files


def _add_variant(connection: Any, job: CompressionJob, values: dict[str, Any], files: list[dict[str, Any]]) -> None:
    recipe = job.recipe
    owner = {"trial_id": job.trial_id}
    row = {**values, **owner, "job_id": job.id, "study_id": job.study_id}
    variants.add(connection, {**row, "recipe": recipe["name"], "steps": recipe["steps"]})
    for file in files:
        variants.add_artifact(connection, {**file, **owner, "variant_id": values["id"]})


def main() -> None:
    ray.init(namespace=NAMESPACE, log_to_driver=False)
    logs.configure("compression")
    config = settings()
    Pool(make_engine(config.require_database_url()), config).run()


if __name__ == "__main__":
    main()
