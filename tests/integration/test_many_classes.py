"""A data set of 10,000 classes is searched as others are: in bounded time, with bounded records."""

import io
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import ray
from PIL import Image
from sqlalchemy import Engine, text

from api.schemas import TrialDetail
from search.contract.states import StudyState, TrialState
from services.jobs.search_job import run
from services.settings import Settings
from services.store import studies, trials
from services.views import trials as trial_views
from tests.integration.records import make_study
from workers.actors.hosts import NAMESPACE, RESOURCE

_CLASSES = 10_000
_SIDE_PX = 8
_SPACE = {
    "image_size": _SIDE_PX,
    "architecture": {
        "stages": [{"name": "body", "blocks": {"plain": ((1, "FixedConv", (8,)),)}}],
        "head": [{"name": "head", "blocks": {"plain": ((1, "GlobalAvgPool", ()), (1, "FixedConv", (_CLASSES,)))}}],
    },
}


@pytest.fixture(scope="module", autouse=True)
def one_host() -> Iterator[None]:
    offered = {"num_cpus": 1, "num_gpus": 0, "resources": {RESOURCE: 1}}
    ray.init("local", namespace=NAMESPACE, **offered, log_to_driver=False, include_dashboard=False)
    yield
    ray.shutdown()


def _write(path: Path) -> None:
    """Three images of each class, all of them different."""
    numbers = range(3 * _CLASSES)
    images = [_png(number) for number in numbers]
    pq.write_table(pa.table({"image": images, "label": [number % _CLASSES for number in numbers]}), path)


def _png(number: int) -> bytes:
    pixels = np.zeros((_SIDE_PX, _SIDE_PX, 3), np.uint8)
    pixels[0, 0] = number // 65536, number // 256 % 256, number % 256
    encoded = io.BytesIO()
    Image.fromarray(pixels).save(encoded, "PNG", compress_level=0)
    return encoded.getvalue()


def test_a_trial_of_ten_thousand_classes_is_trained_scored_and_recorded(
    engine: Engine, database_url: str, tmp_path: Path
) -> None:
    path = tmp_path / "many.parquet"
    _write(path)
    study_id = make_study(
        engine,
        StudyState.QUEUED,
        dataset={"source": "parquet", "path": str(path), "test_fraction": 0},
        space=_SPACE,
        budget={"max_trials": 1, "epochs": 1},
        resources={"concurrency": 1},
        compression={"max_candidates": 0},
    )
    started_s = time.monotonic()
    run(study_id, Settings.model_validate({"database_url": database_url, "home": tmp_path}))
    assert time.monotonic() - started_s < 240
    with engine.connect() as connection:
        assert studies.get(connection, study_id).state is StudyState.COMPLETED
        (trial,) = trials.list_by_study(connection, study_id, frozenset(TrialState))
        shown = TrialDetail.model_validate(trial_views.get_full(connection, trial.id), from_attributes=True)
        size = text("SELECT length(confusion::text) + length(per_class_f1::text) FROM seedleaf.trials WHERE id = :id")
        assert connection.execute(size, {"id": trial.id}).scalar_one() < 500_000
    assert shown.confusion is None
    assert shown.confusion_summary is not None
    assert sum(shown.confusion_summary.images) == 10_000
    assert len(shown.confusion_summary.hits) == _CLASSES
