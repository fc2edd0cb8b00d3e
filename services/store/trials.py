"""SQL of trials and their epochs: started, epoch by epoch, ended once."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection, RowMapping, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from search.contract.candidate import Enqueued
from search.contract.confusion import confusion_to_json
from search.contract.dataset import DatasetSpec
from search.contract.epochs import ClassificationScores, CurvePoint, EpochReport
from search.contract.on_test import ScoresOnTest
from search.contract.states import ANSWERED_TRIAL_STATES, TERMINAL_TRIAL_STATES, TRIAL_TRANSITIONS, TrialState
from search.contract.trials import Assignment, TrialRole
from services.errors import NotFoundError
from services.records.json_object import JsonObject
from services.records.metrics import METRIC_COLUMNS, metric_columns
from services.records.on_test import NOT_SCORED, columns_of
from services.records.trials import Epoch, MeasuredTrial, Trial, TrialDetails, TypicalEpoch
from services.store import events, totals
from services.store.pages import PageQuery, read_page
from services.store.state_change import Event, StateMachine, change_state
from services.store.tables import epochs, studies, trials

_DETAILS = ("layers", "per_class_f1", "confusion")
_COLUMNS = [column for column in trials.c if column.name not in _DETAILS]
_SELECT = select(*_COLUMNS)
#: A probe's only epoch is none of a training.
_TRAINED = trials.c.role.is_distinct_from(TrialRole.PROBE)


def add(
    connection: Connection,
    *,
    trial_id: str,
    study_id: str,
    number: int,
    candidate: JsonObject,
    assignment: Assignment,
    metrics: Mapping[str, float],
    layers: Sequence[JsonObject] | None = None,
    role: TrialRole | None = None,
    workers_lost: int = 0,
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
            role=role,
            workers_lost=workers_lost,
            **metric_columns(metrics),
        )
    )
    totals.add(connection, study_id, "trials", 1, label=TrialState.RUNNING)
    told = {"number": number, "state": TrialState.RUNNING, "role": role, "family": assignment.get("family")}
    events.emit(connection, study_id, "trial", told, trial_id=trial_id)


def add_epoch(connection: Connection, study_id: str, trial_id: str, epoch: EpochReport) -> None:
    """Record an epoch's metrics; idempotent."""
    columns = ("epoch", "loss", "f1", "accuracy", "elapsed_s")
    values = {column: getattr(epoch, column) for column in columns}
    connection.execute(upsert(epochs).values(trial_id=trial_id, **values).on_conflict_do_nothing())
    events.emit(connection, study_id, "epoch", values, trial_id=trial_id)


def _event(row: RowMapping) -> Event:
    return Event(study_id=row["study_id"], kind="trial", payload={"number": row["number"]}, trial_id=row["id"])


_STATES = StateMachine(
    noun="trial",
    table=trials,
    state=trials.c.state,
    transitions=TRIAL_TRANSITIONS,
    terminal=TERMINAL_TRIAL_STATES,
    event=_event,
    columns=_COLUMNS,
)


def end(
    connection: Connection,
    trial_id: str,
    target: TrialState,
    *,
    reason: str | None = None,
    metrics: Mapping[str, float] | None = None,
    scores: ClassificationScores | None = None,
    host: str | None = None,
) -> Trial:
    """End a running trial. ConflictError if it has ended already: its state stays.

    Of ``scores`` the ``per_class_f1`` and the ``confusion`` matrix are kept beside the metrics.
    """
    measured = metric_columns(metrics or {})
    by_class: dict[str, object] = {}
    if scores is not None:
        by_class = {"per_class_f1": scores.per_class_f1, "confusion": confusion_to_json(scores.confusion)}
    row = change_state(
        connection,
        _STATES,
        trial_id,
        target,
        reason=reason,
        values={"host": host, **by_class, **measured},
        details={"host": host, "metrics": measured},
    )
    trial = Trial.from_row(row)
    _count_end(connection, trial)
    return trial


