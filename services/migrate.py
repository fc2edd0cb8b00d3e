"""``python -m services.migrate`` migrates the database, before anything else of a cluster starts."""

from services.database import make_engine, migrate
from services.settings import settings

if __name__ == "__main__":
    migrate(make_engine(settings().require_database_url()))
