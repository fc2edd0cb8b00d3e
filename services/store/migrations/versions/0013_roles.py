"""Roles of trials"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_COMMENTS = {
    "trials": "what the trial is for, where the sampler did not propose it",
    "enqueued_trials": "the role of the trial that it becomes",
}


def upgrade() -> None:
    for table, comment in _COMMENTS.items():
        op.add_column(table, sa.Column("role", sa.Text(), comment=comment), schema="seedleaf")
        op.create_check_constraint(op.f(f"ck_{table}_role"), table, "role IN ('probe', 'plain')", schema="seedleaf")
    op.create_index(
        "ix_trials_role",
        "trials",
        ["study_id", "role"],
        schema="seedleaf",
        postgresql_where=sa.text("role IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_trials_role", table_name="trials", schema="seedleaf")
    for table in _COMMENTS:
        op.drop_column(table, "role", schema="seedleaf")
