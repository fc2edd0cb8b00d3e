"""SQL of trials and their epochs: started, epoch by epoch, ended once."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from search.contract.reports import CurvePoint
from search.contract.states import ANSWERED_TRIAL_STATES, TRIAL_TRANSITIONS, TrialState, sources_of
from services.errors import ConflictError, NotFoundError
from services.store import events, totals
from services.store.tables import METRIC_COLUMNS, epochs, studies, trials


def add(
    connection: Connection,
    *,
    trial_id: str,
    study_id: str,
    number: int,
    candidate: dict[str, Any],
    assignment: dict[str, Any],
    metrics: Mapping[str, float],
    layers: list[dict[str, Any]] | None = None,
) -> None:
    connection.execute(
        insert(trials).values(
            id=trial_id,
            study_id=study_id,
            number=number,
            state=TrialState.RUNNING,
            candidate=candidate,
            assignment=assignment,
            layers=layers,
            **_known(metrics),
        )
    )
    totals.add(connection, study_id, "trials", 1, label=TrialState.RUNNING)
    events.emit(connection, study_id, "trial", {"number": number, "state": TrialState.RUNNING}, trial_id=trial_id)


def add_epoch(connection: Connection, study_id: str, trial_id: str, epoch: Mapping[str, float]) -> None:
    """Record an epoch's metrics; once more is no harm."""
    columns = ("epoch", "loss", "f1", "accuracy", "elapsed_s")
    values = {column: epoch[column] for column in columns}
    connection.execute(upsert(epochs).values(trial_id=trial_id, **values).on_conflict_do_nothing())
    events.emit(connection, study_id, "epoch", values, trial_id=trial_id)


def end(
    connection: Connection,
    trial_id: str,
    target: TrialState,
    *,
    reason: str | None = None,
    metrics: Mapping[str, float] | None = None,
    scores: Mapping[str, Any] | None = None,
    host: str | None = None,
) -> Row[Any]:
    """The one place where a trial leaves RUNNING; returns its row. ConflictError if it has ended: its state stays.

    Of ``scores`` the ``per_class_f1`` and the ``confusion`` matrix are kept beside the metrics.
    """
    by_class = {name: scores[name] for name in ("per_class_f1", "confusion")} if scores else {}
    row = connection.execute(
        update(trials)
        .where(trials.c.id == trial_id, trials.c.state.in_(sources_of(TRIAL_TRANSITIONS, target)))
        .values(state=target, reason=reason, finished_at=func.now(), host=host, **by_class, **_known(metrics or {}))
        .returning(*trials.c)
    ).one_or_none()
    if row is None:
        raise ConflictError(f"trial {trial_id} is {get(connection, trial_id).state} already and stays so")
    _count(connection, row)
    payload = {
        "number": row.number,
        "state": target,
        "reason": reason,
        "host": host,
        "metrics": _known(metrics or {}),
    }
    events.emit(connection, row.study_id, "trial", payload, trial_id=trial_id)
    return row


def _count(connection: Connection, row: Row[Any]) -> None:
    """Note in the study's totals that a trial has ended."""
    totals.add(connection, row.study_id, "trials", -1, label=TrialState.RUNNING)
    totals.add(connection, row.study_id, "trials", 1, label=row.state)
    seconds = (row.finished_at - row.created_at).total_seconds()
    totals.add(connection, row.study_id, "trial_seconds", seconds, label=row.state)
    # What a limit ruled out before it ran uses up no budget: it was never on a host.
    if row.state in ANSWERED_TRIAL_STATES and (row.state is not TrialState.INFEASIBLE or row.host is not None):
        totals.add(connection, row.study_id, "spent", 1)


def set_retrained(connection: Connection, trial_id: str, *, f1: float, f1_deviation: float) -> None:
    """Note what a trial's candidate reached when it was trained in full; its state stays."""
    values = {"retrained_f1": f1, "retrained_f1_deviation": f1_deviation}
    connection.execute(update(trials).where(trials.c.id == trial_id).values(**values))


def cancel_running(connection: Connection, study_id: str, reason: str) -> list[dict[str, Any]]:
    """End every running trial of a study as CANCELLED; returns their assignments, in order."""
    running = select(trials.c.id, trials.c.assignment).where(
        trials.c.study_id == study_id, trials.c.state == TrialState.RUNNING
    )
    rows = connection.execute(running.order_by(trials.c.number).with_for_update()).all()
    for row in rows:
        end(connection, row.id, TrialState.CANCELLED, reason=reason)
    return [row.assignment for row in rows]


def get(connection: Connection, trial_id: str) -> Row[Any]:
    row = connection.execute(select(trials).where(trials.c.id == trial_id)).one_or_none()
    if row is None:
        raise NotFoundError("trial", trial_id)
    return row


