"""A statement without its values: literals and remarks are taken out, and what nobody can tell apart from one. Pure."""

from __future__ import annotations

import re

HOLE = "?"
_LONGEST = 8_000
_LONG, _READ, _LOOKED_AT = 1_000, 200_000, 20_000
_SPOKEN = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "MERGE", "REPLACE", "TRUNCATE", "VALUES"})
"""Statements whose words are those of tables and columns. Of others only the verb is kept: SET takes a bare value."""
_CONTROL = frozenset({"", "SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT", "START", "SET", "SHOW", "PRAGMA"})
_REMARK = r"--[^\n]*|/\*(?:[^*]|\*(?!/))*\*/"
_PARTS = r"""
      (?P<run>(?:[^\W\d][\w$]*+(?!['&])|[\s.,()=*]+{run_quoted})++)
    | (?P<remark>{remark})
    | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$
    | [eE]'(?:[^'\\]|\\.|'')*'
    | (?:[nNbBxX]|[uU]&)?'(?:{inside})*'
    | (?P<quoted>"(?:{inside_quoted})*"|`[^`]*`)
    | (?P<name>[^\W\d][\w$]*)
    | %\(\w+\)s | %s | \$\d+ | (?<!:):(?!:)\w+ | \d[\w.]*
"""


def _parts(
    remark: str = _REMARK, inside: str = "[^']|''", inside_quoted: str = '[^"]|""', run_quoted: str = ""
) -> re.Pattern[str]:
    filled = _PARTS.format(remark=remark, inside=inside, inside_quoted=inside_quoted, run_quoted=run_quoted)
    return re.compile(filled, re.VERBOSE | re.DOTALL)


_PLAIN = _parts()
_BY_VENDOR = {
    "postgresql": _parts(run_quoted='|"(?:[^"]|"")*+"'),
    "mysql": _parts(remark=rf"\#[^\n]*|{_REMARK}", inside=r"[^'\\]|\\.|''", inside_quoted=r'[^"\\]|\\.|""'),
}
_VERB = re.compile(r"(?:\s|\(|--[^\n]*\n|/\*(?:[^*]|\*(?!/))*\*/)*([A-Za-z]*)")
_CAST = r"\?(?:::[\w\[\]]+)?"
_LIST = re.compile(rf"\(\s*{_CAST}(?:\s*,\s*{_CAST})+\s*\)")
_HOLES = re.compile(_LIST.pattern.replace(r"\?", "%s"))
_HOLES_AGAIN = re.compile(r"(\(%s\))(?:\s*,\s*\(%s\))++")
_AGAIN = re.compile(r"(\([^()]*\))(?:\s*,\s*\1)+")
_LEFT = re.compile(r"""['"`]|/\*|\*/|\$\w*\$|\\""")
_NAMES = re.compile(r'"[\w$. -]*"|`[\w$. -]*`')
_COMPARED = re.compile(r"(?:[=<>]|\blike)\s*$", re.IGNORECASE)
_LOCKS = re.compile(r"\bFOR\s+(?:NO\s+KEY\s+|KEY\s+)?(?:UPDATE|SHARE)\b", re.IGNORECASE)


def shape(sql: str, vendor: str) -> str:
    """The statement as one line without values; its verb where it cannot be told apart; empty where it is none.

    "vendor" is Django's name of the database, or empty where nobody knows it.
    """
    found = _VERB.match(sql)
    verb = found[1].upper() if found else ""
    if verb in _CONTROL:
        return ""
    if verb not in _SPOKEN or (not vendor and "\\" in sql):
        return verb
    if len(sql) > _LONG:
        # Long ones are lists of holes; inside of a literal this changes nothing that is kept.
        sql = _HOLES_AGAIN.sub(r"\1", _HOLES.sub("(%s)", sql[:_READ]))[:_LOOKED_AT]
    text = _BY_VENDOR.get(vendor, _PLAIN).sub(lambda match: _without(match, vendor), sql)
    if _LEFT.search(_NAMES.sub("", text)):
        return verb
    text = _AGAIN.sub(r"\1", _LIST.sub(f"({HOLE})", " ".join(text.split())))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."


def binds(text: str) -> bool:
    """Whether a shape may write, or locks rows: a transaction holds these together."""
    return not text.startswith(("SELECT", "select", "(", "VALUES")) or _LOCKS.search(text) is not None


def _without(match: re.Match[str], vendor: str) -> str:
    if match["remark"] is not None:
        return " "
    if match["run"] is not None or match["name"] is not None:
        return match[0]
    if match["quoted"] is None:
        return HOLE
    if match[0][0] == "`":
        return match[0]
    # MySQL's texts may stand in these quotes, and SQLite takes a name that it does not know for a text.
    before, after = match.string[max(0, match.start() - 8) : match.start()], match.string[match.end() :][:1]
    return HOLE if vendor == "mysql" or (after != "." and _COMPARED.search(before)) else match[0]
