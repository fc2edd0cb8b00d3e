"""The migrations build what services/store/tables says."""

from concurrent.futures import ThreadPoolExecutor

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, text

from services.database import make_engine, migrate
from services.store.tables import SCHEMA, metadata

_OLD_STUDY = f"INSERT INTO {SCHEMA}.studies (id, name, state, spec) VALUES ('1', 'old', 'QUEUED', :spec)"
_OLD_CHECK = f"""
    INSERT INTO {SCHEMA}.dataset_checks (id, spec, state, report, finished_at)
    VALUES ('1', '{{"seed" : 3}}', 'COMPLETED', :report, now())
"""


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


def test_what_was_recorded_before_the_test_split_has_none(postgres_url: str, database_url: str) -> None:
    engine = make_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {SCHEMA} CASCADE"))
    migrate(engine, "0013")
    with engine.begin() as connection:
        connection.execute(text(_OLD_STUDY), {"spec": '{"name": "old", "dataset": {"seed": 3}}'})
        connection.execute(text(_OLD_CHECK), {"report": '{"classes": [{"name": "cat"}, {"name": "ant"}]}'})
    migrate(engine)
    with engine.connect() as connection:
        [study] = connection.execute(text(f"SELECT spec FROM {SCHEMA}.studies")).scalars()
        [check] = connection.execute(text(f"SELECT spec FROM {SCHEMA}.dataset_checks")).scalars()
        [report] = connection.execute(text(f"SELECT report FROM {SCHEMA}.dataset_checks")).scalars()
    assert study == {"name": "old", "dataset": {"seed": 3, "test_fraction": 0}}
    assert check == {"seed": 3, "test_fraction": 0}
    assert report == {"classes": [{"name": "cat", "test": 0}, {"name": "ant", "test": 0}]}
    engine.dispose()


def _ours(name: str | None, kind: str, _: object) -> bool:
    return name == SCHEMA if kind == "schema" else True
