"""Who owns a file, by CODEOWNERS as GitHub reads it: of the patterns that match, the last one counts.

https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
"""Where it may be; the first one counts, as GitHub looks for it (and GitLab, where it is not in several places)."""
_COMMENT = re.compile(r"(?:^|\s)#.*")
_SECTION = re.compile(r"\^?\[[^\]]+\](\[\d+\])?(\s|$)")
_WORD = re.compile(r"(?:\\.|[^\s\\])+")


@dataclass(frozen=True, kw_only=True)
class Owners:
    """(pattern, owners) in the file's order. "below" is where the paths that it is asked for begin, "/" at its end."""

    rules: tuple[tuple[str, str], ...] = ()
    below: str = ""
    left_out: tuple[str, ...] = ()
    """A sentence for each line that GitHub does not understand."""

    def of(self, path: str) -> str:
        """The owners of a path; empty for nobody's."""
        whole = self.below + path
        return next((owners for pattern, owners in reversed(self.rules) if _expression(pattern).match(whole)), "")


def read_owners(root: Path) -> Owners:
    """Those of the repository that a folder lies in; nobody where there is no such file."""
    for folder in (root, *root.parents):
        for place in PLACES:
            if (folder / place).is_file():
                below = root.relative_to(folder).as_posix()
                text = (folder / place).read_text(encoding="utf-8", errors="replace")
                return parse(text.splitlines(), "" if below == "." else f"{below}/")
        if (folder / ".git").exists():
            break
    return Owners()


def parse(lines: Sequence[str], below: str = "") -> Owners:
    """The rules in a file's lines; comments and the heads of GitLab's sections are left out."""
    rules, left_out = [], []
    for number, line in enumerate(lines, 1):
        words = _WORD.findall(_COMMENT.sub("", line))
        if not words or _SECTION.match(line):
            continue
        if (why := _not_understood(words[0])) is not None:
            left_out.append(f'CODEOWNERS:{number}: "{words[0]}" {why}; the line counts for nothing')
        else:
            rules.append((words[0], " ".join(words[1:])))
    return Owners(rules=tuple(rules), below=below, left_out=tuple(left_out))


def _not_understood(pattern: str) -> str | None:
    if pattern.startswith("!"):
        return "is a negation, which CODEOWNERS does not have"
    if pattern.startswith("\\#"):
        return "begins with an escaped #, which GitHub takes for a comment"
    if re.search(r"(?<!\\)\[", pattern):
        return "has a range of characters, which CODEOWNERS does not have"
    return None


@functools.cache
def _expression(pattern: str) -> re.Pattern[str]:
    """As .gitignore has it: a slash within roots the pattern, "**" is any folders, a folder is all below it.

    Unlike there, what "docs/*" matches is files alone, not all that is below a folder.
    """
    rooted = "/" in pattern.rstrip("/")
    segments = pattern.strip("/").split("/")
    *above, last = segments if rooted else ["**", *segments]
    runs = [""]
    for segment in above:
        if segment == "**":
            runs.append("")
        else:
            runs[-1] += f"{_segment(segment)}/"
    runs[-1] += ".*" if last == "**" else _segment(last)
    end = "/.*" if pattern.endswith("/") else "$" if last == "*" and rooted else "(?:/.*)?$"
    return re.compile(_anywhere(runs, "(?:[^/]*/)*?") + end, re.DOTALL)


def _segment(text: str) -> str:
    pieces = [""]
    for part in re.findall(r"\\.|\*+|.", text):
        if part[0] == "*":
            pieces.append("")
        else:
            pieces[-1] += "[^/]" if part == "?" else re.escape(part[-1])
    return _anywhere(pieces, "[^/]*?")


def _anywhere(pieces: Sequence[str], between: str) -> str:
    """One piece after the other, with anything of a kind between; of all but the last the first place will do."""
    first, *rest = pieces
    middle = "".join(f"(?>{between}{piece})" for piece in rest[:-1])
    return first + middle + "".join(f"{between}{piece}" for piece in rest[-1:])
