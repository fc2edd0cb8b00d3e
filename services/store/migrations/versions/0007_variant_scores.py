"""Scores by class of variants"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_SCHEMA = "seedleaf"
_COMMENTS = {
    "per_class_f1": "in the order of the study's classes",
    "confusion": "counts, rows the true class, columns the predicted one",
}


def upgrade() -> None:
    for column, comment in _COMMENTS.items():
        op.add_column("variants", sa.Column(column, postgresql.JSONB(), comment=comment), schema=_SCHEMA)


def downgrade() -> None:
    for column in _COMMENTS:
        op.drop_column("variants", column, schema=_SCHEMA)
