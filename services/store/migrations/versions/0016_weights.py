"""The pretrained weights that a study's networks start from"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_COMMENT = "the pretrained weights that its networks start from, as they were found when it was posted"


def upgrade() -> None:
    column = sa.Column("weights", postgresql.JSONB(), nullable=False, server_default=sa.text("'[]'"), comment=_COMMENT)
    op.add_column("studies", column, schema="seedleaf")


def downgrade() -> None:
    op.drop_column("studies", "weights", schema="seedleaf")
