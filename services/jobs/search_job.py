"""The Ray job of one study: ``python -m services.jobs.search_job STUDY_ID`` searches it until its budget is spent.

It may be killed at any moment: what it has recorded is in PostgreSQL, and the next driver goes on from there.
"""

import argparse
import os
import tempfile
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

# Tune reads these when it is imported.
os.environ.setdefault("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")
os.environ.setdefault("TUNE_DISABLE_STRICT_METRIC_CHECKING", "1")
os.environ.setdefault("TUNE_GLOBAL_CHECKPOINT_S", "86400")
os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")

import ray
import structlog
from ray import cloudpickle, tune

from search.contract.metrics import TRAINED_METRICS
from search.contract.states import StudyState, TrialState
from search.samplers.describe import Features, Profile
from search.samplers.frontier import TransferData
from search.samplers.warm_start import transfer_data
from search.study.run_spec import ResourcesSpec
from search.tune.early_stopping import Stopping
from search.tune.scheduler import CurveForecastStopping
from search.tune.searcher import StudySearch
from services import logs
from services.database import make_engine, optuna_url
from services.errors import ConflictError
from services.jobs.optuna_mirror import Mirror
from services.jobs.recorder import Recorder
from services.log_tail import last_lines
from services.records.metrics import METRIC_COLUMNS
from services.settings import Settings, settings
from services.storage.artifacts import ArtifactStore
from services.store import studies, trials
from services.studies import life_cycle
from workers.actors.hosts import NAMESPACE, PATIENCE_S, Slots, TargetMissingError
from workers.actors.resource_sizing import chosen_resources
from workers.actors.trial import TrialActor, TrialTask
from workers.data import DataError, load_dataset
from workers.models import features, layers_of, profile
from workers.training.errors import DeviceMemoryError

log = structlog.get_logger()


class NotPickled:
    """Tune pickles what it is given to restore it one day; a study is rebuilt from the trials table instead."""

    def __getstate__(self) -> dict[str, Any]:
        return {}


class Record(NotPickled, tune.Callback):  # type: ignore[misc]
    """Writes what Tune reports of each trial."""

    def __init__(self, recorder: Recorder, scheduler: CurveForecastStopping | None) -> None:
        self._recorder, self._scheduler = recorder, scheduler

    def on_trial_result(self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **_: Any) -> None:
        trial_id = trial.config["trial"]
        if "epoch" in result:
            self._recorder.epoch(trial_id, result)
        if self._scheduler is not None and trial.trial_id in self._scheduler.stopped:
            self._stop(trial_id, self._scheduler.stopped[trial.trial_id], result)
        elif result.get("infeasible"):
            self._recorder.ended(
                trial_id,
                TrialState.INFEASIBLE,
                reason=result["infeasible"],
                metrics=result["metrics"],
                host=result["host"],
            )
        elif "metrics" in result:
            # Tune keeps the last result of every trial: the files and the matrix shall not stay in it.
            files, scores = result.pop("files", {}), result.pop("scores", None)
            self._recorder.ended(
                trial_id,
                TrialState.COMPLETED,
                metrics=result["metrics"],
                scores=scores,
                host=result.get("host"),
                files=files,
            )

    def _stop(self, trial_id: str, reason: str, result: dict[str, Any]) -> None:
        """Record a trial that the scheduler stops, and leave in its last result, for the search, that it was."""
        costs = {name: result[name] for name in METRIC_COLUMNS if name in result and name not in TRAINED_METRICS}
        self._recorder.ended(trial_id, TrialState.STOPPED, reason=reason, metrics=costs, host=result.get("host"))
        result |= {"stopped": reason, "curve": self._recorder.curves[trial_id]}

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **_: Any) -> None:
        trial_id, reason = trial.config["trial"], last_lines(Path(trial.error_file).read_text())
        if _memory_was_full(trial) and not trial.config["alone"]:
            self._recorder.run_again_alone(trial_id, f"run again with a GPU of its own, after this:\n{reason}")
        else:
            self._recorder.ended(trial_id, TrialState.FAILED, reason=reason)


def _memory_was_full(trial: Any) -> bool:
    error = cloudpickle.loads(Path(trial.pickled_error_file).read_bytes())
    return isinstance(getattr(error, "cause", error), DeviceMemoryError)


