"""A study's text looked at before it is posted: its mistakes, how much it can draw from, and how long it may take."""

import json
from collections.abc import Sequence
from statistics import median
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection

from search.spaces.presets import architecture_space
from search.spaces.size import space_size
from search.study.spec import StudySpec, spec_problems
from search.yaml_text import YamlError, read_yaml
from services.store import trials

_WHOLE = "(the whole)"


def check(connection: Connection, text: str) -> dict[str, Any]:
    """``text`` is YAML or JSON. ``document`` is what it says, null where it cannot be read; ``problems`` is every
    mistake of it; ``networks`` and ``estimate`` are there when there is none.
    """
    try:
        document = read_yaml(text)
        json.dumps(document, allow_nan=False)
    except YamlError as error:
        return _answer(None, [{"field": _WHOLE, "message": f"no YAML: {error}"}])
    except (TypeError, ValueError):
        return _answer(None, [{"field": _WHOLE, "message": "holds a date or a number that is not finite"}])
    try:
        spec = StudySpec.model_validate(document)
    except ValidationError as error:
        return _answer(document, spec_problems([dict(item) for item in error.errors()]))
    return _answer(document, [], networks=_networks(spec), estimate=_estimate(connection, spec))


def _answer(document: Any, problems: Sequence[dict[str, str]], **found: Any) -> dict[str, Any]:
    return {"document": document, "problems": problems, "networks": None, "estimate": None, **found}


def _networks(spec: StudySpec) -> float:
    """In how many ways a network can be drawn, over all image sizes; a float, as no JSON integer holds it."""
    space = architecture_space(spec.space.architecture)
    return float(sum(space_size(space, side_px=side_px) for side_px in spec.space.image_size))


def _estimate(connection: Connection, spec: StudySpec) -> dict[str, float] | None:
    """From what earlier trials on this data set took, whatever network they trained; None where there was none, or
    where it is not known yet how many run at a time.
    """
    if spec.resources.auto:
        return None
    known = trials.epoch_seconds(connection, spec.dataset.model_dump(mode="json"))
    if not known:
        return None
    budget, resources = spec.budget, spec.resources
    work_s = budget.max_trials * budget.epochs * median(known)
    search_s = work_s / min(resources.concurrency, budget.max_trials)
    if budget.max_minutes is not None:
        search_s = min(search_s, 60 * budget.max_minutes)
    return {
        "trials": len(known),
        "epoch_s": median(known),
        "search_s": search_s,
        "core_hours": search_s * resources.concurrency * resources.cpus_per_trial / 3600,
        "gpu_hours": search_s * resources.concurrency * resources.gpus_per_trial / 3600,
    }
