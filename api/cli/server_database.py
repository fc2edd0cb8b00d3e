"""The database of this machine's server, for the commands that work on it directly."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from api.cli.errors import CommandError

if TYPE_CHECKING:
    from sqlalchemy import Engine


@contextmanager
def server_database() -> Iterator["Engine"]:
    """Its engine; starts the embedded PostgreSQL if it is not running. CommandError says what is missing."""
    from sqlalchemy.exc import OperationalError

    from services.database import make_engine, migrate
    from services.local.backends import database
    from services.settings import Settings

    try:
        with database(Settings()) as url:
            engine = make_engine(url)
            try:
                migrate(engine)
                yield engine
            finally:
                engine.dispose()
    except ModuleNotFoundError as error:
        raise CommandError(
            f"{error}: name a database by SEEDLEAF_DATABASE_URL, or pip install 'seedleaf[local]'"
        ) from error
    except OperationalError as error:
        raise CommandError(f"the database does not answer: {error.orig}") from error
