"""Stored documents stay readable, whatever limits are added later; tests/history/specs keeps some of every version."""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from search.contract.dataset import DatasetSpec
from search.contract.history import read_stored
from search.study.spec import StudySpec

_OLD = sorted((Path(__file__).parents[1] / "history" / "specs").rglob("*.json"))
_SPEC = {"name": "a", "dataset": {"source": "sklearn"}}


@pytest.mark.parametrize("path", _OLD, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_spec_of_every_version_is_read_as_it_was_written(path: Path) -> None:
    stored = json.loads(path.read_text())
    read = read_stored(StudySpec, stored).model_dump(mode="json")
    assert _without_additions(read, stored) == stored


def test_specs_of_this_version_are_kept() -> None:
    assert any(path.parent.name == version("seedleaf") for path in _OLD)


@pytest.mark.parametrize(
    "change",
    [
        {"budget": {"max_trials": 10**9}},
        {"name": ""},
        {"sampler": {"name": "forgotten"}},
        {"dataset": {"source": "forgotten", "path": "/data"}},
        {"space": {"architecture": "forgotten"}},
        {"space": {"architecture": ["blocks-small", "forgotten"]}},
        {"space": {"image_size": [4096, 4096]}},
        {"space": {"learning_rate": {"low": 3.0, "high": 1.0}}},
        {"space": {"architecture": {"stages": [{"name": "9", "blocks": {"a": {"layers": [[0, "Conv", [1]]]}}}]}}},
        {"objectives": []},
        {"objectives": [{"metric": "forgotten", "goal": "maximize"}]},
        {"resources": {"auto": True, "concurrency": 7}},
        {"resources": {"cpus_per_trial": 0.001, "concurrency": 8}},
        {"resources": {"gpus_per_trial": 0.001}},
        {"resources": {"gpus_per_trial": 1.5}},
        {"compression": {"max_candidates": 1000, "recipes": "search", "budget": {"evaluations": 10_000}}},
        {"budget": {"max_minutes": 0.0}},
        {"target": {"runtime": "forgotten"}},
    ],
)
def test_what_is_refused_today_is_shown_as_it_was_written(change: dict[str, Any]) -> None:
    stored = {**_SPEC, **change}
    with pytest.raises(ValidationError):
        StudySpec.model_validate(stored)
    read = json.loads(read_stored(StudySpec, stored).model_dump_json())
    assert _without_additions(read, stored) == stored


def test_a_removed_key_is_left_out_and_what_is_missing_is_none() -> None:
    read = read_stored(StudySpec, {"name": "a", "forgotten": {"deep": [1]}})
    assert read.model_dump(mode="json")["dataset"] is None
    assert (read.name, read.budget.max_trials) == ("a", 20)
    assert read_stored(DatasetSpec, {"source": "sklearn", "forgotten": 1}).source == "sklearn"


def _without_additions(read: Any, stored: Any) -> Any:
    """``read`` without the keys that ``stored`` does not have."""
    if isinstance(read, dict) and isinstance(stored, dict):
        return {key: _without_additions(value, stored[key]) for key, value in read.items() if key in stored}
    if isinstance(read, list) and isinstance(stored, list) and len(read) == len(stored):
        return [_without_additions(*pair) for pair in zip(read, stored, strict=True)]
    if stored == "default" and isinstance(read, list):  # a word for a list of recipes
        return stored
    return read
