"""SQL of variants and artifacts: the deployable models and their files."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert

from services.errors import ConflictError, NotFoundError
from services.store import events
from services.store.tables import artifacts, variants


def add(connection: Connection, values: dict[str, Any]) -> None:
    """Record a variant once; LookupError never: a job that is repeated after a crash replaces nothing."""
    added = connection.execute(
        upsert(variants).values(**values).on_conflict_do_nothing().returning(variants.c.id)
    ).scalar()
    if added is not None:
        payload = {key: values[key] for key in ("id", "recipe", "runtime", "f1", "latency_ms", "size_bytes", "score")}
        events.emit(connection, values["study_id"], "variant", payload, trial_id=values["trial_id"])


def get(connection: Connection, variant_id: str) -> Row[Any]:
    row = connection.execute(select(variants).where(variants.c.id == variant_id)).one_or_none()
    if row is None:
        raise NotFoundError("variant", variant_id)
    return row


def of_study(connection: Connection, study_id: str) -> Sequence[Row[Any]]:
    """A study's variants, without their scores by class, in the order in which they were made."""
    columns = [column for column in variants.c if column.name not in ("per_class_f1", "confusion")]
    return connection.execute(
        select(*columns).where(variants.c.study_id == study_id).order_by(variants.c.created_at, variants.c.id)
    ).all()


def best_of(connection: Connection, trial_ids: Sequence[str]) -> Sequence[Row[Any]]:
    """Each trial's variant with the lowest score."""
    query = (
        select(variants)
        .where(variants.c.trial_id.in_(trial_ids))
        .ext(distinct_on(variants.c.trial_id))
        .order_by(variants.c.trial_id, variants.c.score, variants.c.id)
    )
    return connection.execute(query).all()


def trials_of(connection: Connection, study_id: str) -> set[str]:
    """The trials of a study that have variants."""
    return set(connection.execute(select(variants.c.trial_id).where(variants.c.study_id == study_id)).scalars())


def add_artifact(connection: Connection, values: dict[str, Any]) -> None:
    connection.execute(insert(artifacts).values(**values))


def artifact(connection: Connection, artifact_id: str) -> Row[Any]:
    row = connection.execute(select(artifacts).where(artifacts.c.id == artifact_id)).one_or_none()
    if row is None:
        raise NotFoundError("artifact", artifact_id)
    return row


def weights_of(connection: Connection, trial_id: str) -> Row[Any]:
    """The artifact with a trial's weights: those of its latest full training, else those of the search.

    ConflictError if they were collected (services/storage/retention.py).
    """
    query = select(artifacts).where(artifacts.c.trial_id == trial_id, artifacts.c.kind == "weights")
    latest = query.where(artifacts.c.variant_id.is_(None)).order_by(artifacts.c.id.desc()).limit(1)
    row = connection.execute(latest).one_or_none()
    if row is None:
        raise ConflictError(f"the weights of trial {trial_id} were collected (`seedleaf gc`): run it again first")
    return row


def artifacts_of(connection: Connection, variant_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """The files of each variant."""
    query = select(artifacts).where(artifacts.c.variant_id.in_(variant_ids)).order_by(artifacts.c.id)
    found: dict[str, list[dict[str, Any]]] = {variant_id: [] for variant_id in variant_ids}
    for row in connection.execute(query):
        found[row.variant_id].append(_file(row))
    return found


def artifacts_of_trial(connection: Connection, trial_id: str) -> list[dict[str, Any]]:
    """A trial's own files, those of its variants left out."""
    query = select(artifacts).where(artifacts.c.trial_id == trial_id, artifacts.c.variant_id.is_(None))
    return [_file(row) for row in connection.execute(query.order_by(artifacts.c.id))]


def _file(row: Row[Any]) -> dict[str, Any]:
    return {"id": row.id, "kind": row.kind, "sha256": row.sha256, "size_bytes": row.size_bytes}
