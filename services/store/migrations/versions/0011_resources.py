"""What is chosen for the trials of studies that say resources: auto"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_COMMENT = "what each trial gets, where the spec leaves that to be chosen"


def upgrade() -> None:
    op.add_column("studies", sa.Column("resources", postgresql.JSONB(), comment=_COMMENT), schema="seedleaf")


def downgrade() -> None:
    op.drop_column("studies", "resources", schema="seedleaf")
