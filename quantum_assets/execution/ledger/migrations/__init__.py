"""The history of the ledger's schema, as Alembic scripts; they never change once released."""
