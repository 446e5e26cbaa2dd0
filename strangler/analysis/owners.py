"""Who owns a file, by CODEOWNERS as GitHub and GitLab read it: of the patterns that match, the last one counts."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_PLACES = ("CODEOWNERS", ".github/CODEOWNERS", ".gitlab/CODEOWNERS", "docs/CODEOWNERS")


@dataclass(frozen=True)
class Owners:
    """(pattern, owners) in the file's order."""

    rules: tuple[tuple[str, str], ...] = ()

    def of(self, path: str) -> str:
        """The owners of a path below the repository's root; empty for nobody's."""
        found = [owners for pattern, owners in self.rules if _expression(pattern).match(path)]
        return found[-1] if found else ""


def read_owners(root: Path) -> Owners:
    """Those of the repository that a folder lies in; nobody where there is no such file."""
    for folder in (root, *root.parents):
        for place in _PLACES:
            if (folder / place).is_file():
                return parse((folder / place).read_text(encoding="utf-8", errors="replace").splitlines())
        if (folder / ".git").exists():
            break
    return Owners()


def parse(lines: Sequence[str]) -> Owners:
    """The rules in a file's lines; sections of GitLab's and comments are left out."""
    rules = []
    for line in lines:
        parts = line.partition("#")[0].split()
        if parts and not parts[0].startswith(("[", "^[")):
            rules.append((parts[0], " ".join(parts[1:])))
    return Owners(tuple(rules))


@functools.cache
def _expression(pattern: str) -> re.Pattern[str]:
    """As .gitignore has it: a slash within roots the pattern, "**" is any folders, a folder is all below it."""
    rooted = "/" in pattern.rstrip("/")
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern.strip("/"))
    signs = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    body = "".join(signs.get(part, re.escape(part)) for part in parts)
    end = "/.*" if pattern.endswith("/") else "$" if pattern.endswith("/*") else "(?:/.*)?$"
    return re.compile(("" if rooted else "(?:.*/)?") + body + end)
