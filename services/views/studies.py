"""Studies as they are shown: with progress, and their fronts."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row

from search.contract.states import StudyPhase, StudyState
from search.pareto import front, hypervolume, losses_of, reference_point
from search.study.spec import StudySpec
from services.store import studies, trials
from services.views.cursors import decode_id, encode_id
from services.views.leaderboard import best_variants, metrics_of, trial_view
from services.views.winners import recommended, variant_fronts

_FIELDS = (
    "id",
    "name",
    "state",
    "reason",
    "spec",
    "dataset_id",
    "classes",
    "skipped",
    "resources",
    "search_elapsed_s",
    "last_event_id",
    "created_at",
    "started_at",
    "finished_at",
)


def one(connection: Connection, study_id: str) -> dict[str, Any]:
    return _view(studies.shown(connection, study_id)._mapping)


def page(
    connection: Connection, *, state: StudyState | None, cursor: str | None, limit: int
) -> tuple[list[dict[str, Any]], str | None]:
    """Studies, newest first, and the next page's cursor or None."""
    before_id = None if cursor is None else decode_id(cursor)
    rows = studies.page(connection, state=state, before_id=before_id, limit=limit + 1)
    following = encode_id(rows[limit - 1].id) if len(rows) > limit else None
    return [_view(row._mapping) for row in rows[:limit]], following


def of_new(row: Row[Any], *, last_event_id: int | None) -> dict[str, Any]:
    """A study that was inserted a moment ago: nothing has come of it yet."""
    nothing = {"spent": 0, "best_f1": None, "least_latency_ms": None, "compression": None}
    return _view({**row._mapping, **nothing, "last_event_id": last_event_id})


def _view(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        **{name: row[name] for name in _FIELDS},
        "phase": _phase(row),
        "job": row["job_id"],
        "progress": {
            "finished": row["spent"],
            "total": row["spec"]["budget"]["max_trials"],
            "best_f1": row["best_f1"],
            "least_latency_ms": row["least_latency_ms"],
            "compression": row["compression"] or {},
        },
    }


def _phase(row: Mapping[Any, Any]) -> StudyPhase | None:
    """What a study that is not over is at."""
    if row["finished_at"] is not None:
        return None
    if row["searched_at"] is None:
        return StudyPhase.SEARCH
    return StudyPhase.RETRAINING if row["retrained_at"] is None else StudyPhase.COMPRESSION


def pareto(connection: Connection, study_id: str) -> dict[str, Any]:
    """The front of a study's completed trials, best f1 first, its hypervolume and the point that bounds it; the fronts
    of its variants, and the recommended one.

    The reference is just beyond the worst of all completed trials, so hypervolumes of one study grow with it and those
    of two studies cannot be compared.
    """
    spec = StudySpec.model_validate(studies.get(connection, study_id).spec)
    fronts = variant_fronts(connection, study_id)
    return {
        **_trial_front(connection, study_id, spec),
        "variants": fronts,
        "recommended": recommended(connection, study_id, fronts),
    }


def _trial_front(connection: Connection, study_id: str, spec: StudySpec) -> dict[str, Any]:
    rows = [row._mapping for row in trials.measured(connection, study_id)]
    if not rows:
        return {"items": [], "hypervolume": 0.0, "reference": {}}
    losses = losses_of(spec.objectives, [metrics_of(row) for row in rows])
    reference = reference_point(losses)
    on_front = trials.with_ids(connection, [rows[index]["id"] for index in front(losses)])
    chosen = sorted((row._mapping for row in on_front), key=lambda row: (-row["f1"], row["number"]))
    best = best_variants(connection, [row["id"] for row in chosen])
    signs = losses_of(spec.objectives, [{objective.metric: 1.0 for objective in spec.objectives}])[0]
    return {
        "items": [trial_view(row, best.get(row["id"])) for row in chosen],
        "hypervolume": hypervolume(losses, reference),
        "reference": {
            objective.metric: float(value) for objective, value in zip(spec.objectives, reference * signs, strict=True)
        },
    }
