"""Trials that are run again with a GPU of their own"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    alone: sa.Column[bool] = sa.Column(
        "alone",
        sa.Boolean(),
        server_default=sa.false(),
        nullable=False,
        comment="on a GPU that nothing else is on",
    )
    op.add_column("enqueued_trials", alone, schema="seedleaf")


def downgrade() -> None:
    op.drop_column("enqueued_trials", "alone", schema="seedleaf")
