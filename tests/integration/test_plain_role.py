"""Seedleaf works with a role that only owns its database, as docker compose makes it."""

from sqlalchemy import make_url, text

from services.database import make_engine, migrate
from tests.integration.records import make_study, make_trial


def test_the_record_needs_no_superuser(postgres_url: str) -> None:
    owner = make_engine(postgres_url).execution_options(isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        connection.execute(text("CREATE ROLE plain LOGIN PASSWORD 'for-a-test'"))
        connection.execute(text("CREATE DATABASE plain OWNER plain"))
    owner.dispose()
    url = make_url(postgres_url).set(username="plain", password="for-a-test", database="plain")
    engine = make_engine(url.render_as_string(hide_password=False))
    with engine.connect() as connection:
        assert connection.execute(text("SHOW is_superuser")).scalar_one() == "off"
    migrate(engine)
    make_trial(engine, make_study(engine))
    engine.dispose()
