"""``python -m services.store.migrate`` migrates the database, before anything else of a cluster starts."""

from services.settings import settings
from services.store.db import make_engine, migrate

if __name__ == "__main__":
    migrate(make_engine(settings().require_database_url()))
