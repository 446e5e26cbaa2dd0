"""Columns of every type with two values each, as literals that an engine's SQL takes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from tests.integration.split.engines import ENGINES


@dataclass(frozen=True, kw_only=True)
class TypedColumn:
    """A column, and two values; the other one is what a corrupting trigger makes of the first."""

    name: str
    types: dict[str, str]  # by engine
    one: Any
    other: Any
    written: bool = False  # the values are SQL already

    def literal(self, engine: str, value: Any) -> str:
        return str(value) if self.written else ENGINES[engine].literal(value)


def columns_of(source: str, target: str) -> list[TypedColumn]:
    """Those that a pair of engines can carry."""
    if source == target:
        return [
            TypedColumn(name=f"c{number}_{kind.split('(')[0].split(' ')[0].strip('[]')}", types={source: kind},
                        one=one, other=other, written=True)
            for number, (kind, one, other) in enumerate(NATIVE[source])
        ]  # fmt: skip
    return [
        TypedColumn(name=name, types=types, one=one, other=other)
        for name, types, one, other in ((name, _by_engine(name, *types), *values) for name, types, *values in SHARED)
        if types[source] and types[target]
    ]


def _by_engine(name: str, postgresql: str, mariadb: str, sqlite: str | None) -> dict[str, Any]:
    # It has no type for UUIDs, and rounds large numbers in JSON.
    mysql = None if name == "exact_tags" else "char(32)" if mariadb == "uuid" else mariadb
    return {"postgresql": postgresql, "mariadb": mariadb, "mysql": mysql, "sqlite": sqlite}


# Where it can be, the other value is one that the engine itself holds equal, or shows alike.
NATIVE = {
    "postgresql": [
        ("smallint", "-32768", "7"),
        ("integer", "2147483647", "7"),
        ("bigint", "9223372036854775807", "9223372036854775806"),
        ("numeric", "1.1", "1.10"),
        ("numeric(20,2)", "123456789012345678.91", "123456789012345678.92"),
        ("real", "0.1", "0.10000001"),
        ("double precision", "0.1", "0.10000000000000002"),
        ("text", "U&'\\00e4\\2603 '", "U&'a\\0308\\2603 '"),
        ("varchar(20)", "'a'", "'a '"),
        ("char(5)", "'a'", "'b'"),
        ("bytea", "'\\x00ff'", "'\\x00fe'"),
        ("uuid", "'00000000-0000-0000-0000-000000000001'", "'00000000-0000-0000-0000-000000000002'"),
        ("date", "'infinity'", "'0044-03-15 BC'"),
        ("time", "'24:00:00'", "'00:00:00'"),
        ("timetz", "'12:00:00+00'", "'13:00:00+01'"),
        ("timestamp", "'294276-01-01'", "'294276-01-01 00:00:00.000001'"),
        ("timestamptz", "'-infinity'", "'2024-01-01 00:00:00+00'"),
        ("interval", "'1 month'", "'30 days'"),
        ("boolean", "true", "false"),
        ("json", """'{"a": 1}'""", """'{"a":1}'"""),
        ("jsonb", """'{"a": 1.0}'""", """'{"a": 1.00}'"""),
        ("integer[]", "'{1,2,NULL}'", "'[0:2]={1,2,NULL}'"),
        ("text[]", """'{a,"b,c"}'""", "'{a,b,c}'"),
        ("inet", "'10.0.0.1/8'", "'10.0.0.1'"),
        ("cidr", "'10.0.0.0/8'", "'10.0.0.0/9'"),
        ("macaddr", "'08:00:2b:01:02:03'", "'08:00:2b:01:02:04'"),
        ("mood", "'glad'", "'sad'"),
        ("int4range", "'[1,5)'", "'[1,6)'"),
        ("tstzrange", "'[2024-01-01 00:00+00,)'", "'empty'"),
        ("int4multirange", "'{[1,5),[7,8)}'", "'{[1,5)}'"),
        ("bit(5)", "B'10101'", "B'10100'"),
        ("varbit", "B'101'", "B'1010'"),
        ("point", "'(1,2)'", "'(1,3)'"),
        ("tsvector", "'a:1 b:2'", "'a:1 b:3'"),
        ("money", "'1.10'", "'1.11'"),
        ("short_text", "'ab'", "'ac'"),
    ],
    "mariadb": [
        ("tinyint", "-128", "7"),
        ("smallint", "-32768", "7"),
        ("mediumint", "8388607", "7"),
        ("int unsigned", "4294967295", "7"),
        ("bigint", "-9223372036854775808", "7"),
        ("bigint unsigned", "18446744073709551615", "18446744073709551614"),
        ("decimal(40,10)", "123456789012345678901234567890.1", "123456789012345678901234567890.2"),
        ("float", "1.1", "1.1000001"),
        ("double", "0.1e0", "0.10000000000000002e0"),
        ("bit(10)", "b'1111111111'", "b'1111111110'"),
        ("boolean", "true", "2"),
        ("year", "2024", "2025"),
        ("date", "'0000-00-00'", "'2024-00-00'"),
        ("time(6)", "'-838:59:59.000001'", "'-838:59:59.000002'"),
        ("datetime", "'0000-00-00 00:00:00'", "'1000-01-01 00:00:00'"),
        ("datetime(6)", "'9999-12-31 23:59:59.999999'", "'9999-12-31 23:59:59.999998'"),
        ("timestamp(6) NULL", "'2024-01-01 00:00:00.000001'", "'2024-01-01 00:00:00.000002'"),
        ("char(5)", "'a'", "'A'"),
        ("varchar(20)", "'a'", "'A'"),
        ("varchar(20) COLLATE utf8mb4_bin", "'a'", "'a '"),
        ("varchar(20) CHARACTER SET latin1", "_latin1 x'e4'", "'a'"),
        ("varchar(20) CHARACTER SET utf8mb3", "'\u2603'", "'\u2602'"),
        ("longtext", "'\U0001f600 \\0 \\\\ ''q'''", "'\U0001f600 \\0 \\\\ ''Q'''"),
        ("binary(4)", "x'00'", "x'0000000a'"),
        ("varbinary(20)", "x'00'", "x'0000'"),
        ("longblob", "x'ff275c00'", "x'ff275c01'"),
        ("json", """'{"a": 1}'""", """'{"a":1}'"""),
        ("uuid", "'00000000-0000-0000-0000-000000000001'", "'00000000-0000-0000-0000-000000000002'"),
        ("inet6", "'::1'", "'::2'"),
        ("enum('glad','sad')", "'glad'", "'sad'"),
        ("set('a','b')", "'a,b'", "'a'"),
        ("point", "point(1, 2)", "point(1, 3)"),
    ],
    "sqlite": [
        ("integer", "9223372036854775807", "9223372036854775806"),
        ("bool", "1", "0"),
        ("real", "0.1", "0.10000000000000002"),
        ("decimal", "1", "1.5"),
        ("text", "'a'", "'A'"),
        ("varchar(20)", "'a'", "'a '"),
        ("char(32)", "'00000000000000000000000000000001'", "'00000000000000000000000000000002'"),
        ("blob", "x'00'", "x'0000'"),
        ("date", "'2024-01-01'", "'2024-01-02'"),
        ("time", "'12:00:00'", "'12:00:00.000001'"),
        ("datetime", "'2024-01-01 00:00:00'", "'2024-01-01 00:00:00.000001'"),
        ("json", """'{"a": 1}'""", """'{"a":1}'"""),
        ("anything blob", "1", "1.0"),
        ("clob", "'1'", "x'31'"),
    ],
}
# MySQL's own defaults take no zero dates, it has a little less time, and keeps JSON by value.
_NOT_MYSQL = ("time(6)", "date", "datetime", "json", "uuid", "inet6")
NATIVE["mysql"] = [column for column in NATIVE["mariadb"] if column[0] not in _NOT_MYSQL] + [
    ("time(6)", "'-838:59:58.000001'", "'-838:59:58.000002'"),
    ("date", "'9999-12-31'", "'1000-01-01'"),
    ("datetime", "'9999-12-31 23:59:59'", "'1000-01-01 00:00:00'"),
    ("json", """'{"a": 1.5, "b": [null, "\u00e4"]}'""", """'{"a": 1.5, "b": [null, "a"]}'"""),
    ("varchar(20) COLLATE utf8mb4_0900_bin", "'a'", "'a '"),
    ("varchar(20) COLLATE utf8mb4_0900_ai_ci", "'a\u0308'", "'\u00e4'"),
]
SHARED: list[tuple[str, tuple[str, str, str | None], Any, Any]] = [
    # name, types of PostgreSQL, MariaDB and SQLite
    ("yes", ("boolean", "bool", "bool"), True, False),
    ("small", ("smallint", "smallint", "smallint"), -(2**15), 7),
    ("whole", ("integer", "int", "integer"), 2**31 - 1, 7),
    ("positive", ("integer", "int unsigned", "integer"), 2**31 - 1, 7),
    ("big", ("bigint", "bigint", "bigint"), -(2**63), -(2**63) + 1),
    ("bigger", ("numeric(20)", "bigint unsigned", None), 2**64 - 1, 2**64 - 2),
    ("price", ("numeric(10,2)", "decimal(10,2)", "decimal(10,2)"), Decimal("12345678.90"), Decimal("12345678.91")),
    ("fine", ("numeric(40,10)", "decimal(40,10)", None), Decimal("1" * 30 + ".5"), Decimal("1" * 30 + ".6")),
    ("score", ("double precision", "double", "real"), 0.1, 0.10000000000000002),
    ("far", ("double precision", "double", "real"), -1.7976931348623157e308, 5e-324),
    ("body", ("text", "longtext", "text"), "\u00e4\u2603\U0001f600 'q' ", "a\u0308\u2603\U0001f600 'q' "),
    ("name", ("varchar(20)", "varchar(20)", "varchar(20)"), "a", "A"),
    ("raw", ("bytea", "longblob", "blob"), b"\x00\xff'\\", b"\x00\xff'"),
    ("code", ("uuid", "uuid", "char(32)"), UUID(int=1), UUID(int=2)),
    ("older", ("uuid", "char(32)", "char(32)"), UUID(int=2**127), UUID(int=2**127 + 1)),
    ("day", ("date", "date", "date"), date(9999, 12, 31), date(1000, 1, 1)),
    ("hour", ("time", "time(6)", "time"), time(23, 59, 59, 999_999), time(0)),
    ("at", ("timestamptz", "datetime(6)", "datetime"), datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC),
     datetime(1000, 1, 1, tzinfo=UTC)),
    ("second", ("timestamptz(0)", "datetime", "datetime"), datetime(2024, 2, 29, 12, tzinfo=UTC),
     datetime(2024, 2, 29, 13, tzinfo=UTC)),
    ("stamp", ("timestamptz", "timestamp(6) NULL", "datetime"), datetime(2037, 12, 31, tzinfo=UTC),
     datetime(1971, 1, 1, tzinfo=UTC)),
    ("tags", ("jsonb", "json", "text"), '{"a": [1.50, null, "\u00e4"]}', '{"a": [1.51, null, "\u00e4"]}'),
    ("exact_tags", ("jsonb", "json", "text"), '{"b": 123456789012345678901234567890}',
     '{"b": 123456789012345678901234567891}'),
]  # fmt: skip
