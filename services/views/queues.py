"""How much is queued, running and done."""

from collections.abc import Mapping

from sqlalchemy import Connection

from services.store import totals


def count_by_state(connection: Connection) -> Mapping[str, Mapping[str, int]]:
    """Studies, compression jobs, trainings, test scorings and data-set checks by state, by the name of the table."""
    return totals.count_by_state(connection)
