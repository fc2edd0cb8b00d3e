"""Times on the database's clock, which all hosts share."""

from datetime import datetime

from sqlalchemy import ColumnElement, func, text


def in_seconds(seconds: float) -> ColumnElement[datetime]:
    """So many seconds from now."""
    return func.now() + text(f"interval '{float(seconds)} seconds'")
