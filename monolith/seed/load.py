"""Fills an empty database by COPY, all of it in one transaction."""

from django.db import connection, transaction

from monolith.seed.rows import TABLES

_RATINGS = """
    UPDATE catalog_product p
       SET rating_average = r.average, rating_count = r.number
      FROM (SELECT product_id, round(avg(rating), 2) AS average, count(*) AS number
              FROM reviews_review GROUP BY product_id) r
     WHERE r.product_id = p.id
"""


class NotEmpty(Exception):
    """The database has rows already; a table that has some is named."""


@transaction.atomic
def load(rows):
    """Write all tables; returns the number of rows in each. Refuses a database that is not empty."""
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f'SELECT EXISTS (SELECT FROM "{table}")')  # noqa: S608  (our own names)
            if cursor.fetchone()[0]:
                raise NotEmpty(table)
        counts = {table: _copy(cursor, table, columns.split(), make(rows)) for table, (make, columns) in TABLES.items()}
        cursor.execute(_RATINGS)
        for table, (_, columns) in TABLES.items():
            if columns.startswith("id "):
                cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [table, max(counts[table], 1)])
    return counts


def _copy(cursor, table, columns, rows):
    number = 0
    with cursor.copy(f'COPY "{table}" ({", ".join(columns)}) FROM STDIN') as copy:
        for number, row in enumerate(rows, 1):  # noqa: B007  (the last number is the count)
            copy.write_row(row)
    return number
