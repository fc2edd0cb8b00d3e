"""A study's teacher: which trial it is, and its answers on the training images"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_SCHEMA = "seedleaf"
_COLUMNS = {
    "teacher_trial_id": "the trial whose network answered; NULL where a file did, or nothing has yet",
    "teacher_answers_sha256": "the file of a teacher's answers on the training images",
}


def upgrade() -> None:
    for name, comment in _COLUMNS.items():
        op.add_column("studies", sa.Column(name, sa.Text(), comment=comment), schema=_SCHEMA)


def downgrade() -> None:
    for name in _COLUMNS:
        op.drop_column("studies", name, schema=_SCHEMA)
