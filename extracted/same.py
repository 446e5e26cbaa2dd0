"""Whether what the services have in common is still the same: `python extracted/same.py`.

They import nothing of each other, so that each is deployed alone. What all of them need is copied, and `same.txt` lists
the copies, a file a line. A copy may differ from the others by its service's name, and by nothing else that Python
reads.
"""

import ast
import difflib
import sys
from pathlib import Path


def differences(extracted):
    """What is not the same any more, in sentences."""
    packages = {path.name.removesuffix("_service"): path for path in sorted(extracted.glob("*/*_service"))}
    return [sentence for name in listed(extracted) for sentence in _differences(name, packages)]


def listed(extracted):
    """The files that are held to be the same."""
    lines = (extracted / "same.txt").read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def _differences(name, packages):
    found = {service: package / name for service, package in packages.items()}
    yield from (f'"{service}" has no {name}' for service, path in found.items() if not path.exists())
    there = {service: _read(path, service).splitlines() for service, path in found.items() if path.exists()}
    first = next(iter(there), "")
    for other, lines in there.items():
        if lines != there[first]:
            changed = difflib.unified_diff(there[first], lines, n=0, lineterm="")
            yield f'{name} of "{other}" is not that of "{first}": {list(changed)[3].strip()}'


def _read(path, service):
    text = path.read_text(encoding="utf-8").replace(f"{service}_service", "a_service")
    return ast.unparse(ast.parse(text.replace(f"{service.upper()}_", "A_")))


def main():
    extracted = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    found = differences(extracted)
    for sentence in found:
        sys.stdout.write(f"{sentence}\n")
    sys.stdout.write("" if found else f"{len(listed(extracted))} files are the same in all services\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
