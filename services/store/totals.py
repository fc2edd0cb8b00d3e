"""Counts over everything, for those who watch the service."""

from sqlalchemy import Connection, func, select

from services.tables import compression_jobs, studies, trials


def by_state(connection: Connection) -> dict[str, dict[str, int]]:
    """How many studies, trials and compression jobs are in each state."""
    found = {}
    for table in (studies, trials, compression_jobs):
        rows = connection.execute(select(table.c.state, func.count()).group_by(table.c.state))
        found[table.name] = {str(state): count for state, count in rows}
    return found
