"""The Ray job of one data set: ``python -m services.jobs.dataset_job ID`` checks it and records what it found.

It may be killed at any moment: the controller starts it again.
"""

import argparse
from dataclasses import asdict

from sqlalchemy import Engine

from search.contract.dataset import DatasetSpec
from search.contract.states import JobState
from services import logs
from services.settings import settings
from services.store import dataset_checks as checks
from services.store.db import make_engine
from workers.data import DataError, check_dataset


def run(engine: Engine, check_id: str) -> None:
    """Check a registered data set; a data set that cannot be listed at all is a FAILED check with its reason."""
    with engine.begin() as connection:
        checks.begin(connection, check_id)
        spec = DatasetSpec.model_validate(checks.get(connection, check_id).spec)
    try:
        report = asdict(check_dataset(spec))
    except DataError as error:
        with engine.begin() as connection:
            checks.end(connection, check_id, JobState.FAILED, reason=str(error))
    else:
        with engine.begin() as connection:
            checks.end(connection, check_id, JobState.COMPLETED, report=report)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("check_id")
    check_id = parser.parse_args().check_id
    logs.configure("dataset", dataset_id=check_id)
    run(make_engine(settings().require_database_url()), check_id)


if __name__ == "__main__":
    main()
