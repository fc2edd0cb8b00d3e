"""SQL of totals: what each study has come to, kept as it happens, so that nobody counts a million trials.

``add`` notes a change; all of a transaction's are written in one statement right before it commits, in the order of
their keys: so two transactions never wait for each other, and none holds a total while it waits for anything else.
"""

import json
from typing import Literal

from sqlalchemy import Connection, Engine, and_, event, func, or_, select, text

from services.records.totals import StudyTotal, Total
from services.store.tables import compression_jobs, dataset_checks, studies, test_scorings, totals, trainings, variants

#: ``trials`` and ``trial_seconds`` are by state; ``spent`` counts trials that used up budget; ``leases_lost`` is by
#: who held it.
Name = Literal["trials", "trial_seconds", "spent", "sampler_seconds", "leases_lost"]
_PENDING = "seedleaf_totals"

_WRITE = text(
    f"""
    INSERT INTO {totals.fullname} AS old (study_id, name, label, amount)
    SELECT * FROM json_to_recordset(:rows) AS r (study_id text, name text, label text, amount float)
    ORDER BY study_id, name, label
    ON CONFLICT (study_id, name, label) DO UPDATE SET amount = old.amount + excluded.amount
    """
)


def add(connection: Connection, study_id: str, name: Name, amount: float, *, label: str = "") -> None:
    """Have ``amount`` added to a total of a study when the transaction commits."""
    changes = connection.info.setdefault(_PENDING, {})
    key = (study_id, name, label)
    changes[key] = changes.get(key, 0) + amount


def write_on_commit(engine: Engine) -> None:
    """Make the engine's transactions write what ``add`` was given in them."""
    event.listen(engine, "commit", _write)
    event.listen(engine, "rollback", _forget)


def _write(connection: Connection) -> None:
    changes = connection.info.pop(_PENDING, {})
    names = ("study_id", "name", "label", "amount")
    rows = [dict(zip(names, (*key, amount), strict=True)) for key, amount in changes.items() if amount]
    if rows:
        connection.execute(_WRITE, {"rows": json.dumps(rows)})


def _forget(connection: Connection) -> None:
    if not connection.invalidated:
        connection.info.pop(_PENDING, None)


def list_overall(connection: Connection) -> list[Total]:
    """Each total, summed over all studies."""
    query = select(totals.c.name, totals.c.label, func.sum(totals.c.amount).label("amount"))
    rows = connection.execute(query.group_by(totals.c.name, totals.c.label)).mappings()
    return [Total.from_row(row) for row in rows]


def list_by_active_study(connection: Connection) -> list[StudyTotal]:
    """The totals of each study that is not over or ended within the last hour."""
    recent = or_(studies.c.finished_at.is_(None), studies.c.finished_at > func.now() - text("interval '1 hour'"))
    query = select(totals).join(studies, and_(studies.c.id == totals.c.study_id, recent))
    rows = connection.execute(query.order_by(totals.c.study_id, totals.c.name, totals.c.label)).mappings()
    return [StudyTotal.from_row(row) for row in rows]


def count_by_state(connection: Connection) -> dict[str, dict[str, int]]:
    """How many rows are in each state, by the name of the table; of the tables that stay small."""
    counts: dict[str, dict[str, int]] = {}
    for table in (studies, compression_jobs, trainings, test_scorings, dataset_checks):
        rows = connection.execute(select(table.c.state, func.count()).group_by(table.c.state))
        counts[table.name] = {str(state): count for state, count in rows}
    return counts


def timed_seconds(connection: Connection) -> float:
    """How long variants have run to be timed, warm-up not counted."""
    runs_ms = variants.c.latency["n"].as_float() * variants.c.latency["mean_ms"].as_float()
    return float(connection.execute(select(func.coalesce(func.sum(runs_ms) / 1000, 0.0))).scalar_one())
