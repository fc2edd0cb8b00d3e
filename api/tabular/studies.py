"""Studies as rows of a table and as pairs of name and value: for people, and flat for CSV."""

from datetime import datetime

from api.schemas import KeyView, StudyView
from api.tabular import formats
from api.tabular.narrow import Narrow
from search.contract.weights import StartingWeights
from search.spaces.families import count_networks
from search.spaces.size import UncountableError
from search.study.run_spec import ResourcesSpec
from search.study.spec import StudySpec

HEADERS = ("study id", "name", "state", "trials", "best F1", "created", "reason")
WORDS = frozenset({"study id", "name", "state", "created", "reason"})

NARROW = Narrow(least=("created", "study id"), cut="reason")


def row(study: StudyView) -> tuple[str, ...]:
    """Cells in the order of ``HEADERS``."""
    place = _place(study)
    return (
        study.id,
        study.name,
        study.state,
        _trials(study),
        _f1(study),
        _time(study.created_at),
        formats.brief("; ".join(filter(None, (place and f"{place} in the queue", study.reason)))),
    )


def details(study: StudyView) -> list[tuple[str, str]]:
    """Pairs of name and value, without empty ones."""
    dataset = study.spec.dataset
    jobs = ", ".join(f"{count} {state}" for state, count in sorted(study.progress.compression.items()))
    values = {
        "id": study.id,
        "name": study.name,
        "state": study.state,
        "phase": study.phase,
        "queue": _place(study),
        "reason": study.reason,
        "data set": " ".join(filter(None, (dataset.source, dataset.name, dataset.path))),
        "classes": ", ".join(study.classes or ()),
        "networks": networks(study.spec),
        "weights": "; ".join(map(_weights, study.weights)),
        "trials": _trials(study),
        "at a time": _at_a_time(study.resources or study.spec.resources),
        "best F1": _f1(study),
        "compression jobs": jobs,
        "test split": looks(study),
        "taught by": study.teacher_trial_id or study.spec.teacher_file,
        "searched for": formats.clock(study.search_elapsed_s),
        "Ray job": study.job,
        "created": _time(study.created_at),
        "created by": _key(study.created_by),
        "changed by": _key(study.changed_by),
        "cancelled by": _key(study.cancelled_by),
        "started": _time(study.started_at),
        "finished": _time(study.finished_at),
    }
    return [(name, value) for name, value in values.items() if value]


def flat(study: StudyView) -> dict[str, object]:
    """CSV columns by name, with units."""
    return {
        "id": study.id,
        "name": study.name,
        "state": study.state.value,
        "queue_position": study.queue_position,
        "finished_trials": study.progress.finished,
        "max_trials": study.progress.total,
        "best_f1": study.progress.best_f1,
        "least_latency_ms": study.progress.least_latency_ms,
        "search_elapsed_s": study.search_elapsed_s,
        "test_looks": study.test_looks,
        "created_at": study.created_at.isoformat(),
        "created_by": _key(study.created_by),
        "changed_by": _key(study.changed_by),
        "cancelled_by": _key(study.cancelled_by),
        "finished_at": study.finished_at and study.finished_at.isoformat(),
        "reason": study.reason,
    }


def _place(study: StudyView) -> str:
    return "" if study.queue_position is None else f"number {study.queue_position}"


def looks(study: StudyView) -> str:
    """How often models were scored on the test split, and why some were not; empty if neither is known."""
    times = f"test images looked at {study.test_looks} time{'' if study.test_looks == 1 else 's'}"
    parts = (times if study.test_looks else "", formats.brief(study.test_reason, width=200))
    return "; ".join(part for part in parts if part)


def networks(spec: StudySpec) -> str:
    """How many architectures the space holds, over all image sizes."""
    try:
        count = count_networks(spec.space.architecture, sides_px=spec.space.image_size)
    except UncountableError:
        return "too many to count"
    if count < 10**7:
        return f"{count:,}"
    return f"{count:.1e}" if count < 10**300 else "more than 1e+300"


def _key(key: KeyView | None) -> str:
    if key is None:
        return ""
    return key.name if key.id is None else f"{key.name} ({key.id})"


def _weights(weights: StartingWeights) -> str:
    return f"{weights.network} ({weights.place} {weights.origin}, licence {weights.license or 'unknown'})"


def _at_a_time(resources: ResourcesSpec) -> str:
    if resources.auto:
        return "not chosen yet"
    gpus = f", {resources.gpus_per_trial:g} GPU" if resources.gpus_per_trial else ""
    return f"{resources.concurrency} trials ({resources.cpus_per_trial:g} CPU{gpus} each)"


def _trials(study: StudyView) -> str:
    return f"{study.progress.finished}/{study.progress.total}"


def _f1(study: StudyView) -> str:
    best_f1 = study.progress.best_f1
    return "" if best_f1 is None else f"{best_f1:.3f}"


def _time(at: datetime | None) -> str:
    return "" if at is None else at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
