"""A study with many trials, without training them: copies of one trial with metrics drawn at random."""

from sqlalchemy import Engine, text

from services.store.tables import SCHEMA

_FILL = f"""
INSERT INTO {SCHEMA}.trials (id, study_id, number, state, candidate, assignment, host, created_at, finished_at,
    f1, accuracy, latency_ms, latency_p90_ms, macs, params, size_bytes, score)
SELECT 'trial_' || lpad(fresh::text, 24, '0'), study_id, first + fresh, state, candidate, assignment, host, created_at,
    finished_at, drawn.f1, drawn.f1, drawn.latency_ms, 1.2 * drawn.latency_ms, (1e7 * base.size)::bigint,
    (1e5 * base.size)::bigint, (4e5 * base.size)::bigint, 1 - drawn.f1
FROM {SCHEMA}.trials, generate_series(1, :count) AS fresh,
    LATERAL (SELECT max(number) AS first FROM {SCHEMA}.trials AS own WHERE own.study_id = trials.study_id) AS numbers,
    LATERAL (SELECT fresh AS seed, random() AS size) AS base,
    LATERAL (SELECT 0.9 * base.size / (base.size + 0.2 + random()) AS f1, 0.05 + base.size * random() AS latency_ms)
    AS drawn
WHERE trials.id = :template
"""


def add_trials_like(engine: Engine, trial_id: str, count: int) -> None:
    """Add ``count`` completed trials to the study of a trial, and have PostgreSQL look at the table again."""
    with engine.begin() as connection:
        connection.execute(text(_FILL), {"count": count, "template": trial_id})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"VACUUM ANALYZE {SCHEMA}.trials"))
