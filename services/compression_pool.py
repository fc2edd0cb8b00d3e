"""The Ray job "compression pool": leases queued compression jobs, runs them on actors and records their variants.

It is started when there is work and ends when there has been none for a while. It may be killed at any moment: what it
had leased is taken up again when the lease has run out.
"""

import time
from typing import Any

import ray
import structlog
from sqlalchemy import Engine, Row

from search.candidate import Candidate
from search.recipes import Recipe
from search.spec import StudySpec
from search.states import JobState
from services import studies as operations
from services.artifacts import ArtifactStore
from services.db import make_engine, new_id
from services.errors import ConflictError, LeaseLostError
from services.heartbeat import Heartbeat
from services.reasons import last_lines
from services.settings import Settings, settings
from services.store import jobs, studies, trials, variants
from workers.compression.registry import TrainedModel
from workers.compressor import RESOURCE, CompressionTask, Compressor
from workers.hosts import NAMESPACE

log = structlog.get_logger()
LEASE_S = 30.0
_HEARTBEAT_S = 5.0
_IDLE_S = 5.0
_POLL_S = 0.5


class Pool:
    """As many compressors as the cluster has of the resource ``compression``, each with one job at a time."""

    def __init__(self, engine: Engine, config: Settings) -> None:
        self._engine, self._config = engine, config
        self._artifacts = ArtifactStore(config.artifacts_dir)
        self._token = new_id("lease")
        self._idle = [_start_compressor() for _ in range(_places())]
        self._running: dict[ray.ObjectRef[Any], tuple[Any, Row[Any]]] = {}

    def run(self) -> None:
        """Work until nothing has been waiting for ``_IDLE_S`` seconds."""
        heartbeat = Heartbeat("leases", self._extend_leases, period_s=_HEARTBEAT_S)
        idle_since = time.monotonic()
        try:
            while self._running or time.monotonic() - idle_since < _IDLE_S:
                started = self._start_jobs()
                self._collect(timeout_s=_POLL_S)
                if started or self._running:
                    idle_since = time.monotonic()
        finally:
            heartbeat.close()

    def _extend_leases(self) -> bool:
        with self._engine.begin() as connection:
            jobs.extend(connection, self._token, lease_s=LEASE_S)
        return True

    def _start_jobs(self) -> bool:
        started = False
        while self._idle:
            with self._engine.begin() as connection:
                job = jobs.lease(connection, self._token, lease_s=LEASE_S)
            if job is None:
                break
            compressor = self._idle.pop()
            self._running[compressor.run.remote(self._task(job))] = (compressor, job)
            started = True
        return started

    def _task(self, job: Row[Any]) -> CompressionTask:
        with self._engine.connect() as connection:
            trial = trials.get(connection, job.trial_id)
            spec = StudySpec.model_validate(studies.get(connection, job.study_id).spec)
            recipe = Recipe.model_validate(job.recipe)
            teacher = operations.best_model(connection, job.study_id) if recipe.learns_from_study else None
        return CompressionTask(
            candidate=Candidate.model_validate(trial.candidate),
            weights=self._artifacts.get(job.weights_sha256),
            spec=spec,
            recipe=recipe,
            teacher=None if teacher is None else self._trained(*teacher),
            cache_dir=self._config.cache_dir,
        )

    def _trained(self, trial: Row[Any], weights_sha256: str) -> TrainedModel:
        return TrainedModel(
            candidate=Candidate.model_validate(trial.candidate), weights=self._artifacts.get(weights_sha256)
        )

    def _collect(self, *, timeout_s: float) -> None:
        if not self._running:
            time.sleep(timeout_s)
            return
        done, _ = ray.wait(list(self._running), num_returns=1, timeout=timeout_s)
        for reference in done:
            compressor, job = self._running.pop(reference)
            try:
                result = ray.get(reference)
            except ray.exceptions.RayActorError as error:
                # The job's lease runs out and it is tried again, on a new compressor.
                log.warning("compressor lost", job_id=job.id, error=str(error))
                self._idle.append(_start_compressor())
                continue
            except Exception as error:
                result = {"failed": last_lines(str(error))}
            self._idle.append(compressor)
            self._record(job, result)

    def _record(self, job: Row[Any], result: dict[str, Any]) -> None:
        stored = [self._stored(variant) for variant in result.get("variants", [])]
        failure = result.get("failed") or result.get("not_applicable")
        try:
            with self._engine.begin() as connection:
                operations.hold_job(connection, job, self._token)
                for values, files in stored:
                    _add_variant(connection, job, values, files)
                target = JobState.FAILED if failure else JobState.COMPLETED
                operations.end_job(connection, job, target, reason=failure or result.get("not_timed"))
        except (LeaseLostError, ConflictError) as error:
            log.info("compression result discarded", job_id=job.id, why=str(error))

    def _stored(self, variant: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The variant's row without its files, which are in the artifact store now, and the rows of these."""
        files = [
            {"id": new_id("artifact"), "kind": kind, "sha256": self._artifacts.put(content), "size_bytes": len(content)}
            for kind, content in variant["files"].items()
        ]
        metrics = variant["metrics"]
        rest = {key: value for key, value in variant.items() if key not in ("files", "metrics")}
        return {"id": new_id("variant"), **rest, **metrics}, files


def _add_variant(connection: Any, job: Row[Any], values: dict[str, Any], files: list[dict[str, Any]]) -> None:
    recipe = job.recipe
    owner = {"trial_id": job.trial_id}
    row = {**values, **owner, "job_id": job.id, "study_id": job.study_id}
    variants.add(connection, {**row, "recipe": recipe["name"], "steps": recipe["steps"]})
    for file in files:
        variants.add_artifact(connection, {**file, **owner, "variant_id": values["id"]})


def _places() -> int:
    places = int(ray.cluster_resources().get(RESOURCE, 0))
    if not places:
        raise RuntimeError(
            f"no node of this Ray cluster offers {RESOURCE!r}: ray start --resources='{{\"{RESOURCE}\": 1}}'"
        )
    return places


def _start_compressor() -> Any:
    return ray.remote(Compressor).options(num_cpus=0, resources={RESOURCE: 1}).remote()


def main() -> None:
    ray.init(namespace=NAMESPACE, log_to_driver=False)
    config = settings()
    Pool(make_engine(config.require_database_url()), config).run()


if __name__ == "__main__":
    main()