def _count_end(connection: Connection, trial: Trial) -> None:
    """Note in the study's totals that a trial has ended."""
    totals.add(connection, trial.study_id, "trials", -1, label=TrialState.RUNNING)
    totals.add(connection, trial.study_id, "trials", 1, label=trial.state)
    totals.add(connection, trial.study_id, "trial_seconds", trial.duration_s, label=trial.state)
    # What a limit ruled out before it ran uses up no budget: it was never on a host.
    if trial.state in ANSWERED_TRIAL_STATES and (trial.state is not TrialState.INFEASIBLE or trial.host is not None):
        totals.add(connection, trial.study_id, "spent", 1)


def set_retrained(connection: Connection, trial_id: str, *, f1: float, f1_deviation: float) -> None:
    """Note what a trial's candidate reached when it was trained in full; its state stays.

    Its scores on the test split go: they were those of its former weights.
    """
    values = {"retrained_f1": f1, "retrained_f1_deviation": f1_deviation, **NOT_SCORED}
    connection.execute(update(trials).where(trials.c.id == trial_id).values(**values))


def set_on_test(connection: Connection, trial_id: str, scores: ScoresOnTest) -> None:
    """Note what a trial's latest weights scored on the test split."""
    connection.execute(update(trials).where(trials.c.id == trial_id).values(**columns_of(scores)))


def cancel_running(connection: Connection, study_id: str, reason: str) -> list[Enqueued]:
    """End every running trial of a study as CANCELLED; returns what is to be run again, in order."""
    running = select(trials.c.id).where(trials.c.study_id == study_id, trials.c.state == TrialState.RUNNING)
    ids = connection.execute(running.order_by(trials.c.number).with_for_update()).scalars().all()
    cancelled = [end(connection, trial_id, TrialState.CANCELLED, reason=reason) for trial_id in ids]
    return [trial.enqueued_again() for trial in cancelled]


def get(connection: Connection, trial_id: str) -> Trial:
    row = connection.execute(_SELECT.where(trials.c.id == trial_id)).mappings().one_or_none()
    if row is None:
        raise NotFoundError("trial", trial_id)
    return Trial.from_row(row)


def get_details(connection: Connection, trial_id: str) -> TrialDetails:
    query = select(*(trials.c[name] for name in _DETAILS)).where(trials.c.id == trial_id)
    return TrialDetails.from_row(connection.execute(query).mappings().one())


def list_by_study(
    connection: Connection,
    study_id: str,
    states: Sequence[TrialState] | frozenset[TrialState],
    *,
    latest: int | None = None,
) -> list[Trial]:
    """A study's trials by number; at most the ``latest`` ones."""
    query = _SELECT.where(trials.c.study_id == study_id, trials.c.state.in_(states))
    rows = connection.execute(query.order_by(trials.c.number.desc()).limit(latest)).mappings().all()
    return [Trial.from_row(row) for row in reversed(rows)]


def list_by_role(connection: Connection, study_id: str, role: TrialRole) -> list[Trial]:
    """A study's trials in this role by number: several where one was cut off or was run again."""
    query = _SELECT.where(trials.c.study_id == study_id, trials.c.role == role)
    return [Trial.from_row(row) for row in connection.execute(query.order_by(trials.c.number)).mappings()]


def list_measured(connection: Connection, study_id: str) -> list[MeasuredTrial]:
    """A study's completed trials by number."""
    columns = [trials.c[name] for name in ("id", "number", "state", "role", "host", *METRIC_COLUMNS)]
    family = trials.c.assignment["family"].astext.label("family")
    query = select(*columns, family).where(trials.c.study_id == study_id, trials.c.state == TrialState.COMPLETED)
    return [MeasuredTrial.from_row(row) for row in connection.execute(query.order_by(trials.c.number)).mappings()]


def list_retrained(connection: Connection, study_id: str) -> list[Trial]:
    """A study's trials that were trained in full, by number."""
    query = _SELECT.where(trials.c.study_id == study_id, trials.c.retrained_f1.is_not(None))
    return [Trial.from_row(row) for row in connection.execute(query.order_by(trials.c.number)).mappings()]


def list_by_ids(connection: Connection, trial_ids: Sequence[str]) -> list[Trial]:
    query = _SELECT.where(trials.c.id.in_(trial_ids))
    return [Trial.from_row(row) for row in connection.execute(query).mappings()]


def list_page(connection: Connection, query: PageQuery) -> list[Trial]:
    return [Trial.from_row(row) for row in read_page(connection, _COLUMNS, query)]


