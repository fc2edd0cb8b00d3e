"""What belongs to no study: faults of storage, API keys, and files that are to be removed."""

from sqlalchemy import CheckConstraint, Column, DateTime, Integer, Table, Text, text

from services.store.tables.columns import metadata, time_of_insertion, time_or_null

storage_faults = Table(
    "storage_faults",
    metadata,
    Column("place", Text, primary_key=True),
    Column("host", Text, primary_key=True, comment="the machine that found it so; empty for a URL"),
    Column("reason", Text, nullable=False),
    Column("tries", Integer, nullable=False, comment="how often in a row work was tried again in vain"),
    Column("retry_at", DateTime(timezone=True), nullable=False),
    time_or_null("cleared_at"),
    comment="folders and URLs that take no files; nothing that writes files is started until they do",
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("sha256", Text, nullable=False, unique=True, comment="of the key, which is not kept"),
    Column("scope", Text, nullable=False, server_default=text("'admin'")),
    time_of_insertion("created_at"),
    time_or_null("expires_at"),
    time_or_null("revoked_at"),
    CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
    CheckConstraint("scope IN ('read', 'write', 'admin')", name="scope"),
)

deleted_files = Table(
    "deleted_files",
    metadata,
    Column("sha256", Text, primary_key=True),
    comment="files of deleted studies that are to be removed, unless a row still names them",
)
