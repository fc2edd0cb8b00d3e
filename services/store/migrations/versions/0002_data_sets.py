"""Data sets"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_JOB_STATES = ("QUEUED", "RUNNING", "COMPLETED", "FAILED", "CANCELLED")
_UNFINISHED = sa.text("state IN ('QUEUED', 'RUNNING')")


def upgrade() -> None:
    state = postgresql.ENUM(*_JOB_STATES, name="job_state", schema="seedleaf", create_type=False)
    op.create_table(
        "dataset_checks",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("spec", postgresql.JSONB(), nullable=False),
        sa.Column("state", state, nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("dataset_id", sa.Text(), nullable=True, comment="a hash of the images and their labels"),
        sa.Column("report", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'COMPLETED') = (report IS NOT NULL)", name=op.f("ck_dataset_checks_completed_has_report")
        ),
        sa.CheckConstraint(
            "(state IN ('COMPLETED', 'FAILED', 'CANCELLED')) = (finished_at IS NOT NULL)",
            name=op.f("ck_dataset_checks_finished"),
        ),
        sa.CheckConstraint("state <> 'FAILED' OR reason IS NOT NULL", name=op.f("ck_dataset_checks_failed_says_why")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dataset_checks")),
        schema="seedleaf",
    )
    op.create_index("ix_dataset_checks_dataset_id", "dataset_checks", ["dataset_id"], schema="seedleaf")
    op.create_index(
        "ix_dataset_checks_unfinished", "dataset_checks", ["id"], schema="seedleaf", postgresql_where=_UNFINISHED
    )


def downgrade() -> None:
    op.drop_table("dataset_checks", schema="seedleaf")
