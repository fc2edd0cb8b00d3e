"""Connections to PostgreSQL, and the migration of a database to the current schema."""

import math
import select
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg2
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, event, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from services.store import events, totals
from services.store.tables import OPTUNA_SCHEMA, SCHEMA

_MIGRATION_LOCK = 0x5EED1EAF
_IDLE_MS = 20_000
#: No query of the API reads for longer: one over a million rows must not hold up the others.
READ_LIMIT_MS = 10_000
_IDLE_BEFORE_CHECK_S = 1.0
_MOST_BEYOND_POOL = 20
#: For a connection, where all are in use: SQLAlchemy's TimeoutError afterwards.
POOL_PATIENCE_S = 5.0
LEADER_LOCK = 0x5EED1EAD


def make_reader(url: str, *, pool_size: int) -> Engine:
    """An engine for single queries without a transaction around them: one round trip each, not three.

    A query that takes longer than READ_LIMIT_MS is ended: psycopg2's QueryCanceled.
    """
    limits = {"statement_timeout": READ_LIMIT_MS}
    return _engine(url, pool_size=pool_size, limits=limits, isolation_level="AUTOCOMMIT", pool_reset_on_return=None)


def make_engine(url: str, *, pool_size: int = 5) -> Engine:
    """An engine on PostgreSQL through psycopg2; idle connections are checked before use, so it survives a restart."""
    # A process that is stopped or cut off in the middle of a transaction must not hold its locks for ever.
    engine = _engine(url, pool_size=pool_size, limits={"idle_in_transaction_session_timeout": _IDLE_MS})
    # Events come last: a transaction that holds their lock waits for no other lock.
    totals.write_on_commit(engine)
    events.write_on_commit(engine)
    return engine


def takes_writes(engine: Engine) -> bool:
    """False for a standby and for a database that its operator has made read-only."""
    with engine.connect() as connection:
        return bool(connection.execute(text("SHOW transaction_read_only")).scalar_one() == "off")


def _engine(url: str, *, pool_size: int, limits: Mapping[str, int], **options: Any) -> Engine:
    """``limits`` are settings of PostgreSQL, in milliseconds."""
    parsed = make_url(url)
    if not parsed.drivername.startswith("postgresql"):
        raise ValueError(f"SEEDLEAF_DATABASE_URL must be a postgresql:// URL, got {parsed.drivername}://")
    engine = create_engine(
        parsed.set(drivername="postgresql+psycopg2"),
        pool_size=pool_size,
        max_overflow=_MOST_BEYOND_POOL,
        pool_timeout=POOL_PATIENCE_S,
        connect_args={"options": " ".join(f"-c {name}={value_ms}" for name, value_ms in limits.items())},
        **options,
    )
    _check_idle(engine)
    return engine


def _check_idle(engine: Engine) -> None:
    """Check a connection before use, and replace it if it is dead, where it was idle for ``_IDLE_BEFORE_CHECK_S`` or
    the database has sent something unasked, as it does when it ends a connection.

    SQLAlchemy's own check asks the database before each use, which takes a tenth of a small request's time.
    """

    def note_idle(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
        record.info["idle_since_s"] = time.monotonic()

    def check(connection: DBAPIConnection, record: ConnectionPoolEntry, _: PoolProxiedConnection) -> None:
        idle_s = time.monotonic() - record.info.get("idle_since_s", math.inf)
        try:
            if idle_s > _IDLE_BEFORE_CHECK_S or _has_input(connection):
                engine.dialect.do_ping(connection)
        except psycopg2.Error as error:
            raise DisconnectionError from error

    event.listen(engine, "checkin", note_idle)
    event.listen(engine, "checkout", check)


def _has_input(connection: DBAPIConnection) -> bool:
    """Whether something waits to be read, without a round trip."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def migrate(engine: Engine, revision: str = "head") -> None:
    """Bring the schema up to date, or up to a revision.

    When several processes start at once, one does it and the others wait.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "store" / "migrations"))
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _MIGRATION_LOCK})
        try:
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {OPTUNA_SCHEMA}"))
            connection.commit()
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
            connection.commit()
        finally:
            connection.rollback()
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _MIGRATION_LOCK})
            connection.commit()


def optuna_url(url: str, *, hide_password: bool = False) -> str:
    """The URL for Optuna and optuna-dashboard, whose tables are in a schema of their own."""
    parsed = make_url(url).set(drivername="postgresql+psycopg2")
    with_schema = parsed.update_query_dict({"options": f"-csearch_path={OPTUNA_SCHEMA}"})
    return with_schema.render_as_string(hide_password=hide_password and bool(parsed.password))
