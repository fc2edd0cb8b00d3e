"""Targets: a recipe is timed on several hosts"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint("uq_variants_job_id_runtime", "variants", schema="seedleaf")
    op.create_unique_constraint(
        "uq_variants_job_id_runtime_host", "variants", ["job_id", "runtime", "host"], schema="seedleaf"
    )


def downgrade() -> None:
    raise NotImplementedError("a recipe may have been timed on several hosts by now: restore a backup instead")
