"""Compression jobs, recipe searches, and the variants and files that they make."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from search.contract.states import JobState
from services.store.tables.columns import (
    class_columns,
    metadata,
    metric_columns,
    state_enum,
    test_columns,
    time_of_insertion,
    time_or_null,
)
from services.store.tables.studies import studies
from services.store.tables.trials import trials

compression_jobs = Table(
    "compression_jobs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("trial_id", ForeignKey(trials.c.id, ondelete="CASCADE"), nullable=False),
    Column("study_id", ForeignKey(studies.c.id, ondelete="CASCADE"), nullable=False),
    Column("recipe", JSONB, nullable=False),
    Column("weights_sha256", Text, nullable=False, comment="the weights that are compressed"),
    Column("state", state_enum(JobState, "job_state"), nullable=False),
    Column("reason", Text),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("lease_token", Text),
    time_or_null("lease_expires_at"),
    time_of_insertion("created_at"),
    time_or_null("started_at"),
    time_or_null("finished_at"),
    CheckConstraint("(state IN ('COMPLETED', 'FAILED', 'CANCELLED')) = (finished_at IS NOT NULL)", name="finished"),
    CheckConstraint("state <> 'FAILED' OR reason IS NOT NULL", name="failed_says_why"),
    CheckConstraint("(state = 'RUNNING') = (lease_token IS NOT NULL)", name="running_is_leased"),
    Index("ix_compression_jobs_queued", "created_at", postgresql_where=text("state IN ('QUEUED', 'RUNNING')")),
    Index("ix_compression_jobs_study_id", "study_id"),
    Index(
        "ix_compression_jobs_once",
        "trial_id",
        "recipe",
        "weights_sha256",
        unique=True,
        postgresql_where=text("state <> 'CANCELLED'"),
    ),
)

recipe_searches = Table(
    "recipe_searches",
    metadata,
    Column("id", Text, primary_key=True),
    Column("trial_id", ForeignKey(trials.c.id, ondelete="CASCADE"), nullable=False),
    Column("study_id", ForeignKey(studies.c.id, ondelete="CASCADE"), nullable=False),
    Column("weights_sha256", Text, nullable=False, comment="the weights that are compressed"),
    Column("reason", Text, comment="why it ended"),
    time_of_insertion("created_at"),
    time_or_null("finished_at"),
    UniqueConstraint("trial_id", "weights_sha256"),
    CheckConstraint("(finished_at IS NULL) = (reason IS NULL)", name="finished_says_why"),
    Index("ix_recipe_searches_open", "study_id", postgresql_where=text("finished_at IS NULL")),
    comment="candidates whose recipes are searched; what was tried are their compression jobs",
)

variants = Table(
    "variants",
    metadata,
    Column("id", Text, primary_key=True),
    Column("job_id", ForeignKey(compression_jobs.c.id, ondelete="CASCADE"), nullable=False),
    Column("trial_id", ForeignKey(trials.c.id, ondelete="CASCADE"), nullable=False),
    Column("study_id", ForeignKey(studies.c.id, ondelete="CASCADE"), nullable=False),
    Column("recipe", Text, nullable=False),
    Column("steps", JSONB, nullable=False),
    Column("runtime", Text, nullable=False),
    Column("host", Text, nullable=False),
    *metric_columns(),
    *class_columns(),
    *test_columns(),
    Column("parity_error", Float(53), comment="largest difference of the logits, as a share of their range"),
    Column("agreement", Float(53), comment="share of real images with the same class as the PyTorch model"),
    Column("latency", JSONB, nullable=False, comment="p99, mean, deviation, n and what was going on at the time"),
    time_of_insertion("created_at"),
    UniqueConstraint("job_id", "runtime", "host"),
    Index("ix_variants_trial_id", "trial_id", "score"),
    Index("ix_variants_study_id", "study_id"),
)

artifacts = Table(
    "artifacts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("sha256", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("trial_id", ForeignKey(trials.c.id, ondelete="CASCADE"), nullable=False),
    Column("variant_id", ForeignKey(variants.c.id, ondelete="CASCADE")),
    time_of_insertion("created_at"),
    CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
    Index("ix_artifacts_trial_id", "trial_id"),
    Index("ix_artifacts_variant_id", "variant_id"),
)
