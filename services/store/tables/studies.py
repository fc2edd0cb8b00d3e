"""Studies, what is left of deleted ones, and what each comes to and tells."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from search.contract.states import StudyState
from services.store.tables.columns import key_column, metadata, state_enum, time_of_insertion, time_or_null

studies = Table(
    "studies",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("state", state_enum(StudyState, "study_state"), nullable=False),
    Column("reason", Text),
    Column("spec", JSONB, nullable=False),
    Column("dataset_id", Text),
    Column("classes", JSONB),
    Column(
        "class_images",
        JSONB(none_as_null=True),
        comment="training and validation images in the order of classes, when the data set was first read",
    ),
    Column("skipped", JSONB, comment="images that could not be used, each with its reason"),
    Column("skipped_count", Integer, comment="how many images could not be used; NULL where skipped names them all"),
    Column("resources", JSONB, comment="what each trial gets, where the spec leaves that to be chosen"),
    Column(
        "weights",
        JSONB,
        nullable=False,
        server_default=text("'[]'"),
        comment="the pretrained weights that its networks start from, as they were found when it was posted",
    ),
    Column(
        "queued_at",
        DateTime(timezone=True),
        server_default=func.now(),
        comment="since when it waits for a driver; NULL where it has or had one",
    ),
    Column("job_id", Text, comment="the Ray job of the present driver"),
    Column("job_attempt", Integer, nullable=False, server_default=text("0")),
    Column(
        "submissions", Integer, nullable=False, server_default=text("0"), comment="drivers since a trial last ended"
    ),
    Column("lease_token", Text),
    time_or_null("lease_expires_at"),
    Column("search_elapsed_s", Float(53), nullable=False, server_default=text("0")),
    time_or_null("searched_at"),
    time_or_null("retrained_at"),
    time_or_null("compressed_at"),
    Column("test_id", Text, comment="a hash of the test images and labels that models were first scored on"),
    Column(
        "test_looks",
        Integer,
        nullable=False,
        server_default=text("0"),
        comment="how many scorings recorded a score on the test split",
    ),
    Column("test_reason", Text, comment="why models were not scored on the test split by its last scoring"),
    Column(
        "teacher_trial_id", Text, comment="the trial whose network answered; NULL where a file did, or nothing has yet"
    ),
    Column("teacher_answers_sha256", Text, comment="the file of a teacher's answers on the training images"),
    Column("idempotency_key", Text, unique=True),
    Column("request_sha256", Text),
    key_column("created_by", "posted it"),
    key_column("changed_by", "changed it last"),
    key_column("cancelled_by", "cancelled it"),
    time_of_insertion("created_at"),
    time_or_null("started_at"),
    time_or_null("finished_at"),
    CheckConstraint("(state IN ('COMPLETED', 'FAILED', 'CANCELLED')) = (finished_at IS NOT NULL)", name="finished"),
    CheckConstraint("state <> 'FAILED' OR reason IS NOT NULL", name="failed_says_why"),
    Index("ix_studies_finished_at", "finished_at"),
    Index("ix_studies_queued", "queued_at", "id", postgresql_where=text("state = 'QUEUED' AND queued_at IS NOT NULL")),
)

deleted_studies = Table(
    "deleted_studies",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    key_column("deleted_by", "deleted it"),
    Column("ray_jobs", JSONB, nullable=False, comment="those that may still run"),
    Column("trainings", JSONB, nullable=False, comment="those that may have checkpoints"),
    time_of_insertion("deleted_at"),
    Index("ix_deleted_studies_deleted_at", "deleted_at"),
    comment="studies that were deleted",
)

totals = Table(
    "totals",
    metadata,
    Column("study_id", ForeignKey(studies.c.id, ondelete="CASCADE"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("label", Text, primary_key=True),
    Column("amount", Float(53), nullable=False),
    comment="what each study has come to, kept as it happens; see services/store/totals.py",
)

events = Table(
    "events",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("study_id", ForeignKey(studies.c.id, ondelete="CASCADE"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("trial_id", Text),
    Column("payload", JSONB, nullable=False),
    time_of_insertion("created_at"),
    Index("ix_events_study_id", "study_id", "id"),
)
