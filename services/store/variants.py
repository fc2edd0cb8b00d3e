"""SQL of variants and artifacts: the deployable models and their files."""

from collections.abc import Sequence

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert

from search.contract.on_test import ScoresOnTest
from services.errors import ConflictError, NotFoundError
from services.records.json_object import JsonObject
from services.records.on_test import columns_of
from services.records.variants import Artifact, ClassScores, Variant
from services.store import events
from services.store.pages import PageQuery, read_page
from services.store.tables import artifacts, variants

_CLASS_SCORES = ("per_class_f1", "confusion")
_COLUMNS = [column for column in variants.c if column.name not in _CLASS_SCORES]
_SELECT = select(*_COLUMNS)


def add(connection: Connection, values: JsonObject) -> None:
    """Record a variant, given by its columns; idempotent: a job that is repeated after a crash replaces nothing."""
    added = connection.execute(
        upsert(variants).values(**values).on_conflict_do_nothing().returning(variants.c.id)
    ).scalar()
    if added is not None:
        payload = {key: values[key] for key in ("id", "recipe", "runtime", "f1", "latency_ms", "size_bytes", "score")}
        events.emit(connection, str(values["study_id"]), "variant", payload, trial_id=str(values["trial_id"]))


def set_on_test(connection: Connection, variant_id: str, scores: ScoresOnTest) -> None:
    """Note what a variant scored on the test split."""
    connection.execute(update(variants).where(variants.c.id == variant_id).values(**columns_of(scores)))


def get(connection: Connection, variant_id: str) -> Variant:
    row = connection.execute(_SELECT.where(variants.c.id == variant_id)).mappings().one_or_none()
    if row is None:
        raise NotFoundError("variant", variant_id)
    return Variant.from_row(row)


def get_class_scores(connection: Connection, variant_id: str) -> ClassScores:
    query = select(*(variants.c[name] for name in _CLASS_SCORES)).where(variants.c.id == variant_id)
    return ClassScores.from_row(connection.execute(query).mappings().one())


def list_page(connection: Connection, query: PageQuery) -> list[Variant]:
    return [Variant.from_row(row) for row in read_page(connection, _COLUMNS, query)]


def list_by_study(connection: Connection, study_id: str) -> list[Variant]:
    """A study's variants in the order in which they were made."""
    query = _SELECT.where(variants.c.study_id == study_id).order_by(variants.c.created_at, variants.c.id)
    return [Variant.from_row(row) for row in connection.execute(query).mappings()]


def list_best(connection: Connection, trial_ids: Sequence[str]) -> list[Variant]:
    """Each trial's variant with the lowest score."""
    query = (
        _SELECT.where(variants.c.trial_id.in_(trial_ids))
        .ext(distinct_on(variants.c.trial_id))
        .order_by(variants.c.trial_id, variants.c.score, variants.c.id)
    )
    return [Variant.from_row(row) for row in connection.execute(query).mappings()]


def list_trial_ids(connection: Connection, study_id: str) -> set[str]:
    """The trials of a study that have variants."""
    return set(connection.execute(select(variants.c.trial_id).where(variants.c.study_id == study_id)).scalars())


def add_artifact(connection: Connection, values: JsonObject) -> None:
    """Record a file of the artifact store, given by its columns."""
    connection.execute(insert(artifacts).values(**values))


def get_artifact(connection: Connection, artifact_id: str) -> Artifact:
    row = connection.execute(select(artifacts).where(artifacts.c.id == artifact_id)).mappings().one_or_none()
    if row is None:
        raise NotFoundError("artifact", artifact_id)
    return Artifact.from_row(row)


def get_weights(connection: Connection, trial_id: str) -> Artifact:
    """The artifact with a trial's weights: those of its latest full training, else those of the search.

    ConflictError if they were deleted (services/storage/retention.py).
    """
    query = select(artifacts).where(artifacts.c.trial_id == trial_id, artifacts.c.kind == "weights")
    latest = query.where(artifacts.c.variant_id.is_(None)).order_by(artifacts.c.id.desc()).limit(1)
    row = connection.execute(latest).mappings().one_or_none()
    if row is None:
        raise ConflictError(f"the weights of trial {trial_id} were collected (`seedleaf gc`): run it again first")
    return Artifact.from_row(row)


def list_artifacts(connection: Connection, variant_ids: Sequence[str]) -> dict[str, list[Artifact]]:
    """The files of each variant."""
    query = select(artifacts).where(artifacts.c.variant_id.in_(variant_ids)).order_by(artifacts.c.id)
    by_variant: dict[str, list[Artifact]] = {variant_id: [] for variant_id in variant_ids}
    for row in connection.execute(query).mappings():
        by_variant[row["variant_id"]].append(Artifact.from_row(row))
    return by_variant


def list_trial_artifacts(connection: Connection, trial_id: str) -> list[Artifact]:
    """A trial's own files, those of its variants left out."""
    query = select(artifacts).where(artifacts.c.trial_id == trial_id, artifacts.c.variant_id.is_(None))
    return [Artifact.from_row(row) for row in connection.execute(query.order_by(artifacts.c.id)).mappings()]
