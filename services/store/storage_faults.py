"""SQL of storage faults: noted by the job that met one, cleared by the controller."""

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, case, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.records.storage_faults import StorageFault
from services.store.tables import storage_faults as faults

#: A fault that comes back so soon after it was cleared is the same: what waits for it is tried again more slowly.
_SAME_S = 600
_LONGEST_WAIT_S = 300
_MOST_DOUBLINGS = 8


def add(connection: Connection, *, place: str, host: str, reason: str) -> None:
    """Note that a place takes no files. Work is tried again 2 s later at the earliest, then 4 s, up to 5 minutes."""
    came_back = faults.c.cleared_at > func.now() - text(f"interval '{_SAME_S} seconds'")
    tries: ColumnElement[int] = case(
        (faults.c.cleared_at.is_(None), faults.c.tries), (came_back, faults.c.tries + 1), else_=1
    )
    retry_at = case((faults.c.cleared_at.is_(None), faults.c.retry_at), else_=_after(tries))
    values = {"place": place, "host": host, "reason": reason, "tries": 1, "retry_at": _after(literal(1))}
    changes = {"reason": reason, "tries": tries, "retry_at": retry_at, "cleared_at": None}
    connection.execute(
        upsert(faults).values(values).on_conflict_do_update(index_elements=["place", "host"], set_=changes)
    )


def list_open(connection: Connection) -> list[StorageFault]:
    """The faults that were not cleared, oldest first."""
    due = (faults.c.retry_at <= func.now()).label("due")
    query = select(faults.c.place, faults.c.host, faults.c.reason, due).where(faults.c.cleared_at.is_(None))
    return [StorageFault.from_row(row) for row in connection.execute(query.order_by(faults.c.retry_at)).mappings()]


def clear(connection: Connection, fault: StorageFault) -> None:
    """Note that a place takes files again."""
    same = (faults.c.place == fault.place, faults.c.host == fault.host)
    connection.execute(update(faults).where(*same).values(cleared_at=func.now()))


def _after(tries: ColumnElement[int]) -> ColumnElement[datetime]:
    """The time of the next try after so many."""
    seconds = func.least(_LONGEST_WAIT_S, func.power(2, func.least(tries, _MOST_DOUBLINGS + 1)))
    return func.now() + func.make_interval(0, 0, 0, 0, 0, 0, seconds)
