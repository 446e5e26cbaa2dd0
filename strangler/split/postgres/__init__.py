"""PostgreSQL 14 and newer: trigger logs, fences that are switched, rows by binary COPY."""

from strangler.split.postgres.store import PostgresStore

__all__ = ["PostgresStore"]
