"""What is left of deleted studies: that they were, their Ray jobs, and the files to remove"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_SCHEMA = "seedleaf"
_DELETED_BY = "id and name of the key that deleted it; NULL without a key"


def upgrade() -> None:
    op.create_table(
        "deleted_studies",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "deleted_by", postgresql.JSONB(), comment="id and name of the key that deleted it; NULL without a key"
        ),
        sa.Column("ray_jobs", postgresql.JSONB(), nullable=False, comment="those that may still run"),
        sa.Column("trainings", postgresql.JSONB(), nullable=False, comment="those that may have checkpoints"),
        sa.Column("deleted_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deleted_studies")),
        schema=_SCHEMA,
        comment="studies that were deleted",
    )
    op.create_index("ix_deleted_studies_deleted_at", "deleted_studies", ["deleted_at"], schema=_SCHEMA)
    op.create_table(
        "deleted_files",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_deleted_files")),
        schema=_SCHEMA,
        comment="files of deleted studies that are to be removed, unless a row still names them",
    )


def downgrade() -> None:
    op.drop_table("deleted_files", schema=_SCHEMA)
    op.drop_table("deleted_studies", schema=_SCHEMA)
