"""Totals kept as they happen, and a leaderboard by keys"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_SCHEMA = "seedleaf"
_IN_STUDY = (
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
_OVERALL = ("score", "f1", "latency_ms")


def upgrade() -> None:
    op.create_table(
        "totals",
        sa.Column("study_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("amount", sa.Float(53), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_id"], [f"{_SCHEMA}.studies.id"], name=op.f("fk_totals_study_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("study_id", "name", "label", name=op.f("pk_totals")),
        schema=_SCHEMA,
        comment="what each study has come to, kept as it happens; see services/store/totals.py",
    )
    _count_what_is_there()
    for name in _IN_STUDY:
        op.create_index(f"ix_trials_study_id_{name}", "trials", ["study_id", name, "id"], schema=_SCHEMA)
    for name in _OVERALL:
        op.create_index(f"ix_trials_{name}", "trials", [name, "id"], schema=_SCHEMA)


def _count_what_is_there() -> None:
    for name, amount, which in (
        ("trials", "count(*)", "true"),
        ("trial_seconds", "sum(extract(epoch FROM finished_at - created_at))", "finished_at IS NOT NULL"),
    ):
        op.execute(
            f"""
            INSERT INTO {_SCHEMA}.totals SELECT study_id, '{name}', state::text, {amount}
            FROM {_SCHEMA}.trials WHERE {which} GROUP BY study_id, state
            """
        )
    op.execute(
        f"""
        INSERT INTO {_SCHEMA}.totals SELECT study_id, 'spent', '', count(*) FROM {_SCHEMA}.trials
        WHERE state IN ('COMPLETED', 'STOPPED', 'FAILED') OR (state = 'INFEASIBLE' AND host IS NOT NULL)
        GROUP BY study_id
        """
    )


def downgrade() -> None:
    for name in _IN_STUDY:
        op.drop_index(f"ix_trials_study_id_{name}", "trials", schema=_SCHEMA)
    for name in _OVERALL:
        op.drop_index(f"ix_trials_{name}", "trials", schema=_SCHEMA)
    op.drop_table("totals", schema=_SCHEMA)
