"""Runs the migrations on the connection that `analytics_stream.schema` passes."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
