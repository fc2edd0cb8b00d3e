"""The Ray job of one scoring: ``python -m services.jobs.test_scoring_job ID`` scores models on their test split.

It may be killed at any moment: nothing is recorded before every model was scored, and the controller starts it again.
"""

import argparse
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection, Engine

from search.contract.targets import TargetSpec
from search.files import UnwritableError
from search.study.spec import StudySpec
from services import logs
from services.database import make_engine
from services.errors import ArtifactError, ConflictError, LeaseLostError, NotFoundError, StorageError
from services.jobs import no_room, ray_session
from services.records.scorings import Scoring, ScoringResult
from services.records.trials import Trial
from services.records.variants import Variant
from services.settings import Settings, settings
from services.storage.artifacts import ArtifactStore
from services.store import scorings, studies, trials, variants
from services.studies import life_cycle
from services.views import picks
from workers.actors.final_scoring import FinalModel, FinalScores, TrainedNetwork, score_on_test
from workers.data import DataError, DatasetChangedError

log = structlog.get_logger()
_IN_PROCESS = TargetSpec()


@dataclass(frozen=True, kw_only=True)
class StoredModel:
    """A model to score as the record has it: a variant, or else a trial with its latest weights.

    ``kind`` says what the file ``sha256`` is: an ``onnx`` file, or ``weights`` of the trial's network.
    """

    trial: Trial
    variant: Variant | None
    kind: str
    sha256: str

    @property
    def id(self) -> str:
        return self.trial.id if self.variant is None else self.variant.id

    @property
    def name(self) -> str:
        """As reasons name it."""
        trial = f"trial {self.trial.number}"
        return trial if self.variant is None else f"{self.variant.recipe} of {trial} ({self.variant.runtime})"


class ScoringJob:
    """Scores the models of a scoring under this attempt; ConflictError once it has ended or another attempt has it."""

    def __init__(self, engine: Engine, config: Settings, scoring_id: str) -> None:
        self._engine, self._config, self._artifacts = engine, config, ArtifactStore(config.artifacts)
        with engine.begin() as connection:
            self._scoring = scorings.begin(connection, scoring_id)
            self._study = studies.get(connection, self._scoring.study_id)
            self._models, self._missing = _models_to_score(connection, self._scoring)

    def run(self) -> None:
        try:
            found = self._score()
        except DataError as error:
            changed = isinstance(error, DatasetChangedError)
            reason = str(error) if changed else f"the test split cannot be read: {error}"
            with self._engine.begin() as connection:
                life_cycle.fail_scoring(connection, self._scoring.id, reason)
        except (UnwritableError, StorageError) as error:
            with self._engine.begin() as connection:
                scorings.hold(connection, self._scoring.id, self._scoring.attempts)
                scorings.requeue(connection, self._scoring.id, reason=no_room.note(connection, error))
        else:
            with self._engine.begin() as connection:
                result = _result(self._models, found, self._missing)
                life_cycle.complete_scoring(connection, self._scoring.id, self._scoring.attempts, result)

    def _score(self) -> FinalScores:
        models = []
        for stored in self._models:
            try:
                models.append(self._final_model(stored))
            except ArtifactError as error:
                self._missing.append(f"{stored.name}: {error}")
        study = self._study
        return score_on_test(study.dataset, models, test_id=study.test_id, cache_dir=self._config.cache_dir)

    def _final_model(self, stored: StoredModel) -> FinalModel:
        """ArtifactError where its file is missing or damaged."""
        content, candidate = self._artifacts.get(stored.sha256), stored.trial.candidate
        network = TrainedNetwork(architecture=candidate.architecture, weights=content)
        return FinalModel(
            id=stored.id,
            name=stored.name,
            side_px=candidate.image_size,
            target=_IN_PROCESS if stored.variant is None else _target_of(self._study.spec, stored.variant),
            source=content if stored.kind == "onnx" else network,
        )


def _models_to_score(connection: Connection, scoring: Scoring) -> tuple[list[StoredModel], list[str]]:
    """The models of a scoring, and which of them have no weights any more."""
    stored, missing = [], []
    if scoring.trial_id is None:
        picked = picks.variants_to_score(connection, scoring.study_id)
        candidates = picks.trials_to_score(connection, scoring.study_id)
    else:
        picked, candidates = [], [trials.get(connection, scoring.trial_id)]
    files = variants.list_artifacts(connection, [variant.id for variant in picked])
    for variant in picked:
        # Eager PyTorch has weights only; it is scored by the file that its network exports to, as it was before.
        file = min(files[variant.id], key=lambda file: file.kind != "onnx")
        trial = trials.get(connection, variant.trial_id)
        stored.append(StoredModel(trial=trial, variant=variant, kind=file.kind, sha256=file.sha256))
    for trial in candidates:
        try:
            sha256 = variants.get_weights(connection, trial.id).sha256
        except ConflictError as error:
            missing.append(str(error))
        else:
            stored.append(StoredModel(trial=trial, variant=None, kind="weights", sha256=sha256))
    return stored, missing


def _target_of(spec: StudySpec, variant: Variant) -> TargetSpec:
    """What a variant was scored on before: the study's target of its runtime and, where it has one, its node."""
    fitting = [target for target in spec.targets if target.runtime == variant.runtime]
    on_node = [target for target in fitting if target.node and variant.host.startswith(target.name_host(""))]
    return next(iter((*on_node, *fitting)), _IN_PROCESS)


def _result(models: list[StoredModel], found: FinalScores, missing: list[str]) -> ScoringResult:
    of_variants = {model.id: found.scores[model.id] for model in models if model.variant and model.id in found.scores}
    of_trials = {
        (model.id, model.sha256): found.scores[model.id]
        for model in models
        if model.variant is None and model.id in found.scores
    }
    reason = "\n".join([*missing, *([found.reason] if found.reason else [])])
    return ScoringResult(variants=of_variants, trials=of_trials, reason=reason or None, test_id=found.test_id)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scoring_id")
    scoring_id = parser.parse_args().scoring_id
    ray_session.connect()
    logs.configure("test_scoring", scoring_id=scoring_id)
    config = settings()
    try:
        ScoringJob(make_engine(config.require_database_url()), config, scoring_id).run()
    except (ConflictError, LeaseLostError, NotFoundError) as error:
        log.info("nothing to do", scoring_id=scoring_id, why=str(error))


if __name__ == "__main__":
    main()
