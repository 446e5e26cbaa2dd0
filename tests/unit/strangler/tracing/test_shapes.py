import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler.tracing.shapes import binds, shape

SECRET = "Rosebud"


@pytest.mark.parametrize(
    ("sql", "vendor", "expected"),
    [
        (
            'SELECT U0."a" FROM "t1" U0 WHERE U0."b" = %s LIMIT 21',
            "postgresql",
            'SELECT U0."a" FROM "t1" U0 WHERE U0."b" = ? LIMIT ?',
        ),
        ("SELECT a FROM t WHERE b IN (%s, %s, %s)", "postgresql", "SELECT a FROM t WHERE b IN (?)"),
        ("INSERT INTO t (a, b) VALUES (%s::int, %s), (%s::int, %s)", "postgresql", "INSERT INTO t (a, b) VALUES (?)"),
        (
            "INSERT INTO t (a, b) VALUES (%s, DEFAULT), (%s, DEFAULT)",
            "sqlite",
            "INSERT INTO t (a, b) VALUES (?, DEFAULT)",
        ),
        (
            "SELECT a::jsonb, b[1], %(name)s, :name FROM t\n  WHERE c > 1.5e3",
            "postgresql",
            "SELECT a::jsonb, b[?], ?, ? FROM t WHERE c > ?",
        ),
        ("SELECT `a` FROM `t` WHERE `b` = 0xff", "mysql", "SELECT `a` FROM `t` WHERE `b` = ?"),
        (
            'SELECT "t"."a" FROM "t" WHERE "t"."b" = "t"."c"',
            "sqlite",
            'SELECT "t"."a" FROM "t" WHERE "t"."b" = "t"."c"',
        ),
        ("SAVEPOINT s1_x2", "postgresql", ""),
        ("", "postgresql", ""),
        ("NOTIFY channel", "postgresql", "NOTIFY"),
    ],
)
def test_shape_keeps_names_and_loses_values(sql, vendor, expected):
    assert shape(sql, vendor) == expected


@pytest.mark.parametrize(
    ("sql", "vendor"),
    [
        (f"SELECT '{SECRET}' FROM t", "postgresql"),
        (f"SELECT 'it''s {SECRET}' FROM t", "postgresql"),
        (f"SELECT 'C:\\', '{SECRET}' FROM t", "postgresql"),
        (f"SELECT E'it\\'s {SECRET}' FROM t", "postgresql"),
        (f"SELECT U&'{SECRET}', N'{SECRET}', B'{SECRET}', date'{SECRET}' FROM t", "postgresql"),
        (f"SELECT $$ {SECRET} $$, $tag$ '{SECRET}' $tag$ FROM t", "postgresql"),
        (f"SELECT a FROM t -- {SECRET}", "postgresql"),
        (f"SELECT a /* {SECRET} */ FROM t", "postgresql"),
        (f"SELECT a /* outer /* inner */ {SECRET} */ FROM t", "postgresql"),
        (f"SELECT '{SECRET} FROM t", "postgresql"),
        (f"SELECT $$ {SECRET} FROM t", "postgresql"),
        (f"/* {SECRET} */ SELECT a FROM t", "postgresql"),
        (f"SELECT 'it\\'s {SECRET}' FROM t", "mysql"),
        (f'SELECT "{SECRET}" FROM t', "mysql"),
        (f"SELECT a FROM t # {SECRET}", "mysql"),
        (f'SELECT a FROM t WHERE a = "{SECRET}"', "sqlite"),
        (f'SELECT a FROM t WHERE a LIKE "{SECRET}"', "sqlite"),
        (f"SELECT 'it\\'s {SECRET}' FROM t", ""),
        (f"SET app.user = {SECRET}", "postgresql"),
        (f"SET app.user TO {SECRET}", "postgresql"),
        (f"ALTER ROLE {SECRET}", "postgresql"),
        (f"CALL f({SECRET})", "mysql"),
    ],
)
def test_no_value_is_left_however_it_is_written(sql, vendor):
    assert SECRET not in shape(sql, vendor)


@given(st.text(alphabet="'\"`$\\-/*#\n aE;(),=%?", max_size=12), st.sampled_from(["postgresql", "mysql", "sqlite"]))
def test_a_text_that_a_driver_quotes_is_taken_out_whole(text, vendor):
    value = f"{text}{SECRET}{text}".replace("'", "''")
    value = value.replace("\\", "\\\\") if vendor == "mysql" else value
    assert shape(f"SELECT a FROM t WHERE b = '{value}' AND c = 1", vendor) == "SELECT a FROM t WHERE b = ? AND c = ?"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT a FROM t", False),
        ("SELECT a FROM t FOR UPDATE", True),
        ("SELECT a FROM t FOR NO KEY UPDATE SKIP LOCKED", True),
        ("INSERT INTO t (a) VALUES (?)", True),
        ("WITH q AS (DELETE FROM t RETURNING a) SELECT a FROM q", True),
    ],
)
def test_writes_and_locks_bind_a_transaction(text, expected):
    assert binds(text) is expected


def test_long_statement_is_cut_and_says_so():
    sql = f"SELECT {', '.join(f'column_{number}' for number in range(2000))} FROM t"
    assert shape(sql, "postgresql").endswith(" ...")
