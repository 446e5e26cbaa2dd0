"""A border as rules that a build keeps: what passes it today may stay for a while, nothing may be added. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from strangler.analysis.coupling import WRITES, Coupling, Kind
from strangler.analysis.mapping import Map
from strangler.analysis.owners import Owners
from strangler.analysis.seams import Seam

IMPORTS = frozenset({Kind.IMPORT, Kind.LATE_IMPORT, Kind.STRING_IMPORT})
DATA = frozenset(
    {Kind.FOREIGN_KEY, Kind.ONE_TO_ONE, Kind.MANY_TO_MANY, Kind.GENERIC_KEY, Kind.JOIN, Kind.NAVIGATION}
    | {Kind.PER_ROW, Kind.READ, Kind.SQL}
    | WRITES
)
_WAY_OUT = {
    **dict.fromkeys(IMPORTS, "go through the interface of the other side, or move the code there"),
    **dict.fromkeys(DATA, "ask the other side, or go by a copy; only its owner reads and writes a table"),
}


@dataclass(frozen=True, order=True)
class Known:
    """A coupling without its line, which changes with every edit above it. "owner" is told, not compared."""

    kind: str
    source: str
    target: str
    path: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class Contract:
    """A border: what is inside, and how often each coupling may pass it, with owners."""

    name: str
    packages: tuple[str, ...]
    """Modules, and all that lies below them."""
    models: tuple[str, ...]
    baseline: Mapping[Known, int]
    owners: Mapping[str, str]
    """By paths."""

    @classmethod
    def from_json(cls, text: str) -> Contract:
        """Raises ValueError with one sentence."""
        try:
            given = json.loads(text)
            rows = [(Known(**row["coupling"]), int(row["times"])) for row in given["baseline"]]
            return cls(
                name=given["name"],
                packages=tuple(given["packages"]),
                models=tuple(given["models"]),
                baseline=dict(rows),
                owners={row["coupling"]["path"]: row["owner"] for row in given["baseline"]},
            )
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"this is no contract that strangler wrote ({error})") from error

    def to_json(self) -> str:
        """The text that from_json reads; one coupling a line, so that it merges and shows in reviews."""
        rows = [
            json.dumps({"coupling": vars(known), "times": times, "owner": self.owners.get(known.path, "")})
            for known, times in sorted(self.baseline.items())
        ]
        head = json.dumps({"name": self.name, "packages": self.packages, "models": self.models}, indent=1)
        lines = "".join(f"\n  {row}," for row in rows).removesuffix(",")
        return f'{head[:-2]},\n "baseline": [{lines}\n ]\n}}\n'


@dataclass(frozen=True, kw_only=True)
class Kept:
    """How a contract is kept: couplings that it does not allow, and allowances that nobody needs any more."""

    new: tuple[Coupling, ...]
    gone: tuple[Known, ...]

    def as_json(self) -> dict[str, list[dict[str, object]]]:
        """What is new with its line and the way out, and what is gone."""
        return {
            "new": [{**vars(coupling), "way_out": _WAY_OUT[coupling.kind]} for coupling in self.new],
            "gone": [dict(vars(known)) for known in self.gone],
        }

    def __str__(self) -> str:
        lines = [f"{coupling}\n  new over this border: {_WAY_OUT[coupling.kind]}" for coupling in self.new]
        lines += [f"{known.path}: {known.source} -> {known.target}, {known.kind}: is gone" for known in self.gone]
        return "\n".join(lines)


def make_contract(found: Map, seam: Seam, owners: Owners) -> Contract:
    """The contract that a seam's border keeps today, with all that passes it as its baseline."""
    apps = {app.label: app.package for app in found.summary.apps}
    packages = (apps[seam.name],) if seam.name in apps else tuple(sorted(seam.nodes - set(seam.models)))
    empty = Contract(name=seam.name, packages=packages, models=seam.models, baseline={}, owners={})
    baseline = Counter(_known(coupling) for coupling in passing(found, empty))
    paths = {known.path for known in baseline}
    return Contract(
        name=seam.name,
        packages=packages,
        models=seam.models,
        baseline=baseline,
        owners={path: owners.of(path) for path in paths},
    )


def passing(found: Map, contract: Contract) -> Iterator[Coupling]:
    """Imports and ties of the data over the border. What lies inside the packages is inside, new modules too."""
    labels = {model.label: model for model in found.summary.models}
    modules = {module.path: module.name for module in found.summary.modules if not module.test}
    of_module: dict[str, set[str]] = {}
    for model in labels.values():
        of_module.setdefault(modules.get(model.path, ""), set()).add(model.label)

    def inside(node: str) -> bool:
        if node in labels:
            return node in contract.models
        return _below(node, contract.packages) or bool(of_module.get(node, set()) & set(contract.models))

    for coupling in (*found.couplings, *found.inner):
        if coupling.kind not in _WAY_OUT or coupling.test or coupling.path not in modules:
            continue
        source = coupling.source if coupling.source in labels else modules[coupling.path]
        if inside(source) != inside(coupling.target):
            yield coupling


def check(found: Map, contract: Contract) -> Kept:
    """What a project has beyond its contract, and what the contract still allows for nothing."""
    left = Counter(contract.baseline)
    new = []
    for coupling in passing(found, contract):
        if left[_known(coupling)] > 0:
            left[_known(coupling)] -= 1
        else:
            new.append(coupling)
    return Kept(new=tuple(new), gone=tuple(sorted((+left).elements())))


def shrunk(contract: Contract, kept: Kept) -> Contract:
    """The contract without what is gone. It never grows."""
    baseline = Counter(contract.baseline)
    baseline.subtract(kept.gone)
    return Contract(
        name=contract.name,
        packages=contract.packages,
        models=contract.models,
        baseline=+baseline,
        owners=contract.owners,
    )


def import_linter(found: Map, contract: Contract) -> str:
    """The imports of it as a configuration of import-linter, for a pyproject.toml: one contract for each direction."""
    roots = sorted({module.name.partition(".")[0] for module in found.summary.modules if not module.test})
    outside = sorted({app.package for app in found.summary.apps if not _below(app.package, contract.packages)})
    inside = list(contract.packages)
    imports = [known for known in contract.baseline if known.kind in IMPORTS]
    out = sorted({f"{known.source} -> {known.target}" for known in imports if _below(known.source, inside)})
    into = sorted({f"{known.source} -> {known.target}" for known in imports if not _below(known.source, inside)})
    return "\n".join(
        (
            "[tool.importlinter]",
            f"root_packages = {json.dumps(roots)}",
            *_linted(f"Nobody imports {contract.name}", outside, inside, into),
            *_linted(f"{contract.name} imports nobody", inside, outside, out),
            "",
        )
    )


def _linted(name: str, source: Sequence[str], forbidden: Sequence[str], ignored: Sequence[str]) -> Iterator[str]:
    yield ""
    yield "[[tool.importlinter.contracts]]"
    yield f"name = {json.dumps(name)}"
    yield 'type = "forbidden"'
    yield f"source_modules = {json.dumps(source)}"
    yield f"forbidden_modules = {json.dumps(forbidden)}"
    yield "allow_indirect_imports = true"
    yield f"ignore_imports = {json.dumps(ignored, indent=4)}"
    yield 'unmatched_ignore_imports_alerting = "none"'


def _known(coupling: Coupling) -> Known:
    return Known(str(coupling.kind), coupling.source, coupling.target, coupling.path, coupling.detail)


def _below(module: str, packages: Iterable[str]) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)
