"""The record: tables, enums and checks of the schema ``seedleaf``. The migrations build exactly this.

A row's state is an enum of search/contract/states.py. What must hold between columns is a CHECK, so that no writer can
break it.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Enum,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from search.contract.states import JobState, StudyState, TrialState
from services.records.metrics import METRIC_COLUMNS, RETRAINED_COLUMNS
from services.records.on_test import TEST_COLUMNS

SCHEMA = "seedleaf"
#: Optuna's tables have names like ours: they live in a schema of their own.
OPTUNA_SCHEMA = "optuna"

metadata = MetaData(
    schema=SCHEMA,
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    },
)


def _state(states: type[StudyState | TrialState | JobState], name: str) -> Enum:
    return Enum(states, name=name, metadata=metadata, values_callable=lambda cls: [state.value for state in cls])


def _now(name: str) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())


def _time(name: str) -> Column[object]:
    return Column(name, DateTime(timezone=True))


def _by(name: str, did: str) -> Column[object]:
    """A key's id and name, never the key."""
    return Column(name, JSONB(none_as_null=True), comment=f"id and name of the key that {did}; NULL without a key")


def _metrics() -> tuple[Column[float] | CheckConstraint, ...]:
    counts = ("macs", "params", "size_bytes", "memory_bytes")
    return (
        *(Column(name, BigInteger if name in counts else Float(53)) for name in METRIC_COLUMNS),
        # PostgreSQL sorts NaN above every number: these refuse it too.
        CheckConstraint("f1 BETWEEN 0 AND 1", name="f1"),
        CheckConstraint("accuracy BETWEEN 0 AND 1", name="accuracy"),
        CheckConstraint("latency_ms > 0 AND latency_ms < 'Infinity'", name="latency_ms"),
        CheckConstraint("latency_low_ms <= latency_high_ms", name="latency_interval"),
        CheckConstraint("macs >= 0 AND params >= 0 AND size_bytes >= 0 AND memory_bytes >= 0", name="counts"),
    )


def _on_test() -> tuple[Column[float] | CheckConstraint, ...]:
    return (
        *(Column(name, Integer if name == "test_images" else Float(53)) for name in TEST_COLUMNS),
        CheckConstraint("f1_test BETWEEN 0 AND 1 AND f1_test_low <= f1_test_high", name="f1_test"),
        CheckConstraint("(f1_test IS NULL) = (test_images IS NULL)", name="f1_test_has_images"),
    )


def _workers_lost() -> Column[object]:
    comment = "workers that died in earlier runs of these choices"
    return Column("workers_lost", Integer, nullable=False, server_default=text("0"), comment=comment)


def _by_class() -> tuple[Column[object], ...]:
    return (
        Column("per_class_f1", JSONB(none_as_null=True), comment="in the order of the study's classes"),
        Column("confusion", JSONB(none_as_null=True), comment="counts, rows the true class, columns the predicted one"),
    )


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


studies = Table(
    "studies",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("state", _state(StudyState, "study_state"), nullable=False),
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
    _time("lease_expires_at"),
    Column("search_elapsed_s", Float(53), nullable=False, server_default=text("0")),
    _time("searched_at"),
    _time("retrained_at"),
    _time("compressed_at"),
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
    _by("created_by", "posted it"),
    _by("changed_by", "changed it last"),
    _by("cancelled_by", "cancelled it"),
    _now("created_at"),
    _time("started_at"),
    _time("finished_at"),
    CheckConstraint("(state IN ('COMPLETED', 'FAILED', 'CANCELLED')) = (finished_at IS NOT NULL)", name="finished"),
    CheckConstraint("state <> 'FAILED' OR reason IS NOT NULL", name="failed_says_why"),
    Index("ix_studies_finished_at", "finished_at"),
    Index("ix_studies_queued", "queued_at", "id", postgresql_where=text("state = 'QUEUED' AND queued_at IS NOT NULL")),
)

