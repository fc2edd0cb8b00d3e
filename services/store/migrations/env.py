"""Alembic's environment: migrations run on the connection that services.database hands over."""

from alembic import context

from services.store.tables import SCHEMA, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table_schema=SCHEMA,
    include_schemas=True,
    include_name=lambda name, kind, _: name == SCHEMA if kind == "schema" else True,
)
with context.begin_transaction():
    context.run_migrations()
