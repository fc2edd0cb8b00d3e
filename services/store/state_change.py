"""The one function that changes a row's state, whatever its table.

The update is guarded by the states from which the new one may be entered, so two writers that race cannot both win.
The event that tells of the change is written in the same transaction.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, func, select, update

from search.contract.states import sources_of
from services.errors import ConflictError, NotFoundError
from services.store import events

S = TypeVar("S", bound=StrEnum)


@dataclass(frozen=True, kw_only=True)
class Event:
    """Tells a study's watchers about a row; ``payload`` identifies the row, its state is added to it."""

    study_id: str
    kind: str
    payload: Mapping[str, object]
    trial_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class StateMachine(Generic[S]):
    """The states of a table's rows.

    ``noun`` names a row in errors. ``state`` is the column that holds the state, or an expression for it where the
    table has no such column. A row in one of the ``terminal`` states has a ``finished_at``. ``event`` makes the event
    that tells of a row; None where nothing is told. ``columns`` are those that a change returns, all if None.
    """

    noun: str
    table: Table
    state: ColumnElement[S]
    transitions: dict[S, frozenset[S]]
    terminal: Collection[S]
    event: Callable[[RowMapping], Event] | None = None
    columns: Sequence[ColumnElement[object]] | None = None


def change_state(
    connection: Connection,
    machine: StateMachine[S],
    row_id: str,
    target: S,
    *,
    reason: str | None = None,
    values: Mapping[str, object] | None = None,
    details: Mapping[str, object] | None = None,
) -> RowMapping:
    """Take a row to the state ``target``, set the columns ``values``, and return the row as it is then.

    The event's payload gets ``details``. NotFoundError if there is no such row; ConflictError if ``target`` may not be
    entered from the row's state, which then stays as it is.
    """
    table, state = machine.table, machine.state
    changes = {**(values or {}), "reason": reason, "finished_at": func.now() if target in machine.terminal else None}
    if "state" in table.c:
        changes["state"] = target
    guarded = update(table).where(table.c.id == row_id, state.in_(sources_of(machine.transitions, target)))
    row = connection.execute(guarded.values(changes).returning(*(machine.columns or table.c))).mappings().one_or_none()
    if row is None:
        current = connection.execute(select(state).where(table.c.id == row_id)).scalar()
        if current is None:
            raise NotFoundError(machine.noun, row_id)
        raise ConflictError(f"{machine.noun} {row_id} is {current}: it cannot become {target}")
    tell(connection, machine, row, {"state": target, "reason": reason, **(details or {})})
    return row


def tell(connection: Connection, machine: StateMachine[S], row: RowMapping, payload: Mapping[str, object]) -> None:
    """Emit the event of a row with what ``payload`` adds, where the table has events."""
    if machine.event is not None:
        event = machine.event(row)
        events.emit(connection, event.study_id, event.kind, {**event.payload, **payload}, trial_id=event.trial_id)
