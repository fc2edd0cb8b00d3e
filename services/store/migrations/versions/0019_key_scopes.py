"""Keys have a scope and may expire; studies say which keys made, changed and cancelled them"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_SCHEMA = "seedleaf"
_BY = {
    "created_by": "id and name of the key that posted it; NULL without a key",
    "changed_by": "id and name of the key that changed it last; NULL without a key",
    "cancelled_by": "id and name of the key that cancelled it; NULL without a key",
}


def upgrade() -> None:
    scope = sa.Column("scope", sa.Text(), server_default=sa.text("'admin'"), nullable=False)
    op.add_column("api_keys", scope, schema=_SCHEMA)
    op.add_column("api_keys", sa.Column("expires_at", sa.DateTime(timezone=True)), schema=_SCHEMA)
    op.create_check_constraint(
        op.f("ck_api_keys_scope"), "api_keys", "scope IN ('read', 'write', 'admin')", schema=_SCHEMA
    )
    for name, comment in _BY.items():
        op.add_column("studies", sa.Column(name, postgresql.JSONB(), comment=comment), schema=_SCHEMA)


def downgrade() -> None:
    for name in _BY:
        op.drop_column("studies", name, schema=_SCHEMA)
    op.drop_column("api_keys", "expires_at", schema=_SCHEMA)
    op.drop_column("api_keys", "scope", schema=_SCHEMA)
