"""Versions of an interface: a request goes where its version is, and its client is told what becomes of that."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC
from email.utils import format_datetime

from strangler_proxy import metrics
from strangler_proxy.answers import Answer, as_json
from strangler_proxy.forwarding import Fields, values
from strangler_proxy.gateway.policies import FEATURES, Effective
from strangler_proxy.gateway.versions import Version, Versions, moment
from strangler_proxy.patterns import shape
from strangler_proxy.steps.speaking import spoken
from strangler_proxy.steps.transforming import changed_path
from strangler_proxy.steps.visit import Visit


@dataclass(frozen=True, kw_only=True)
class _Spoken:
    versions: Versions
    version: Version


class Versioning:
    """Stands first: all other policies are those of the version's own path."""

    async def enter(self, visit: Visit) -> Answer | None:
        """404, or 406 where it is not said by the path, for an unknown version; 410 for one that is gone."""
        versions = visit.policy.versions
        if versions is None:
            return None
        pattern = visit.policy.stated["versions"]
        version, said = spoken(versions, pattern, visit.target, visit.fields)
        if version is None:
            metrics.VERSIONS.labels(pattern, "unknown").inc()
            return _varied(_refusal(404 if versions.by == "path" else 406, "which version?", versions), versions)
        visit.version = version.name
        metrics.VERSIONS.labels(pattern, version.name).inc()
        if version.gone:
            answer = _refusal(410, f"the version {version.name} is gone", versions)
            return _told(_varied(answer, versions), version)
        visit.notes[_Spoken] = _Spoken(versions=versions, version=version)
        visit.version_transform = version.transform
        if version.stage:
            visit.routing.stay_at(version.stage)
        kind, _, name = versions.by.partition(":")
        if kind == "header":
            visit.fields = tuple(one for one in visit.fields if one[0].lower() != name.lower().encode())
        if (said and kind == "path") or version.path:
            _goes(visit, pattern, f"{pattern}{version.name}/" if said and kind == "path" else pattern, version)
        return None

    async def leave(self, visit: Visit, answer: Answer) -> Answer:
        """With Deprecation, Sunset and Link, and what the answer depends on."""
        found = visit.notes.get(_Spoken)
        return answer if found is None else _told(_varied(answer, found.versions), found.version)


def _goes(visit: Visit, pattern: str, sent: str, version: Version) -> None:
    path, question, query = visit.target.partition("?")
    visit.target = changed_path(path, sent, version.path or pattern) + question + query
    there = visit.routing.policy(visit.method, visit.target)
    visit.policy = _both(visit.policy, there, pattern)


def _both(sent: Effective, there: Effective | None, pattern: str) -> Effective:
    """The policies of the version's path, under those that are stated for the path as sent below the versions' own."""
    closer = {name: path for name, path in sent.stated.items() if len(shape(path)) > len(shape(pattern))}
    features = {name: getattr(sent, name) for name in FEATURES if name in closer}
    base = there or Effective(path=sent.path)
    return replace(base, **features, stated={**base.stated, **closer})


def _refusal(status: int, detail: str, versions: Versions) -> Answer:
    return as_json(
        status, {"detail": detail, "versions": [version.name for version in versions.known if not version.gone]}
    )


def _varied(answer: Answer, versions: Versions) -> Answer:
    kind, _, name = versions.by.partition(":")
    if kind == "path":
        return answer
    depends = name if kind == "header" else "Accept"
    if depends.lower() in [part.strip().lower() for part in ",".join(values(answer.fields, b"vary")).split(",")]:
        return answer
    return replace(answer, fields=(*answer.fields, (b"Vary", depends.encode())))


def _told(answer: Answer, version: Version) -> Answer:
    told: Fields = ()
    if (since := moment(version.deprecated)) is not None:
        told += ((b"Deprecation", b"@%d" % since.timestamp()),)
        told += _linked(version, "deprecation")
    if (until := moment(version.sunset)) is not None:
        told += ((b"Sunset", format_datetime(until.astimezone(UTC), usegmt=True).encode()),)
        told += _linked(version, "sunset")
    return replace(answer, fields=(*answer.fields, *told)) if told else answer


def _linked(version: Version, relation: str) -> Fields:
    return ((b"Link", f'<{version.link}>; rel="{relation}"'.encode()),) if version.link else ()
