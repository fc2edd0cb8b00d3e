"""Studies and data sets from before the test split have none"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        UPDATE seedleaf.studies SET spec = jsonb_set(spec, '{dataset,test_fraction}', '0')
        WHERE NOT spec->'dataset' ? 'test_fraction'
        """
    )
    op.execute(
        """
        UPDATE seedleaf.dataset_checks SET spec = spec || '{"test_fraction": 0}' WHERE NOT spec ? 'test_fraction'
        """
    )
    op.execute(
        """
        UPDATE seedleaf.dataset_checks
        SET report = jsonb_set(report, '{classes}', (
            SELECT coalesce(jsonb_agg('{"test": 0}' || each ORDER BY number), '[]')
            FROM jsonb_array_elements(report->'classes') WITH ORDINALITY AS classes (each, number)
        ))
        WHERE report IS NOT NULL
        """
    )


def downgrade() -> None:
    op.execute("UPDATE seedleaf.studies SET spec = spec #- '{dataset,test_fraction}'")
    op.execute("UPDATE seedleaf.dataset_checks SET spec = spec - 'test_fraction'")
    op.execute(
        """
        UPDATE seedleaf.dataset_checks
        SET report = jsonb_set(report, '{classes}', (
            SELECT coalesce(jsonb_agg(each - 'test' ORDER BY number), '[]')
            FROM jsonb_array_elements(report->'classes') WITH ORDINALITY AS classes (each, number)
        ))
        WHERE report IS NOT NULL
        """
    )
