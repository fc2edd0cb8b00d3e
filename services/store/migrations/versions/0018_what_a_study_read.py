"""What a study's data set was when it was first read; a recipe whose job was cancelled can be queued again"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_SCHEMA = "seedleaf"
_CLASS_IMAGES = "training and validation images in the order of classes, when the data set was first read"
_TEST_ID = "a hash of the test images and labels that models were first scored on"
_ONCE = "uq_compression_jobs_trial_id_recipe_weights_sha256"
_IDENTITY = ["trial_id", "recipe", "weights_sha256"]


def upgrade() -> None:
    class_images = sa.Column("class_images", postgresql.JSONB(), nullable=True, comment=_CLASS_IMAGES)
    op.add_column("studies", class_images, schema=_SCHEMA)
    op.add_column("studies", sa.Column("test_id", sa.Text(), nullable=True, comment=_TEST_ID), schema=_SCHEMA)
    op.drop_constraint(op.f(_ONCE), "compression_jobs", schema=_SCHEMA)
    op.create_index(
        "ix_compression_jobs_once",
        "compression_jobs",
        _IDENTITY,
        unique=True,
        schema=_SCHEMA,
        postgresql_where=sa.text("state <> 'CANCELLED'"),
    )


def downgrade() -> None:
    op.drop_index("ix_compression_jobs_once", table_name="compression_jobs", schema=_SCHEMA)
    op.execute(
        f"""
        DELETE FROM {_SCHEMA}.compression_jobs AS cancelled USING {_SCHEMA}.compression_jobs AS other
        WHERE cancelled.state = 'CANCELLED' AND other.trial_id = cancelled.trial_id AND other.recipe = cancelled.recipe
          AND other.weights_sha256 = cancelled.weights_sha256
          AND (other.state <> 'CANCELLED' OR other.id < cancelled.id)
        """
    )
    op.create_unique_constraint(op.f(_ONCE), "compression_jobs", _IDENTITY, schema=_SCHEMA)
    op.drop_column("studies", "test_id", schema=_SCHEMA)
    op.drop_column("studies", "class_images", schema=_SCHEMA)
