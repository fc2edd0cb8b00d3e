"""Full trainings, scorings on the test split, and checks of data sets."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Float, ForeignKey, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from search.contract.states import JobState
from services.store.tables.columns import metadata, state_enum, time_of_insertion, time_or_null
from services.store.tables.studies import studies
from services.store.tables.trials import trials

trainings = Table(
    "trainings",
    metadata,
    Column("id", Text, primary_key=True),
    Column("trial_id", ForeignKey(trials.c.id, ondelete="CASCADE"), nullable=False),
    Column("study_id", ForeignKey(studies.c.id, ondelete="CASCADE"), nullable=False),
    Column("epochs", Integer, nullable=False),
    Column("seeds", Integer, nullable=False),
    Column("state", state_enum(JobState, "job_state"), nullable=False),
    Column("reason", Text),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("furthest_attempt", Integer, nullable=False, server_default=text("0"), comment="the last that got further"),
    Column("f1", Float(53), comment="the mean of the seeds"),
    Column("f1_deviation", Float(53), comment="the sample's standard deviation; 0 for one seed"),
    time_of_insertion("created_at"),
    time_or_null("finished_at"),
    CheckConstraint("(state IN ('COMPLETED', 'FAILED', 'CANCELLED')) = (finished_at IS NOT NULL)", name="finished"),
    CheckConstraint("state <> 'FAILED' OR reason IS NOT NULL", name="failed_says_why"),
    CheckConstraint("state <> 'COMPLETED' OR (f1 BETWEEN 0 AND 1 AND f1_deviation >= 0)", name="completed_has_f1"),
    Index("ix_trainings_trial_id", "trial_id"),
    Index("ix_trainings_unfinished", "study_id", postgresql_where=text("state IN ('QUEUED', 'RUNNING')")),
    comment="candidates of trials, trained in full",
)

training_epochs = Table(
    "training_epochs",
    metadata,
    Column("training_id", ForeignKey(trainings.c.id, ondelete="CASCADE"), primary_key=True),
    Column("seed", Integer, primary_key=True),
    Column("epoch", Integer, primary_key=True),
    Column("loss", Float(53), nullable=False),
    Column("f1", Float(53), nullable=False),
    Column("accuracy", Float(53), nullable=False),
    Column("elapsed_s", Float(53), nullable=False),
)

training_runs = Table(
    "training_runs",
    metadata,
    Column("training_id", ForeignKey(trainings.c.id, ondelete="CASCADE"), primary_key=True),
    Column("seed", Integer, primary_key=True),
    Column("f1", Float(53), nullable=False),
    Column("accuracy", Float(53), nullable=False),
    Column("per_class_f1", JSONB, nullable=False),
    Column("confusion", JSONB, nullable=False),
    Column("weights_sha256", Text, nullable=False),
    Column("weights_size_bytes", BigInteger, nullable=False),
    time_of_insertion("created_at"),
    comment="what one seed of a training came to",
)

test_scorings = Table(
    "test_scorings",
    metadata,
    Column("id", Text, primary_key=True),
    Column("study_id", ForeignKey(studies.c.id, ondelete="CASCADE"), nullable=False),
    Column(
        "trial_id",
        ForeignKey(trials.c.id, ondelete="CASCADE"),
        comment="the trial whose full training is scored; NULL where the picks of a study are",
    ),
    Column("state", state_enum(JobState, "job_state"), nullable=False),
    Column("reason", Text),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column(
        "excused",
        Integer,
        nullable=False,
        server_default=text("0"),
        comment="jobs that ended because their files could not be stored",
    ),
    time_of_insertion("created_at"),
    time_or_null("finished_at"),
    CheckConstraint("(state IN ('COMPLETED', 'FAILED', 'CANCELLED')) = (finished_at IS NOT NULL)", name="finished"),
    CheckConstraint("state <> 'FAILED' OR reason IS NOT NULL", name="failed_says_why"),
    Index("ix_test_scorings_unfinished", "study_id", postgresql_where=text("state IN ('QUEUED', 'RUNNING')")),
    comment="looks at a study's test split: its picks, or a trial that was trained in full later, are scored",
)

dataset_checks = Table(
    "dataset_checks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("spec", JSONB, nullable=False),
    Column("state", state_enum(JobState, "job_state"), nullable=False),
    Column("reason", Text),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("dataset_id", Text, comment="a hash of the images and their labels"),
    Column("report", JSONB(none_as_null=True)),
    time_of_insertion("created_at"),
    time_or_null("finished_at"),
    CheckConstraint("(state IN ('COMPLETED', 'FAILED', 'CANCELLED')) = (finished_at IS NOT NULL)", name="finished"),
    CheckConstraint("state <> 'FAILED' OR reason IS NOT NULL", name="failed_says_why"),
    CheckConstraint("(state = 'COMPLETED') = (report IS NOT NULL)", name="completed_has_report"),
    Index("ix_dataset_checks_dataset_id", "dataset_id"),
    Index("ix_dataset_checks_unfinished", "id", postgresql_where=text("state IN ('QUEUED', 'RUNNING')")),
)
