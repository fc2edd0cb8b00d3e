"""Events: what happened to a study, in the order in which it was committed."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select, text
from sqlalchemy.dialects.postgresql import JSONB

from services.tables import events

CHANNEL = "seedleaf_events"

# The lock makes a study's events commit in the order of their ids: who reads up to an id has missed nothing before it.
_EMIT = text(
    f"""
    WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock(hashtextextended(:study_id, 0))),
    event AS (
        INSERT INTO {events.fullname} (study_id, kind, trial_id, payload)
        SELECT :study_id, :kind, :trial_id, :payload FROM turn
        RETURNING study_id
    )
    SELECT pg_notify('{CHANNEL}', study_id) FROM event
    """
).bindparams(bindparam("payload", type_=JSONB))


def emit(
    connection: Connection, study_id: str, kind: str, payload: dict[str, Any], *, trial_id: str | None = None
) -> None:
    """Record an event and wake its listeners when the transaction commits."""
    connection.execute(_EMIT, {"study_id": study_id, "kind": kind, "trial_id": trial_id, "payload": payload})


def after(connection: Connection, study_id: str, event_id: int, *, limit: int) -> Sequence[dict[str, Any]]:
    """The study's events later than ``event_id``, oldest first."""
    query = (
        select(events.c.id, events.c.kind, events.c.trial_id, events.c.payload, events.c.created_at)
        .where(events.c.study_id == study_id, events.c.id > event_id)
        .order_by(events.c.id)
        .limit(limit)
    )
    return [dict(row) for row in connection.execute(query).mappings()]
