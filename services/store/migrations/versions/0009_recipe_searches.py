"""Recipe searches"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_TABLE = "recipe_searches"


def upgrade() -> None:
    op.create_table(
        _TABLE,
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("trial_id", sa.Text(), nullable=False),
        sa.Column("study_id", sa.Text(), nullable=False),
        sa.Column("weights_sha256", sa.Text(), nullable=False, comment="the weights that are compressed"),
        sa.Column("reason", sa.Text(), nullable=True, comment="why it ended"),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(finished_at IS NULL) = (reason IS NULL)", name=op.f("ck_recipe_searches_finished_says_why")
        ),
        sa.ForeignKeyConstraint(
            ["trial_id"], ["seedleaf.trials.id"], name=op.f("fk_recipe_searches_trial_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["study_id"], ["seedleaf.studies.id"], name=op.f("fk_recipe_searches_study_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recipe_searches")),
        sa.UniqueConstraint("trial_id", "weights_sha256", name=op.f("uq_recipe_searches_trial_id_weights_sha256")),
        schema="seedleaf",
        comment="candidates whose recipes are searched; what was tried are their compression jobs",
    )
    op.create_index(
        "ix_recipe_searches_open",
        _TABLE,
        ["study_id"],
        schema="seedleaf",
        postgresql_where=sa.text("finished_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table(_TABLE, schema="seedleaf")
