"""Layers of trials' networks"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_COMMENT = "what each line of the backbone gives and costs: shape (channels, height, width), macs, params"


def upgrade() -> None:
    op.add_column("trials", sa.Column("layers", postgresql.JSONB(), comment=_COMMENT), schema="seedleaf")


def downgrade() -> None:
    op.drop_column("trials", "layers", schema="seedleaf")