def get_assignments(connection: Connection, trial_ids: Sequence[str]) -> dict[str, Assignment]:
    """The sampler's choices by the trial's id."""
    rows = connection.execute(select(trials.c.id, trials.c.assignment).where(trials.c.id.in_(trial_ids)))
    return {row.id: row.assignment for row in rows}


def epoch_seconds(connection: Connection, dataset: DatasetSpec, *, latest: int = 200) -> list[float]:
    """How long an epoch took, on average, in each of the ``latest`` trials that were completed on a data set."""
    same = {"dataset": dataset.model_dump(mode="json", include={"source", "path", "name"})}
    recent = (
        select(trials.c.id)
        .join(studies, studies.c.id == trials.c.study_id)
        .where(trials.c.state == TrialState.COMPLETED, _TRAINED, studies.c.spec.contains(same))
        .order_by(trials.c.finished_at.desc())
        .limit(latest)
        .subquery()
    )
    query = (
        select(func.avg(epochs.c.elapsed_s)).join(recent, recent.c.id == epochs.c.trial_id).group_by(epochs.c.trial_id)
    )
    return [float(value) for value in connection.execute(query).scalars()]


def longest_epoch(connection: Connection, study_id: str) -> tuple[float, float] | None:
    """The seconds of a study's longest epoch, and the most multiply-accumulates of a trial that reported one."""
    query = select(func.max(epochs.c.elapsed_s).label("seconds"), func.max(trials.c.macs).label("macs")).join(
        trials, trials.c.id == epochs.c.trial_id
    )
    row = connection.execute(query.where(trials.c.study_id == study_id)).one()
    return None if row.seconds is None else (float(row.seconds), float(row.macs or 0))


def list_hosts(connection: Connection, study_id: str) -> set[str]:
    """The hosts that a study's trials were timed on."""
    timed = select(trials.c.host).where(trials.c.study_id == study_id, trials.c.host.is_not(None))
    return set(connection.execute(timed.distinct()).scalars())


def get_numbers(connection: Connection, trial_ids: Collection[str]) -> dict[str, int]:
    """The numbers of trials in their studies, by id."""
    if not trial_ids:
        return {}
    query = select(trials.c.id, trials.c.number).where(trials.c.id.in_(set(trial_ids)))
    return {row.id: row.number for row in connection.execute(query)}


def next_number(connection: Connection, study_id: str) -> int:
    query = select(func.coalesce(func.max(trials.c.number) + 1, 0)).where(trials.c.study_id == study_id)
    return int(connection.execute(query).scalar_one())


def learning_curve(connection: Connection, trial_id: str) -> list[Epoch]:
    query = select(epochs).where(epochs.c.trial_id == trial_id).order_by(epochs.c.epoch)
    return [Epoch.from_row(row) for row in connection.execute(query).mappings()]


def typical_curve(connection: Connection, study_id: str) -> list[TypicalEpoch]:
    """For each epoch, the quartiles of f1 over the completed trials of a study."""
    quartiles = [
        func.percentile_cont(fraction).within_group(epochs.c.f1).label(name)
        for name, fraction in (("lower_f1", 0.25), ("median_f1", 0.5), ("upper_f1", 0.75))
    ]
    query = select(epochs.c.epoch, *quartiles, func.count().label("trials")).join(
        trials, trials.c.id == epochs.c.trial_id
    )
    query = query.where(trials.c.study_id == study_id, trials.c.state == TrialState.COMPLETED, _TRAINED)
    rows = connection.execute(query.group_by(epochs.c.epoch).order_by(epochs.c.epoch)).mappings()
    return [TypicalEpoch.from_row(row) for row in rows]


def curves(connection: Connection, study_id: str) -> dict[str, list[CurvePoint]]:
    """What each epoch of every trial of a study showed, by the trial's id."""
    query = select(epochs.c.trial_id, epochs.c.f1, epochs.c.loss).join(trials, trials.c.id == epochs.c.trial_id)
    by_trial: dict[str, list[CurvePoint]] = {}
    for row in connection.execute(query.where(trials.c.study_id == study_id).order_by(epochs.c.epoch)):
        by_trial.setdefault(row.trial_id, []).append(CurvePoint(f1=row.f1, loss=row.loss))
    return by_trial
