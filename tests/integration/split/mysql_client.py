"""A connection to MariaDB as an application has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pymysql


@dataclass
class Client:
    """In autocommit, READ COMMITTED unless said otherwise."""

    dsn: str
    connection: Any = None
    isolation: str = "READ COMMITTED"
    local_infile: bool = False

    def __post_init__(self) -> None:
        if self.connection is not None:
            return
        where = urlsplit(self.dsn)
        self.connection = pymysql.connect(
            host=where.hostname,
            port=where.port or 0,
            user=where.username,
            password=where.password or "",
            database=where.path.lstrip("/"),
            charset="utf8mb4",
            autocommit=True,
            local_infile=self.local_infile,
            ssl_disabled=True,
        )
        self.query(f"SET SESSION TRANSACTION ISOLATION LEVEL {self.isolation}")

    def execute(self, statement: str, params: object = None) -> Any:
        cursor = self.connection.cursor()
        cursor.execute(statement, params)
        return cursor

    def query(self, statement: str, params: object = None) -> list[tuple[Any, ...]]:
        return list(self.execute(statement, params).fetchall())

    def one(self, statement: str, params: object = None) -> Any:
        return self.query(statement, params)[0][0]

    def insert(self, statement: str, params: object = None) -> int:
        """The number that the row got, as the driver tells it."""
        return int(self.execute(statement, params).lastrowid)

    def begin(self) -> None:
        self.query("START TRANSACTION")

    def commit(self) -> None:
        self.connection.commit()

    def close(self) -> None:
        self.connection.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