class StopWhenTaken(NotPickled, tune.Stopper):  # type: ignore[misc]
    """Ends all trials at once when the study is cancelled or another driver has its lease."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        return self._recorder.lost or self._recorder.state is StudyState.CANCELLED


def run(
    study_id: str,
    config: Settings,
    *,
    trainable: type[tune.Trainable] = TrialActor,
    profile: Profile = profile,
    features: Features = features,
    patience_s: float = PATIENCE_S,
) -> None:
    """Search a study until nothing is left to do, then queue the compression of its best.

    ConflictError if there is nothing to search; LeaseLostError if another driver took over.
    """
    url = config.require_database_url()
    engine = make_engine(url)
    recorder = Recorder(engine, ArtifactStore(config.artifacts), study_id, layers=layers_of)
    try:
        Slots(patience_s=patience_s).ready(recorder.spec.target)
        classes = _take_in_dataset(recorder, study_id, config.cache_dir)
        share = _share(recorder, config, study_id, classes)
        mirror = Mirror(optuna_url(url), study_id, recorder.spec, classes=classes, history=recorder.history)
        exhausted = False
        while not _concluded(recorder, study_id, exhausted=exhausted):
            exhausted = _search(recorder, config, share, classes, trainable, profile, features)
        mirror.close()
    except DataError as error:
        with recorder.writing() as connection:
            studies.set_state(connection, study_id, StudyState.FAILED, reason=f"dataset: {error}")
    except TargetMissingError as error:
        with recorder.writing() as connection:
            studies.set_state(connection, study_id, StudyState.FAILED, reason=str(error))
    finally:
        recorder.close()
        engine.dispose()


def _take_in_dataset(recorder: Recorder, study_id: str, cache_dir: Path) -> int:
    """Decode the data set before the first trial needs it and record what it is; the number of classes."""
    spec = recorder.spec
    dataset = load_dataset(spec.dataset, side_px=spec.space.image_size[0], cache_dir=cache_dir)
    skipped = [asdict(image) for image in dataset.skipped]
    with recorder.writing() as connection:
        studies.set_values(connection, study_id, dataset_id=dataset.id, classes=list(dataset.classes), skipped=skipped)
    return len(dataset.classes)


def _share(recorder: Recorder, config: Settings, study_id: str, classes: int) -> ResourcesSpec:
    """What each trial gets: as the study says, or as it was chosen, once."""
    spec = recorder.spec
    if not spec.resources.auto:
        return spec.resources
    with recorder.writing() as connection:
        chosen = studies.get(connection, study_id).resources
    if chosen is not None:
        return chosen
    task = TrialTask.of(spec, ResourcesSpec(gpus_per_trial=1), cache_dir=config.cache_dir)
    share = chosen_resources(spec, classes=classes, task=task)
    with recorder.writing() as connection:
        studies.set_values(connection, study_id, resources=share.model_dump(mode="json"))
    return share


def _search(
    recorder: Recorder,
    config: Settings,
    share: ResourcesSpec,
    classes: int,
    trainable: type[tune.Trainable],
    profile: Profile,
    features: Features,
) -> bool:
    """Run Tune until the recorder takes no more trials; True if the space has none left."""
    spec = recorder.spec
    stopping = Stopping(spec, recorder.history) if spec.scheduler is not None else None
    scheduler = CurveForecastStopping(stopping) if stopping is not None else None
    search = StudySearch(
        spec=spec,
        classes=classes,
        history=recorder.history,
        log=recorder,
        profile=profile,
        features=features,
        stopping=stopping,
        transfer=_transfer(recorder),
    )
    task = TrialTask.of(spec, share, cache_dir=config.cache_dir)
    tune_config = tune.TuneConfig(
        search_alg=search,
        scheduler=scheduler,
        num_samples=-1,
        max_concurrent_trials=share.concurrency,
        reuse_actors=True,
        trial_dirname_creator=lambda trial: str(trial.trial_id),
    )
    with tempfile.TemporaryDirectory(prefix="seedleaf-tune-") as scratch:
        run_config = tune.RunConfig(
            storage_path=scratch,
            callbacks=[Record(recorder, scheduler)],
            stop=StopWhenTaken(recorder),
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            verbose=0,
        )
        runnable = tune.with_resources(tune.with_parameters(trainable, task=task), partial(_resources, share))
        tune.Tuner(runnable, tune_config=tune_config, run_config=run_config).fit()
    return search.exhausted


def _transfer(recorder: Recorder) -> list[TransferData]:
    """What the studies say that this one starts from."""
    with recorder.writing() as connection:
        studied = [
            trials.list_by_study(connection, study_id, [TrialState.COMPLETED]) for study_id in recorder.spec.warm_start
        ]
    offers = [transfer_data([trial.as_past() for trial in completed], recorder.spec) for completed in studied]
    return [offer for offer in offers if offer is not None]


def _resources(share: ResourcesSpec, trial: dict[str, Any]) -> tune.PlacementGroupFactory:
    """What a trial takes: its share of a GPU, or the whole of one."""
    gpus = max(share.gpus_per_trial, 1) if trial["alone"] else share.gpus_per_trial
    return tune.PlacementGroupFactory([{"CPU": share.cpus_per_trial, "GPU": gpus}])


def _concluded(recorder: Recorder, study_id: str, *, exhausted: bool) -> bool:
    """End the search, unless more trials are to be run. LeaseLostError if another driver took over."""
    with recorder.writing() as connection:
        recorder.lock_study(connection)
        if recorder.accepts_more() and not exhausted:
            return False
        if recorder.state is not StudyState.RUNNING:
            return True
        reason = "the whole space has been tried" if exhausted else recorder.stop_reason()
        if recorder.failed:
            studies.set_state(connection, study_id, StudyState.FAILED, reason=reason)
        else:
            life_cycle.end_search(connection, study_id, reason=reason)
        return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study_id")
    study_id = parser.parse_args().study_id
    ray.init(namespace=NAMESPACE, log_to_driver=False)
    logs.configure("search", study_id=study_id)
    try:
        run(study_id, settings())
    except ConflictError as error:
        log.info("nothing to do", study_id=study_id, why=str(error))


if __name__ == "__main__":
    main()
