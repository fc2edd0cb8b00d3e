"""A preview of a study's text before it is posted: its mistakes, the size of its space, and how long it may take."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from pydantic import ValidationError
from sqlalchemy import Connection

from search.spaces.families import count_networks
from search.study.spec import StudySpec, spec_problems
from search.yaml_text import YamlError, read_yaml
from services.store import trials

_WHOLE = "(the whole)"


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What ``trials`` earlier trials on the same data set suggest."""

    trials: int
    epoch_s: float
    search_s: float
    core_hours: float
    gpu_hours: float


@dataclass(frozen=True, kw_only=True)
class Preview:
    """A text that is to become a study.

    ``document`` is its parsed content, None where it cannot be read. ``networks`` (in how many ways a network can be
    drawn) and ``estimate`` are None where there are ``problems``, each with its ``field`` and ``message``.
    """

    document: object
    problems: Sequence[Mapping[str, str]]
    networks: float | None = None
    estimate: Estimate | None = None


def check(connection: Connection, text: str) -> Preview:
    """``text`` is YAML or JSON."""
    try:
        document = read_yaml(text)
        json.dumps(document, allow_nan=False)
    except YamlError as error:
        return _unreadable(f"no YAML: {error}")
    except (TypeError, ValueError):
        return _unreadable("holds a date or a number that is not finite")
    try:
        spec = StudySpec.model_validate(document)
    except ValidationError as error:
        return Preview(document=document, problems=spec_problems([dict(item) for item in error.errors()]))
    return Preview(document=document, problems=[], networks=_networks(spec), estimate=_estimate(connection, spec))


def _unreadable(message: str) -> Preview:
    return Preview(document=None, problems=[{"field": _WHOLE, "message": message}])


def _networks(spec: StudySpec) -> float:
    """In how many ways a network can be drawn, over all image sizes; a float, as no JSON integer holds it."""
    return float(sum(count_networks(spec.space.architecture, side_px=side_px) for side_px in spec.space.image_size))


def _estimate(connection: Connection, spec: StudySpec) -> Estimate | None:
    """From the durations of earlier trials on this data set, whatever network they trained.

    None where there was none, or where the number of trials at a time is still to be chosen.
    """
    if spec.resources.auto:
        return None
    epoch_s = trials.epoch_seconds(connection, spec.dataset)
    if not epoch_s:
        return None
    budget, resources = spec.budget, spec.resources
    work_s = budget.max_trials * budget.epochs * median(epoch_s)
    search_s = work_s / min(resources.concurrency, budget.max_trials)
    if budget.max_minutes is not None:
        search_s = min(search_s, 60 * budget.max_minutes)
    return Estimate(
        trials=len(epoch_s),
        epoch_s=median(epoch_s),
        search_s=search_s,
        core_hours=search_s * resources.concurrency * resources.cpus_per_trial / 3600,
        gpu_hours=search_s * resources.concurrency * resources.gpus_per_trial / 3600,
    )
