"""What tests share: a real PostgreSQL, a database of its own for each test, and a real server for acceptance."""

import itertools
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from sqlalchemy import Engine, make_url, text

from services.database import make_engine, migrate
from services.local.postgres import embedded_postgres
from tests.object_storage import S3_ACCOUNT, s3_server
from tests.server import Server, home_folder, server_process

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
# A shell's background jobs ignore Ctrl-C, and so would all that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)
_DATA = Path(__file__).parents[2] / "shared" / "data"
_database_numbers = itertools.count()
_bucket_numbers = itertools.count()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="run the tests that take minutes too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--slow"):
        for item in items:
            if "slow" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="takes minutes: run it with --slow"))


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The embedded PostgreSQL, with a migrated database named ``template``; thrown away, it waits for no disk."""
    with home_folder() as home, embedded_postgres(home / "postgres") as postgres:
        _execute(postgres.url, "ALTER SYSTEM SET fsync = off")
        _execute(postgres.url, "SELECT pg_reload_conf()")
        _execute(postgres.url, "CREATE DATABASE template")
        engine = make_engine(_with_database(postgres.url, "template"))
        migrate(engine)
        engine.dispose()
        yield postgres.url


@pytest.fixture
def database_url(postgres_url: str) -> str:
    """A migrated, empty database for one test."""
    return _new_database(postgres_url)


@pytest.fixture(scope="module")
def module_database_url(postgres_url: str) -> str:
    """A migrated database for the tests of a module that do not mind what the others wrote."""
    return _new_database(postgres_url)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """Where a real S3 server on this machine answers."""
    with s3_server() as endpoint:
        yield endpoint


@pytest.fixture
def bucket_url(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty bucket, for this process and those that it starts."""
    for name, value in {**S3_ACCOUNT, "AWS_ENDPOINT_URL": s3_endpoint}.items():
        monkeypatch.setenv(name, value)
    name = f"bucket-{next(_bucket_numbers)}"
    fsspec.filesystem("s3", skip_instance_cache=True).mkdir(name)
    return f"s3://{name}"


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """``seedleaf up`` with a home folder of its own, for all acceptance tests."""
    with home_folder() as home, server_process(home) as running:
        yield running


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real images beside the checkout; tests that need it are skipped where it is absent."""
    if not _DATA.is_dir():
        pytest.skip(f"no real images: {_DATA} is absent")
    return _DATA


def _new_database(postgres_url: str) -> str:
    name = f"test_{next(_database_numbers)}"
    _execute(postgres_url, f"CREATE DATABASE {name} TEMPLATE template")
    return _with_database(postgres_url, name)


def _with_database(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def _execute(url: str, statement: str) -> None:
    engine = make_engine(url).execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
