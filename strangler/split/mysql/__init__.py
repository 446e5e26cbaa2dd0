"""MariaDB 10.6 and MySQL 8, and newer: fences and logs of row triggers, one locking read decides; rows as literals."""

from strangler.split.mysql.store import MySQLStore

__all__ = ["MySQLStore"]
