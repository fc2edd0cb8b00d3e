"""Scores on the test split, and how often it was looked at"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_SCHEMA = "seedleaf"
_JOB_STATES = ("QUEUED", "RUNNING", "COMPLETED", "FAILED", "CANCELLED")
_SCORED = ("trials", "variants")
_SCORES = ("f1_test", "f1_test_low", "f1_test_high")
_LOOKS = "how many scorings recorded a score on the test split"
_REASON = "why models were not scored on the test split by its last scoring"


def upgrade() -> None:
    _add_to_studies()
    for table in _SCORED:
        _add_scores(table)
    _create_scorings()


def _add_to_studies() -> None:
    looks = sa.Column("test_looks", sa.Integer(), server_default=sa.text("0"), nullable=False, comment=_LOOKS)
    for column in (
        sa.Column("compressed_at", sa.DateTime(timezone=True)),
        looks,
        sa.Column("test_reason", sa.Text(), comment=_REASON),
    ):
        op.add_column("studies", column, schema=_SCHEMA)


def _add_scores(table: str) -> None:
    for name in _SCORES:
        op.add_column(table, sa.Column(name, sa.Float(53)), schema=_SCHEMA)
    op.add_column(table, sa.Column("test_images", sa.Integer()), schema=_SCHEMA)
    checks = {
        "f1_test": "f1_test BETWEEN 0 AND 1 AND f1_test_low <= f1_test_high",
        "f1_test_has_images": "(f1_test IS NULL) = (test_images IS NULL)",
    }
    for name, condition in checks.items():
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition, schema=_SCHEMA)


def _create_scorings() -> None:
    state = postgresql.ENUM(*_JOB_STATES, name="job_state", schema=_SCHEMA, create_type=False)
    op.create_table(
        "test_scorings",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("study_id", sa.Text(), nullable=False),
        sa.Column(
            "trial_id",
            sa.Text(),
            comment="the trial whose full training is scored; NULL where the picks of a study are",
        ),
        sa.Column("state", state, nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint(
            "(state IN ('COMPLETED', 'FAILED', 'CANCELLED')) = (finished_at IS NOT NULL)",
            name=op.f("ck_test_scorings_finished"),
        ),
        sa.CheckConstraint("state <> 'FAILED' OR reason IS NOT NULL", name=op.f("ck_test_scorings_failed_says_why")),
        _belongs_to("study_id", "studies"),
        _belongs_to("trial_id", "trials"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_test_scorings")),
        schema=_SCHEMA,
        comment="looks at a study's test split: its picks, or a trial that was trained in full later, are scored",
    )
    unfinished = sa.text("state IN ('QUEUED', 'RUNNING')")
    op.create_index(
        "ix_test_scorings_unfinished", "test_scorings", ["study_id"], schema=_SCHEMA, postgresql_where=unfinished
    )


def _belongs_to(column: str, owner: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{_SCHEMA}.{owner}.id"], name=op.f(f"fk_test_scorings_{column}"), ondelete="CASCADE"
    )


def downgrade() -> None:
    op.drop_table("test_scorings", schema=_SCHEMA)
    for table in _SCORED:
        for name in (*_SCORES, "test_images"):
            op.drop_column(table, name, schema=_SCHEMA)
    for name in ("compressed_at", "test_looks", "test_reason"):
        op.drop_column("studies", name, schema=_SCHEMA)
