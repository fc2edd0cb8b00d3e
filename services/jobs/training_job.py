"""The Ray job of one training: ``python -m services.jobs.training_job ID`` trains a candidate in full, seed by seed.

It may be killed at any moment: every epoch is in a checkpoint, and the next attempt goes on from there.
"""

import argparse
import shutil
from concurrent.futures import ThreadPoolExecutor

import ray
import structlog
from sqlalchemy import Connection, Engine

from search.contract.confusion import split_confusion
from search.contract.reports import FullTrainingReport, TrainedWeights
from services import logs
from services.database import make_engine
from services.errors import ConflictError, NotFoundError
from services.jobs import no_room, ray_session
from services.jobs.teacher import taught_by
from services.log_tail import last_lines
from services.records.trainings import TrainingRun
from services.settings import Settings, settings
from services.storage.artifacts import ArtifactStore
from services.store import studies, trainings, trials
from services.studies import life_cycle
from workers.actors.full_training import FullTraining, train_in_full
from workers.data import DatasetChangedError

log = structlog.get_logger()


class TrainingJob:
    """Writes what its seeds report under this attempt; ConflictError once the training has ended or another has it."""

    def __init__(self, engine: Engine, config: Settings, training_id: str) -> None:
        self._engine, self._artifacts = engine, ArtifactStore(config.artifacts)
        with engine.begin() as connection:
            self._training = trainings.begin(connection, training_id)
            self._done = {run.seed for run in trainings.runs(connection, training_id)}
            study = studies.get(connection, self._training.study_id)
            candidate = trials.get(connection, self._training.trial_id).candidate
        self._resources = study.resources or study.spec.resources
        self._task = FullTraining.of(
            self._resources,
            candidate,
            dataset=study.dataset,
            epochs=self._training.epochs,
            cache_dir=config.cache_dir,
            checkpoints=config.checkpoints_dir / training_id,
            answers=taught_by(study, self._artifacts) if candidate.distillation_weight else None,
        )

    def run(self) -> None:
        """Train what is missing, as many seeds at a time as the cluster has room for."""
        missing = [seed for seed in range(self._training.seeds) if seed not in self._done]
        try:
            with ThreadPoolExecutor(max(len(missing), 1)) as pool:
                list(pool.map(self._seed, missing))
        except Exception as error:  # a full disk may be wrapped by Ray or a storage library
            if (fault := no_room.no_room_behind(error)) is not None:
                self._wait_for_room(fault)
                return
            if not isinstance(error, ray.exceptions.RayTaskError):
                raise
            with self._engine.begin() as connection:
                self._fail(connection, error)
        else:
            with self._engine.begin() as connection:
                life_cycle.complete_training(connection, self._training.id)
        shutil.rmtree(self._task.checkpoints, ignore_errors=True)

    def _fail(self, connection: Connection, error: ray.exceptions.RayTaskError) -> None:
        """End the training for what a seed raised; its study too if that is that its images have changed."""
        if not isinstance(error.cause, DatasetChangedError):
            life_cycle.fail_training(connection, self._training.id, last_lines(str(error)))
        elif not life_cycle.end_for_changed_dataset(connection, self._training.study_id, str(error.cause)):
            life_cycle.fail_training(connection, self._training.id, str(error.cause))

    def _wait_for_room(self, fault: no_room.NoRoomError) -> None:
        """Checkpoints stay: the next job goes on from there."""
        with self._engine.begin() as connection:
            trainings.hold(connection, self._training.id, self._training.attempts)
            trainings.requeue(connection, self._training.id, reason=no_room.note(connection, fault))

    def _seed(self, seed: int) -> None:
        options = {"num_cpus": self._resources.cpus_per_trial, "num_gpus": self._resources.gpus_per_trial}
        remote = ray.remote(train_in_full).options(max_retries=0, **options)
        for reference in remote.remote(self._task, seed):
            self._record(seed, ray.get(reference))

    def _record(self, seed: int, report: FullTrainingReport) -> None:
        run = None if report.result is None else self._stored(seed, report.result)
        with self._engine.begin() as connection:
            training = trainings.hold(connection, self._training.id, self._training.attempts)
            trainings.add_epoch(connection, training, seed, report.epoch)
            if run is not None:
                trainings.add_run(connection, training.id, run)

    def _stored(self, seed: int, result: TrainedWeights) -> TrainingRun:
        """The record of a seed's result, whose weights are in the artifact store now."""
        matrix, summary = split_confusion(result.scores.confusion)
        return TrainingRun(
            seed=seed,
            f1=result.scores.f1,
            accuracy=result.scores.accuracy,
            per_class_f1=result.scores.per_class_f1,
            confusion=matrix,
            confusion_summary=summary,
            weights_sha256=self._artifacts.put(result.weights),
            weights_size_bytes=len(result.weights),
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("training_id")
    training_id = parser.parse_args().training_id
    ray_session.connect()
    logs.configure("training", training_id=training_id)
    config = settings()
    try:
        TrainingJob(make_engine(config.require_database_url()), config, training_id).run()
    except (ConflictError, NotFoundError) as error:
        log.info("nothing to do", training_id=training_id, why=str(error))


if __name__ == "__main__":
    main()
