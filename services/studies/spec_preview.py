"""A preview of a study's text before it is posted: its mistakes, the size of its space, and how long it may take."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from pydantic import ValidationError
from sqlalchemy import Connection

from search.spaces.families import count_networks
from search.spaces.size import CountStoppedError, UncountableError
from search.study.spec import StudySpec, spec_problems
from search.yaml_text import YamlError, read_yaml
from services.errors import RejectedError
from services.ray.jobs import Node
from services.store import trials
from services.studies.admission import Roots, admit_resources, admit_weights
from services.studies.starting_weights import starting_weights

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
    drawn) and ``estimate`` are None where there are ``problems``, each with its ``field`` and ``message``. ``networks``
    is None too where there are too many to count.
    """

    document: object
    problems: Sequence[Mapping[str, str]]
    networks: float | None = None
    estimate: Estimate | None = None


def check(connection: Connection, text: str, *, is_wanted: Callable[[], bool] = lambda: True) -> Preview:
    """``text`` is YAML or JSON. CountStoppedError once ``is_wanted`` says no."""
    try:
        document = read_yaml(text)
        json.dumps(document, allow_nan=False, ensure_ascii=False).encode()
    except YamlError as error:
        return _unreadable(f"no YAML: {error}")
    except (TypeError, ValueError):
        return _unreadable("holds a number that is not finite, or half of a surrogate pair")
    if not is_wanted():
        raise CountStoppedError
    try:
        spec = StudySpec.model_validate(document)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)
        return Preview(document=document, problems=spec_problems([dict(detail) for detail in details]))
    networks = _networks(spec, is_wanted)
    return Preview(document=document, problems=[], networks=networks, estimate=_estimate(connection, spec))


def with_resources(preview: Preview, nodes: Sequence[Node]) -> Preview:
    """The preview with a problem if no trial could ever run on these nodes; none means unknown."""
    if preview.problems:
        return preview
    try:
        admit_resources(StudySpec.model_validate(preview.document).resources, nodes)
    except RejectedError as error:
        return Preview(document=preview.document, problems=[{"field": error.field, "message": error.message}])
    return preview


def with_weights(preview: Preview, folder: str, roots: Roots) -> Preview:
    """The preview with a problem if the pretrained weights of its networks are nowhere. It may ask another host.

    ``folder`` is the weights folder; files of weights must lie under ``roots``.
    """
    if preview.problems:
        return preview
    spec = StudySpec.model_validate(preview.document)
    try:
        admit_weights(spec, roots)
        starting_weights(spec, folder)
    except RejectedError as error:
        return Preview(document=preview.document, problems=[{"field": error.field, "message": error.message}])
    return preview


def _unreadable(message: str) -> Preview:
    return Preview(document=None, problems=[{"field": _WHOLE, "message": message}])


def _networks(spec: StudySpec, is_wanted: Callable[[], bool]) -> float | None:
    """In how many ways a network can be drawn, over all image sizes; None if they are too many to count.

    It is a float, as no JSON integer holds it: a space beyond 10^308 counts as too large too.
    """
    try:
        return float(count_networks(spec.space.architecture, sides_px=spec.space.image_size, is_wanted=is_wanted))
    except (UncountableError, OverflowError):
        return None


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
    work_s = budget.max_trials * spec.most_epochs * median(epoch_s)
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
