"""What alembic runs: the migrations, inside the transaction of the connection it was given."""

from __future__ import annotations

from alembic import context

from ocpp_watchdog.shell.journal.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
