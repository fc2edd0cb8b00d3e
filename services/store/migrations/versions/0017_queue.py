"""Since when a study waits for a driver"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_COMMENT = "since when it waits for a driver; NULL where it has or had one"


def upgrade() -> None:
    op.add_column("studies", sa.Column("queued_at", sa.DateTime(timezone=True), comment=_COMMENT), schema="seedleaf")
    op.execute("UPDATE seedleaf.studies SET queued_at = created_at WHERE state = 'QUEUED'")
    op.alter_column("studies", "queued_at", server_default=sa.func.now(), schema="seedleaf")
    waiting = sa.text("state = 'QUEUED' AND queued_at IS NOT NULL")
    op.create_index("ix_studies_queued", "studies", ["queued_at", "id"], schema="seedleaf", postgresql_where=waiting)


def downgrade() -> None:
    op.drop_index("ix_studies_queued", "studies", schema="seedleaf")
    op.drop_column("studies", "queued_at", schema="seedleaf")
