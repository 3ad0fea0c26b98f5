"""The migrations of the facts, run by alembic at start. Part of the package."""
