"""The migrations build what services/store/tables.py says."""

from concurrent.futures import ThreadPoolExecutor

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, text

from services.database import make_engine, migrate
from services.store.tables import SCHEMA, metadata


def test_a_migrated_database_is_what_the_tables_say(engine: Engine) -> None:
    with engine.connect() as connection:
        options = {"include_schemas": True, "version_table_schema": SCHEMA, "include_name": _ours}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []


def test_processes_that_start_together_migrate_once(postgres_url: str, database_url: str) -> None:
    engine = make_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {SCHEMA} CASCADE"))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: migrate(make_engine(database_url)), range(4)))
    with engine.connect() as connection:
        assert connection.execute(text(f"SELECT count(*) FROM {SCHEMA}.alembic_version")).scalar_one() == 1
    engine.dispose()


def _ours(name: str | None, kind: str, _: object) -> bool:
    return name == SCHEMA if kind == "schema" else True
