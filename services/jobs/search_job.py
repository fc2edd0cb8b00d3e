"""The Ray job of one study: ``python -m services.jobs.search_job STUDY_ID`` searches it until its budget is spent.

It may be killed at any moment: what it has recorded is in PostgreSQL, and the next driver goes on from there.
"""

import argparse
import os
import tempfile
from dataclasses import asdict
from functools import partial
from pathlib import Path

# Tune reads these when it is imported.
os.environ.setdefault("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")
os.environ.setdefault("TUNE_DISABLE_STRICT_METRIC_CHECKING", "1")
os.environ.setdefault("TUNE_GLOBAL_CHECKPOINT_S", "86400")
os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")

import ray
import structlog
from ray import tune

from search.contract.states import StudyState, TrialState
from search.contract.study_dataset import StudyDataset
from search.samplers.describe import Features, Profile
from search.samplers.frontier import TransferData
from search.samplers.warm_start import transfer_data
from search.study.run_spec import ResourcesSpec
from search.study.yardsticks import first_side_px
from search.tune.codec import decode_suggestion
from search.tune.early_stopping import Stopping
from search.tune.scheduler import CurveForecastStopping
from search.tune.searcher import StudySearch
from services import logs
from services.database import make_engine, optuna_url
from services.errors import ConflictError, DeletedError
from services.jobs import ray_session
from services.jobs.deadline import Deadlines, Patience
from services.jobs.no_room import no_room_behind
from services.jobs.optuna_mirror import Mirror
from services.jobs.recorder import Recorder
from services.jobs.trial_record import NotCheckpointed, TrialRecord, memory_kill_behind
from services.settings import Settings, settings
from services.storage.artifacts import ArtifactStore
from services.store import deletions, studies, trials
from services.studies import life_cycle
from workers.actors.hosts import PATIENCE_S, Slots, TargetMissingError
from workers.actors.resource_sizing import chosen_resources
from workers.actors.teacher_file import answers_from_file
from workers.actors.trial import TrialActor, TrialTask
from workers.data import DataError, load_dataset, load_study_dataset
from workers.models import cost_metrics, features, layers_of
from workers.teacher.answers import AnswersError, TeacherAnswers
from workers.teacher.onnx_file import TeacherError

log = structlog.get_logger()
_PATIENCE = Patience()


class SharedAnswers:
    """The study's answers of a teacher in Ray's object store, where they are put once there are any."""

    def __init__(self, recorder: Recorder, artifacts: ArtifactStore) -> None:
        self._recorder, self._artifacts = recorder, artifacts
        self._shared: tuple[str, ray.ObjectRef] | None = None

    def __call__(self) -> ray.ObjectRef | None:
        """A reference to the TeacherAnswers; None while there are none."""
        sha256 = self._recorder.answers_sha256
        if sha256 is None:
            return None
        if self._shared is None or self._shared[0] != sha256:
            self._shared = sha256, ray.put(TeacherAnswers.from_bytes(self._artifacts.get(sha256)))
        return self._shared[1]


