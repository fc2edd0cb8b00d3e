"""Folders that take no files, and how many images of a study could not be used"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_SCHEMA = "seedleaf"
_EXCUSED = "jobs that ended because their files could not be stored"
_SKIPPED = "how many images could not be used; NULL where skipped names them all"


def upgrade() -> None:
    op.create_table(
        "storage_faults",
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False, comment="the machine that found it so; empty for a URL"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False, comment="how often in a row work was tried again in vain"),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cleared_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("place", "host", name=op.f("pk_storage_faults")),
        schema=_SCHEMA,
        comment="folders and URLs that take no files; nothing that writes files is started until they do",
    )
    excused = sa.Column("excused", sa.Integer(), nullable=False, server_default=sa.text("0"), comment=_EXCUSED)
    op.add_column("test_scorings", excused, schema=_SCHEMA)
    op.add_column("studies", sa.Column("skipped_count", sa.Integer(), comment=_SKIPPED), schema=_SCHEMA)


def downgrade() -> None:
    op.drop_column("studies", "skipped_count", schema=_SCHEMA)
    op.drop_column("test_scorings", "excused", schema=_SCHEMA)
    op.drop_table("storage_faults", schema=_SCHEMA)