trials = Table(
    "trials",
    metadata,
    Column("id", Text, primary_key=True),
    Column("study_id", ForeignKey(studies.c.id, ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("state", _state(TrialState, "trial_state"), nullable=False),
    Column("reason", Text),
    Column("candidate", JSONB, nullable=False),
    Column("assignment", JSONB, nullable=False, comment="the sampler's choices, by parameter"),
    Column("role", Text, comment="what the trial is for, where the sampler did not propose it"),
    _workers_lost(),
    Column(
        "layers",
        JSONB(none_as_null=True),
        comment="what each line of the backbone gives and costs: shape (channels, height, width), macs, params",
    ),
    *_metrics(),
    *_by_class(),
    *(Column(name, Float(53)) for name in RETRAINED_COLUMNS),
    *_on_test(),
    Column("host", Text, comment="where the latency was measured"),
    _now("created_at"),
    _time("finished_at"),
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
    _workers_lost(),
    _now("created_at"),
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

compression_jobs = Table(
    "compression_jobs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("trial_id", ForeignKey(trials.c.id, ondelete="CASCADE"), nullable=False),
    Column("study_id", ForeignKey(studies.c.id, ondelete="CASCADE"), nullable=False),
    Column("recipe", JSONB, nullable=False),
    Column("weights_sha256", Text, nullable=False, comment="the weights that are compressed"),
    Column("state", _state(JobState, "job_state"), nullable=False),
    Column("reason", Text),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("lease_token", Text),
    _time("lease_expires_at"),
    _now("created_at"),
    _time("started_at"),
    _time("finished_at"),
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
    _now("created_at"),
    _time("finished_at"),
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
    *_metrics(),
    *_by_class(),
    *_on_test(),
    Column("parity_error", Float(53), comment="largest difference of the logits, as a share of their range"),
    Column("agreement", Float(53), comment="share of real images with the same class as the PyTorch model"),
    Column("latency", JSONB, nullable=False, comment="p99, mean, deviation, n and what was going on at the time"),
    _now("created_at"),
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
    _now("created_at"),
    CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
    Index("ix_artifacts_trial_id", "trial_id"),
    Index("ix_artifacts_variant_id", "variant_id"),
)

trainings = Table(
    "trainings",
    metadata,
    Column("id", Text, primary_key=True),
    Column("trial_id", ForeignKey(trials.c.id, ondelete="CASCADE"), nullable=False),
    Column("study_id", ForeignKey(studies.c.id, ondelete="CASCADE"), nullable=False),
    Column("epochs", Integer, nullable=False),
    Column("seeds", Integer, nullable=False),
    Column("state", _state(JobState, "job_state"), nullable=False),
    Column("reason", Text),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("furthest_attempt", Integer, nullable=False, server_default=text("0"), comment="the last that got further"),
    Column("f1", Float(53), comment="the mean of the seeds"),
    Column("f1_deviation", Float(53), comment="the sample's standard deviation; 0 for one seed"),
    _now("created_at"),
    _time("finished_at"),
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
    _now("created_at"),
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
    Column("state", _state(JobState, "job_state"), nullable=False),
    Column("reason", Text),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column(
        "excused",
        Integer,
        nullable=False,
        server_default=text("0"),
        comment="jobs that ended because their files could not be stored",
    ),
    _now("created_at"),
    _time("finished_at"),
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
    Column("state", _state(JobState, "job_state"), nullable=False),
    Column("reason", Text),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("dataset_id", Text, comment="a hash of the images and their labels"),
    Column("report", JSONB(none_as_null=True)),
    _now("created_at"),
    _time("finished_at"),
    CheckConstraint("(state IN ('COMPLETED', 'FAILED', 'CANCELLED')) = (finished_at IS NOT NULL)", name="finished"),
    CheckConstraint("state <> 'FAILED' OR reason IS NOT NULL", name="failed_says_why"),
    CheckConstraint("(state = 'COMPLETED') = (report IS NOT NULL)", name="completed_has_report"),
    Index("ix_dataset_checks_dataset_id", "dataset_id"),
    Index("ix_dataset_checks_unfinished", "id", postgresql_where=text("state IN ('QUEUED', 'RUNNING')")),
)

storage_faults = Table(
    "storage_faults",
    metadata,
    Column("place", Text, primary_key=True),
    Column("host", Text, primary_key=True, comment="the machine that found it so; empty for a URL"),
    Column("reason", Text, nullable=False),
    Column("tries", Integer, nullable=False, comment="how often in a row work was tried again in vain"),
    Column("retry_at", DateTime(timezone=True), nullable=False),
    _time("cleared_at"),
    comment="folders and URLs that take no files; nothing that writes files is started until they do",
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

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("sha256", Text, nullable=False, unique=True, comment="of the key, which is not kept"),
    Column("scope", Text, nullable=False, server_default=text("'admin'")),
    _now("created_at"),
    _time("expires_at"),
    _time("revoked_at"),
    CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
    CheckConstraint("scope IN ('read', 'write', 'admin')", name="scope"),
)

deleted_studies = Table(
    "deleted_studies",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    _by("deleted_by", "deleted it"),
    Column("ray_jobs", JSONB, nullable=False, comment="those that may still run"),
    Column("trainings", JSONB, nullable=False, comment="those that may have checkpoints"),
    _now("deleted_at"),
    Index("ix_deleted_studies_deleted_at", "deleted_at"),
    comment="studies that were deleted",
)

deleted_files = Table(
    "deleted_files",
    metadata,
    Column("sha256", Text, primary_key=True),
    comment="files of deleted studies that are to be removed, unless a row still names them",
)

events = Table(
    "events",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("study_id", ForeignKey(studies.c.id, ondelete="CASCADE"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("trial_id", Text),
    Column("payload", JSONB, nullable=False),
    _now("created_at"),
    Index("ix_events_study_id", "study_id", "id"),
)
