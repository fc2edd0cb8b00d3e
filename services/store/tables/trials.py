"""Trials, their epochs, and the points that wait to be tried."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from search.contract.states import TrialState
from services.records.metrics import RETRAINED_COLUMNS
from services.store.tables.columns import (
    class_columns,
    metadata,
    metric_columns,
    state_enum,
    test_columns,
    time_of_insertion,
    time_or_null,
    workers_lost_column,
)
from services.store.tables.studies import studies

#: The metrics that a leaderboard of a study, and one of all studies, is sorted by without sorting its trials.
INDEXED_IN_STUDY = (
    "score",
    "f1",
    "accuracy",
    "latency_ms",
    "latency_p90_ms",
    "macs",
    "params",
    "size_bytes",
    "memory_bytes",
    "retrained_f1",
)
INDEXED_OVERALL = ("score", "f1", "latency_ms")


trials = Table(
    "trials",
    metadata,
    Column("id", Text, primary_key=True),
    Column("study_id", ForeignKey(studies.c.id, ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("state", state_enum(TrialState, "trial_state"), nullable=False),
    Column("reason", Text),
    Column("candidate", JSONB, nullable=False),
    Column("assignment", JSONB, nullable=False, comment="the sampler's choices, by parameter"),
    Column("role", Text, comment="what the trial is for, where the sampler did not propose it"),
    workers_lost_column(),
    Column(
        "layers",
        JSONB(none_as_null=True),
        comment="what each line of the backbone gives and costs: shape (channels, height, width), macs, params",
    ),
    *metric_columns(),
    *class_columns(),
    *(Column(name, Float(53)) for name in RETRAINED_COLUMNS),
    *test_columns(),
    Column("host", Text, comment="where the latency was measured"),
    time_of_insertion("created_at"),
    time_or_null("finished_at"),
    UniqueConstraint("study_id", "number"),
    CheckConstraint("(state = 'RUNNING') = (finished_at IS NULL)", name="finished"),
    CheckConstraint("state <> 'COMPLETED' OR f1 IS NOT NULL", name="completed_has_f1"),
    CheckConstraint("state NOT IN ('FAILED', 'INFEASIBLE') OR reason IS NOT NULL", name="says_why"),
    CheckConstraint("role IN ('probe', 'plain')", name="role"),
    Index("ix_trials_running", "study_id", postgresql_where=text("state = 'RUNNING'")),
    Index("ix_trials_role", "study_id", "role", postgresql_where=text("role IS NOT NULL")),
    *(Index(f"ix_trials_study_id_{name}", "study_id", name, "id") for name in INDEXED_IN_STUDY),
    *(Index(f"ix_trials_{name}", name, "id") for name in INDEXED_OVERALL),
)

enqueued_trials = Table(
    "enqueued_trials",
    metadata,
    Column("id", Text, primary_key=True),
    Column("study_id", ForeignKey(studies.c.id, ondelete="CASCADE"), nullable=False),
    Column("assignment", JSONB, nullable=False),
    Column("alone", Boolean, nullable=False, server_default=false(), comment="on a GPU that nothing else is on"),
    Column("role", Text, comment="the role of the trial that it becomes"),
    workers_lost_column(),
    time_of_insertion("created_at"),
    CheckConstraint("role IN ('probe', 'plain')", name="role"),
    Index("ix_enqueued_trials_study_id", "study_id"),
    comment="assignments to run before the sampler's own: cut-off trials, and those to run again",
)

epochs = Table(
    "epochs",
    metadata,
    Column("trial_id", ForeignKey(trials.c.id, ondelete="CASCADE"), primary_key=True),
    Column("epoch", Integer, primary_key=True),
    Column("loss", Float(53), nullable=False),
    Column("f1", Float(53), nullable=False),
    Column("accuracy", Float(53), nullable=False),
    Column("elapsed_s", Float(53), nullable=False),
)
