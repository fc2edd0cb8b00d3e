"""How many workers a trial's choices have lost"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_COMMENT = "workers that died in earlier runs of these choices"


def upgrade() -> None:
    for table in ("trials", "enqueued_trials"):
        column = sa.Column("workers_lost", sa.Integer(), server_default=sa.text("0"), nullable=False, comment=_COMMENT)
        op.add_column(table, column, schema="seedleaf")


def downgrade() -> None:
    for table in ("trials", "enqueued_trials"):
        op.drop_column(table, "workers_lost", schema="seedleaf")
