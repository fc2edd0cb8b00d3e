"""``python -m services.store.migrate`` brings the database up to date, before anything else of a cluster starts."""

from services.settings import settings
from services.store.db import make_engine, migrate

if __name__ == "__main__":
    migrate(make_engine(settings().require_database_url()))
