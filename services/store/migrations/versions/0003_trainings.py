"""Trainings in full, scores by class, memory"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_SCHEMA = "seedleaf"
_JOB_STATES = ("QUEUED", "RUNNING", "COMPLETED", "FAILED", "CANCELLED")
_COUNTS = "macs >= 0 AND params >= 0 AND size_bytes >= 0"


def upgrade() -> None:
    _add_columns()
    _compress_chosen_weights()
    _create_trainings()
    _create_results()


def _add_columns() -> None:
    op.add_column("studies", sa.Column("retrained_at", sa.DateTime(timezone=True)), schema=_SCHEMA)
    op.execute(f"UPDATE {_SCHEMA}.studies SET retrained_at = searched_at")
    for table in ("trials", "variants"):
        op.add_column(table, sa.Column("memory_bytes", sa.BigInteger()), schema=_SCHEMA)
        name = op.f(f"ck_{table}_counts")
        op.drop_constraint(name, table, schema=_SCHEMA)
        op.create_check_constraint(name, table, f"{_COUNTS} AND memory_bytes >= 0", schema=_SCHEMA)
    comments = {
        "per_class_f1": "in the order of the study's classes",
        "confusion": "counts, rows the true class, columns the predicted one",
    }
    for column, comment in comments.items():
        op.add_column("trials", sa.Column(column, postgresql.JSONB(), comment=comment), schema=_SCHEMA)
    for column in ("retrained_f1", "retrained_f1_deviation"):
        op.add_column("trials", sa.Column(column, sa.Float(53)), schema=_SCHEMA)


def _compress_chosen_weights() -> None:
    """A trial has more than one set of weights from now on: a compression job says which it works on."""
    column = sa.Column("weights_sha256", sa.Text(), comment="the weights that are compressed")
    op.add_column("compression_jobs", column, schema=_SCHEMA)
    op.execute(
        f"""
        UPDATE {_SCHEMA}.compression_jobs AS jobs SET weights_sha256 = artifacts.sha256
        FROM {_SCHEMA}.artifacts
        WHERE artifacts.trial_id = jobs.trial_id AND artifacts.kind = 'weights' AND artifacts.variant_id IS NULL
        """
    )
    op.alter_column("compression_jobs", "weights_sha256", nullable=False, schema=_SCHEMA)
    op.drop_constraint(op.f("uq_compression_jobs_trial_id_recipe"), "compression_jobs", schema=_SCHEMA)
    op.create_unique_constraint(
        op.f("uq_compression_jobs_trial_id_recipe_weights_sha256"),
        "compression_jobs",
        ["trial_id", "recipe", "weights_sha256"],
        schema=_SCHEMA,
    )


def _create_trainings() -> None:
    state = postgresql.ENUM(*_JOB_STATES, name="job_state", schema=_SCHEMA, create_type=False)
    op.create_table(
        "trainings",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("trial_id", sa.Text(), nullable=False),
        sa.Column("study_id", sa.Text(), nullable=False),
        sa.Column("epochs", sa.Integer(), nullable=False),
        sa.Column("seeds", sa.Integer(), nullable=False),
        sa.Column("state", state, nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "furthest_attempt",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="the last that got further",
        ),
        sa.Column("f1", sa.Float(53), comment="the mean of the seeds"),
        sa.Column("f1_deviation", sa.Float(53), comment="the sample's standard deviation; 0 for one seed"),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint(
            "(state IN ('COMPLETED', 'FAILED', 'CANCELLED')) = (finished_at IS NOT NULL)",
            name=op.f("ck_trainings_finished"),
        ),
        sa.CheckConstraint("state <> 'FAILED' OR reason IS NOT NULL", name=op.f("ck_trainings_failed_says_why")),
        sa.CheckConstraint(
            "state <> 'COMPLETED' OR (f1 BETWEEN 0 AND 1 AND f1_deviation >= 0)",
            name=op.f("ck_trainings_completed_has_f1"),
        ),
        _belongs_to("trainings", "trial_id", "trials"),
        _belongs_to("trainings", "study_id", "studies"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trainings")),
        schema=_SCHEMA,
        comment="candidates of trials, trained in full",
    )
    op.create_index("ix_trainings_trial_id", "trainings", ["trial_id"], schema=_SCHEMA)
    unfinished = sa.text("state IN ('QUEUED', 'RUNNING')")
    op.create_index("ix_trainings_unfinished", "trainings", ["study_id"], schema=_SCHEMA, postgresql_where=unfinished)


def _create_results() -> None:
    op.create_table(
        "training_epochs",
        sa.Column("training_id", sa.Text(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Float(53), nullable=False) for name in ("loss", "f1", "accuracy", "elapsed_s")),
        _belongs_to("training_epochs", "training_id", "trainings"),
        sa.PrimaryKeyConstraint("training_id", "seed", "epoch", name=op.f("pk_training_epochs")),
        schema=_SCHEMA,
    )
    op.create_table(
        "training_runs",
        sa.Column("training_id", sa.Text(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Float(53), nullable=False) for name in ("f1", "accuracy")),
        *(sa.Column(name, postgresql.JSONB(), nullable=False) for name in ("per_class_f1", "confusion")),
        sa.Column("weights_sha256", sa.Text(), nullable=False),
        sa.Column("weights_size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        _belongs_to("training_runs", "training_id", "trainings"),
        sa.PrimaryKeyConstraint("training_id", "seed", name=op.f("pk_training_runs")),
        schema=_SCHEMA,
        comment="what one seed of a training came to",
    )


def _belongs_to(table: str, column: str, owner: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{_SCHEMA}.{owner}.id"], name=op.f(f"fk_{table}_{column}"), ondelete="CASCADE"
    )


def downgrade() -> None:
    raise RuntimeError("restore the backup that was made before the upgrade: its weights would be lost")
