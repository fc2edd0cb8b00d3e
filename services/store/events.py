"""Events: what happened to a study, in the order in which it was committed.

They are written last in a transaction, right before it commits, under a lock of the study: so who has read up to an id
has missed nothing before it, and nobody waits for a row while others wait for that lock.
"""

import json

from sqlalchemy import BigInteger, Connection, Engine, column, event, select, text

from services.records.events import Event
from services.records.json_object import JsonObject
from services.store.prepared import Prepared
from services.store.tables import events

CHANNEL = "seedleaf_events"
_PENDING = "seedleaf_events"

_WRITE = Prepared(
    "write_events",
    text(f"""
    WITH emitted AS (
        SELECT * FROM json_to_recordset(CAST($1 AS json)) AS r (study_id text, kind text, trial_id text, payload jsonb)
    ),
    turns AS MATERIALIZED (
        SELECT count(pg_advisory_xact_lock(hashtextextended(study_id, 0)))
        FROM (SELECT DISTINCT study_id FROM emitted ORDER BY study_id) AS listed
    ),
    written AS (
        INSERT INTO {events.fullname} (study_id, kind, trial_id, payload)
        SELECT emitted.* FROM turns, emitted
        RETURNING study_id, id
    )
    SELECT max(last), count(pg_notify('{CHANNEL}', study_id))
    FROM (SELECT study_id, max(id) AS last FROM written GROUP BY study_id) AS latest
    """),
    [column("last", BigInteger)],
)


def emit(connection: Connection, study_id: str, kind: str, payload: JsonObject, *, trial_id: str | None = None) -> None:
    """Have an event written when the transaction commits; its listeners are woken then."""
    row = {"study_id": study_id, "kind": kind, "trial_id": trial_id, "payload": payload}
    connection.info.setdefault(_PENDING, []).append(row)


def write_on_commit(engine: Engine) -> None:
    """Make the engine's transactions write what ``emit`` was given in them."""
    event.listen(engine, "commit", write)
    event.listen(engine, "rollback", _forget)


def write(connection: Connection) -> int | None:
    """Write what ``emit`` was given and return the last event's id, None without any. Only to end a transaction."""
    rows = connection.info.pop(_PENDING, [])
    return _WRITE(connection, json.dumps(rows)).one()["last"] if rows else None


def wake(connection: Connection, study_id: str) -> None:
    """Wake those who watch a study when the transaction commits, without an event."""
    connection.execute(text("SELECT pg_notify(:channel, :study_id)"), {"channel": CHANNEL, "study_id": study_id})


def _forget(connection: Connection) -> None:
    # What belonged to a connection that broke went with it; asking for it would hide why it broke.
    if not connection.invalidated:
        connection.info.pop(_PENDING, None)


def list_after(connection: Connection, study_id: str, event_id: int, *, limit: int) -> list[Event]:
    """The study's events later than ``event_id``, oldest first."""
    query = (
        select(events.c.id, events.c.kind, events.c.trial_id, events.c.payload, events.c.created_at)
        .where(events.c.study_id == study_id, events.c.id > event_id)
        .order_by(events.c.id)
        .limit(limit)
    )
    return [Event.from_row(row) for row in connection.execute(query).mappings()]