def of_study(
    connection: Connection,
    study_id: str,
    states: Sequence[TrialState] | frozenset[TrialState],
    *,
    latest: int | None = None,
) -> Sequence[Row[Any]]:
    """A study's trials by number; at most the ``latest`` ones."""
    query = select(trials).where(trials.c.study_id == study_id, trials.c.state.in_(states))
    return connection.execute(query.order_by(trials.c.number.desc()).limit(latest)).all()[::-1]


def measured(connection: Connection, study_id: str) -> Sequence[Row[Any]]:
    """A study's completed trials by number, without what they tried."""
    columns = [trials.c[name] for name in ("id", "number", "state", "host", *METRIC_COLUMNS)]
    completed = (trials.c.study_id == study_id, trials.c.state == TrialState.COMPLETED)
    return connection.execute(select(*columns).where(*completed).order_by(trials.c.number)).all()


def with_ids(connection: Connection, trial_ids: Sequence[str]) -> Sequence[Row[Any]]:
    return connection.execute(select(trials).where(trials.c.id.in_(trial_ids))).all()


def assignments(connection: Connection, trial_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The sampler's choices for each of some trials."""
    rows = connection.execute(select(trials.c.id, trials.c.assignment).where(trials.c.id.in_(trial_ids)))
    return {row.id: row.assignment for row in rows}


def epoch_seconds(connection: Connection, dataset: dict[str, Any], *, latest: int = 200) -> list[float]:
    """How long an epoch took, on average, in each of the ``latest`` trials that were completed on a data set."""
    place = {"dataset": {name: dataset[name] for name in ("source", "path", "name")}}
    recent = (
        select(trials.c.id)
        .join(studies, studies.c.id == trials.c.study_id)
        .where(trials.c.state == TrialState.COMPLETED, studies.c.spec.contains(place))
        .order_by(trials.c.finished_at.desc())
        .limit(latest)
        .subquery()
    )
    query = (
        select(func.avg(epochs.c.elapsed_s)).join(recent, recent.c.id == epochs.c.trial_id).group_by(epochs.c.trial_id)
    )
    return [float(value) for value in connection.execute(query).scalars()]


def hosts(connection: Connection, study_id: str) -> set[str]:
    """The hosts that a study's trials were timed on."""
    timed = select(trials.c.host).where(trials.c.study_id == study_id, trials.c.host.is_not(None))
    return set(connection.execute(timed.distinct()).scalars())


def numbers(connection: Connection, trial_ids: Collection[str]) -> dict[str, int]:
    """The numbers of trials in their studies, by id."""
    if not trial_ids:
        return {}
    query = select(trials.c.id, trials.c.number).where(trials.c.id.in_(set(trial_ids)))
    return {row.id: row.number for row in connection.execute(query)}


def next_number(connection: Connection, study_id: str) -> int:
    query = select(func.coalesce(func.max(trials.c.number) + 1, 0)).where(trials.c.study_id == study_id)
    return int(connection.execute(query).scalar_one())


def learning_curve(connection: Connection, trial_id: str) -> list[dict[str, Any]]:
    query = select(epochs.c.epoch, epochs.c.loss, epochs.c.f1, epochs.c.accuracy, epochs.c.elapsed_s)
    rows = connection.execute(query.where(epochs.c.trial_id == trial_id).order_by(epochs.c.epoch))
    return [dict(row) for row in rows.mappings()]


def typical_curve(connection: Connection, study_id: str) -> list[dict[str, Any]]:
    """Of each epoch, the quartiles of f1 over the completed trials of a study, and how many got so far."""
    quartiles = [
        func.percentile_cont(share).within_group(epochs.c.f1).label(name)
        for name, share in (("lower_f1", 0.25), ("median_f1", 0.5), ("upper_f1", 0.75))
    ]
    query = select(epochs.c.epoch, *quartiles, func.count().label("trials")).join(
        trials, trials.c.id == epochs.c.trial_id
    )
    query = query.where(trials.c.study_id == study_id, trials.c.state == TrialState.COMPLETED)
    return [dict(row) for row in connection.execute(query.group_by(epochs.c.epoch).order_by(epochs.c.epoch)).mappings()]


def curves(connection: Connection, study_id: str) -> dict[str, list[CurvePoint]]:
    """What each epoch of every trial of a study showed, by the trial's id."""
    query = select(epochs.c.trial_id, epochs.c.f1, epochs.c.loss).join(trials, trials.c.id == epochs.c.trial_id)
    found: dict[str, list[CurvePoint]] = {}
    for row in connection.execute(query.where(trials.c.study_id == study_id).order_by(epochs.c.epoch)):
        found.setdefault(row.trial_id, []).append(CurvePoint(f1=row.f1, loss=row.loss))
    return found


def _known(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name: metrics[name] for name in METRIC_COLUMNS if name in metrics}