class StopAll(NotCheckpointed, tune.Stopper):  # type: ignore[misc]
    """Ends all trials at once when the study is cancelled, another driver has its lease, or files have no room."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def __call__(self, trial_id: str, result: dict[str, object]) -> bool:
        return False

    def stop_all(self) -> bool:
        recorder = self._recorder
        return recorder.lease_lost or recorder.no_room is not None or recorder.state is StudyState.CANCELLED


def run(
    study_id: str,
    config: Settings,
    *,
    trainable: type[tune.Trainable] = TrialActor,
    profile: Profile = cost_metrics,
    features: Features = features,
    patience_s: float = PATIENCE_S,
    patience: Patience = _PATIENCE,
) -> None:
    """Search a study until nothing is left to do, then queue the compression of its best.

    It waits ``patience_s`` for the host of its target, and for a trial's next report as ``patience`` says.
    ConflictError if there is nothing to search; LeaseLostError if another driver took over.
    """
    url = config.require_database_url()
    engine = make_engine(url)
    recorder = Recorder(engine, ArtifactStore(config.artifacts), study_id, layers=layers_of)
    try:
        Slots(patience_s=patience_s).ready(recorder.spec.target)
        dataset = _read_dataset(recorder, study_id, config.cache_dir)
        classes = len(dataset.classes)
        resources = _trial_resources(recorder, config, study_id, dataset)
        mirror = Mirror(optuna_url(url), study_id, recorder.spec, classes=classes, history=recorder.history)
        _ask_file(recorder, resources, dataset, config.cache_dir)
        end_reason = None
        while recorder.no_room is None and not _concluded(recorder, study_id, end_reason):
            end_reason = _search(recorder, config, resources, dataset, trainable, profile, features, patience)
        mirror.close()
        if recorder.no_room is not None:
            recorder.wait_for_room(recorder.no_room)
    except DataError as error:
        with recorder.writing() as connection:
            studies.set_state(connection, study_id, StudyState.FAILED, reason=f"dataset: {error}")
    except (TeacherError, AnswersError) as error:
        with recorder.writing() as connection:
            studies.set_state(connection, study_id, StudyState.FAILED, reason=f"teacher: {error}")
    except TargetMissingError as error:
        with recorder.writing() as connection:
            studies.set_state(connection, study_id, StudyState.FAILED, reason=str(error))
    except Exception as error:  # a full disk may be wrapped by Tune, Ray or a storage library
        if (no_room := no_room_behind(error)) is None:
            raise
        recorder.wait_for_room(no_room)
    finally:
        recorder.close()
        engine.dispose()


def _read_dataset(recorder: Recorder, study_id: str, cache_dir: Path) -> StudyDataset:
    """Decode the data set before the first trial needs it, and record what it is when a study reads it first.

    DataError; DatasetChangedError if it is not what the study read first.
    """
    spec = recorder.spec
    side_px = first_side_px(spec.space)
    with recorder.writing() as connection:
        study = studies.get(connection, study_id)
    if study.dataset_id is not None:
        load_study_dataset(study.dataset, side_px=side_px, cache_dir=cache_dir)
        return study.dataset
    dataset = load_dataset(spec.dataset, side_px=side_px, cache_dir=cache_dir)
    with recorder.writing() as connection:
        studies.set_dataset(
            connection,
            study_id,
            dataset_id=dataset.id,
            classes=dataset.classes,
            class_images=dataset.class_images,
            skipped=[asdict(image) for image in dataset.skipped],
        )
    return dataset.as_first_read(spec.dataset)


def _trial_resources(recorder: Recorder, config: Settings, study_id: str, dataset: StudyDataset) -> ResourcesSpec:
    """What each trial gets: as the study says, or as measured once, by an earlier driver or now."""
    spec = recorder.spec
    if not spec.resources.auto:
        return spec.resources
    with recorder.writing() as connection:
        chosen = studies.get(connection, study_id).resources
    if chosen is not None:
        return chosen
    task = TrialTask.of(spec, ResourcesSpec(gpus_per_trial=1), dataset=dataset, cache_dir=config.cache_dir)
    resources = chosen_resources(spec, classes=len(dataset.classes), task=task)
    with recorder.writing() as connection:
        studies.set_values(connection, study_id, resources=resources.model_dump(mode="json"))
    return resources


def _ask_file(recorder: Recorder, resources: ResourcesSpec, dataset: StudyDataset, cache_dir: Path) -> None:
    """Have a teacher that is a file answer before the first trial. TeacherError, AnswersError or DataError."""
    path = recorder.spec.teacher_file
    if path is not None and recorder.answers_sha256 is None:
        answers = answers_from_file(recorder.spec, resources, path, dataset=dataset, cache_dir=cache_dir)
        recorder.add_answers(answers.to_bytes())


def _search(
    recorder: Recorder,
    config: Settings,
    resources: ResourcesSpec,
    dataset: StudyDataset,
    trainable: type[tune.Trainable],
    profile: Profile,
    features: Features,
    patience: Patience,
) -> str | None:
    """Run Tune until the recorder takes no more trials. Why the search has none left to propose, None if it has."""
    spec = recorder.spec
    stopping = Stopping(spec, recorder.history) if spec.scheduler is not None else None
    scheduler = CurveForecastStopping(stopping) if stopping is not None else None
    search = StudySearch(
        spec=spec,
        classes=len(dataset.classes),
        history=recorder.history,
        log=recorder,
        profile=profile,
        features=features,
        stopping=stopping,
        transfer=_transfer(recorder),
        answers=SharedAnswers(recorder, ArtifactStore(config.artifacts)),
    )
    task = TrialTask.of(spec, resources, dataset=dataset, cache_dir=config.cache_dir)
    tune_config = tune.TuneConfig(
        search_alg=search,
        scheduler=scheduler,
        num_samples=-1,
        max_concurrent_trials=resources.concurrency,
        reuse_actors=True,
        trial_dirname_creator=lambda trial: str(trial.trial_id),
    )
    record = TrialRecord(recorder, stopping, Deadlines(patience, recorder.longest_epoch()))
    with tempfile.TemporaryDirectory(prefix="seedleaf-tune-") as scratch:
        run_config = tune.RunConfig(
            storage_path=scratch,
            callbacks=[record],
            stop=StopAll(recorder),
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            verbose=0,
        )
        runnable = tune.with_resources(tune.with_parameters(trainable, task=task), partial(_placement, resources))
        try:
            tune.Tuner(runnable, tune_config=tune_config, run_config=run_config).fit()
        except Exception as error:  # Tune wraps what killed a worker in errors of its own
            killed = memory_kill_behind(error)
            if killed is None:
                raise
            record.killed_for_memory(killed)
    return search.end_reason


def _transfer(recorder: Recorder) -> list[TransferData]:
    """The trials of the earlier studies that this one learns from; of one that was deleted, nothing is left."""
    with recorder.writing() as connection:
        gone = [deletions.find(connection, study_id) for study_id in recorder.spec.warm_start]
        if any(gone):
            which = "; ".join(str(study) for study in gone if study is not None)
            why = f"goes on without what it would learn (warm_start): {which}"
            studies.explain(connection, recorder.study_id, StudyState.RUNNING, why)
        studied = [
            trials.list_by_study(connection, study_id, [TrialState.COMPLETED]) for study_id in recorder.spec.warm_start
        ]
    offers = [transfer_data([trial.as_past() for trial in completed], recorder.spec) for completed in studied]
    return [offer for offer in offers if offer is not None]


def _placement(resources: ResourcesSpec, config: dict[str, object]) -> tune.PlacementGroupFactory:
    """What a trial reserves: its fraction of a GPU, or a whole one."""
    whole_gpu = decode_suggestion(config).whole_gpu
    gpus = max(resources.gpus_per_trial, 1) if whole_gpu else resources.gpus_per_trial
    return tune.PlacementGroupFactory([{"CPU": resources.cpus_per_trial, "GPU": gpus}])


def _concluded(recorder: Recorder, study_id: str, end_reason: str | None) -> bool:
    """End the search, unless more trials are to be run. LeaseLostError if another driver took over.

    ``end_reason`` says why the search proposes no more, None if it does.
    """
    with recorder.writing() as connection:
        recorder.lock_study(connection)
        if recorder.accepts_more() and end_reason is None:
            return False
        if recorder.state is not StudyState.RUNNING:
            return True
        if recorder.failed:
            studies.set_state(connection, study_id, StudyState.FAILED, reason=recorder.stop_reason())
        else:
            life_cycle.end_search(connection, study_id, reason=end_reason or recorder.stop_reason())
        return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study_id")
    study_id = parser.parse_args().study_id
    ray_session.connect()
    logs.configure("search", study_id=study_id)
    try:
        run(study_id, settings())
    except (ConflictError, DeletedError) as error:
        log.info("nothing to do", study_id=study_id, why=str(error))


if __name__ == "__main__":
    main()
