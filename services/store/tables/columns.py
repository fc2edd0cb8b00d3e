"""What the tables are made of: their schema, its naming rules, and columns that several tables have."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Enum,
    Float,
    Integer,
    MetaData,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from search.contract.states import JobState, StudyState, TrialState
from services.records.metrics import METRIC_COLUMNS
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


def state_enum(states: type[StudyState | TrialState | JobState], name: str) -> Enum:
    return Enum(states, name=name, metadata=metadata, values_callable=lambda cls: [state.value for state in cls])


def time_of_insertion(name: str) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())


def time_or_null(name: str) -> Column[object]:
    return Column(name, DateTime(timezone=True))


def key_column(name: str, did: str) -> Column[object]:
    """A key's id and name, never the key."""
    return Column(name, JSONB(none_as_null=True), comment=f"id and name of the key that {did}; NULL without a key")


def metric_columns() -> tuple[Column[float] | CheckConstraint, ...]:
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


def test_columns() -> tuple[Column[float] | CheckConstraint, ...]:
    return (
        *(Column(name, Integer if name == "test_images" else Float(53)) for name in TEST_COLUMNS),
        CheckConstraint("f1_test BETWEEN 0 AND 1 AND f1_test_low <= f1_test_high", name="f1_test"),
        CheckConstraint("(f1_test IS NULL) = (test_images IS NULL)", name="f1_test_has_images"),
    )


def workers_lost_column() -> Column[object]:
    comment = "workers that died in earlier runs of these choices"
    return Column("workers_lost", Integer, nullable=False, server_default=text("0"), comment=comment)


def class_columns() -> tuple[Column[object], ...]:
    return (
        Column("per_class_f1", JSONB(none_as_null=True), comment="in the order of the study's classes"),
        Column("confusion", JSONB(none_as_null=True), comment="counts, rows the true class, columns the predicted one"),
    )
