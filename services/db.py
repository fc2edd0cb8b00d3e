"""The way to PostgreSQL: engines, and bringing a database up to date."""

import secrets
import time
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, make_url, text

from services.store import events, totals
from services.tables import OPTUNA_SCHEMA, SCHEMA

_MIGRATION_LOCK = 0x5EED1EAF
_IDLE_MS = 20_000
LEADER_LOCK = 0x5EED1EAD


def make_engine(url: str, *, pool_size: int = 5) -> Engine:
    """An engine on PostgreSQL through psycopg2; connections are checked before use, so that a restart is survived."""
    parsed = make_url(url)
    if not parsed.drivername.startswith("postgresql"):
        raise ValueError(f"SEEDLEAF_DATABASE_URL must be a postgresql:// URL, got {parsed.drivername}://")
    engine = create_engine(
        parsed.set(drivername="postgresql+psycopg2"),
        pool_size=pool_size,
        max_overflow=20,
        pool_pre_ping=True,
        # A process that is stopped, or cut off, in the middle of a transaction must not hold its locks for ever.
        connect_args={"options": f"-c idle_in_transaction_session_timeout={_IDLE_MS}"},
    )
    # Events come last: who holds their lock waits for nobody.
    totals.write_on_commit(engine)
    events.write_on_commit(engine)
    return engine


def migrate(engine: Engine) -> None:
    """Bring the schema up to date; when several processes start at once, one does it and the others wait."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _MIGRATION_LOCK})
        try:
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {OPTUNA_SCHEMA}"))
            connection.commit()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
        finally:
            connection.rollback()
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _MIGRATION_LOCK})
            connection.commit()


def optuna_url(url: str, *, hide_password: bool = False) -> str:
    """The URL under which Optuna and optuna-dashboard find their tables in their own schema."""
    parsed = make_url(url).set(drivername="postgresql+psycopg2")
    found = parsed.update_query_dict({"options": f"-csearch_path={OPTUNA_SCHEMA}"})
    return found.render_as_string(hide_password=hide_password and bool(parsed.password))


def new_id(prefix: str) -> str:
    """An opaque id that sorts by the time it was made: 48 bits of milliseconds, then 48 random bits."""
    return f"{prefix}_{time.time_ns() // 1_000_000:012x}{secrets.token_hex(6)}"
