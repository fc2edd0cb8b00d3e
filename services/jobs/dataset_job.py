"""The Ray job of one data set: ``python -m services.jobs.dataset_job ID`` checks it and records what it found.

It may be killed at any moment: the controller starts it again.
"""

import argparse
from dataclasses import asdict

import structlog
from sqlalchemy import Engine

from services import logs
from services.database import make_engine
from services.errors import ConflictError
from services.settings import settings
from services.store import dataset_checks as checks
from workers.data import DataError, check_dataset

log = structlog.get_logger()


def run(engine: Engine, check_id: str) -> None:
    """Check a registered data set; one that cannot be listed at all is a FAILED check with its reason.

    ConflictError if the check was not queued: another attempt has it, or it has ended.
    """
    with engine.begin() as connection:
        spec = checks.begin(connection, check_id).spec
    try:
        report = check_dataset(spec)
    except DataError as error:
        with engine.begin() as connection:
            checks.fail(connection, check_id, str(error))
    else:
        with engine.begin() as connection:
            checks.complete(connection, check_id, asdict(report))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("check_id")
    check_id = parser.parse_args().check_id
    logs.configure("dataset", dataset_id=check_id)
    try:
        run(make_engine(settings().require_database_url()), check_id)
    except ConflictError as error:
        log.info("nothing to do", dataset_id=check_id, why=str(error))


if __name__ == "__main__":
    main()
