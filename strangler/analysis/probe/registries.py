"""What Django's registries hold, as plain values: apps, models, receivers, admin pages, tasks, routes."""

from __future__ import annotations

import functools
import sys
import weakref
from typing import Any, Dict, Iterator, List, Tuple

from django.apps import apps
from django.conf import settings
from django.dispatch import Signal
from django.urls import get_resolver

Found = Dict[str, Any]

_DEEPEST = 20


def registries() -> Found:
    """All but the routes. Asks no database."""
    models = [model for model in apps.get_models(include_swapped=True) if not model._meta.auto_created]
    return {
        "user": settings.AUTH_USER_MODEL,
        "apps": [{"label": config.label, "package": config.name} for config in apps.get_app_configs()],
        "models": [_model(model) for model in models],
        "receivers": list(_receivers(models)),
        "admin": list(_admin()),
        "tasks": _tasks(),
    }


def routes() -> List[Found]:
    """Those of ROOT_URLCONF, whole, in its order."""
    return list(_routes(get_resolver().url_patterns, settings.ROOT_URLCONF, [], [], 0))


def _model(model: Any) -> Found:
    meta = model._meta
    local = [*meta.local_fields, *meta.local_many_to_many]
    local += [field for field in meta.private_fields if not getattr(field, "mti_inherited", False)]
    return {
        "label": meta.label,
        "module": model.__module__,
        "name": model.__qualname__,
        "table": meta.db_table,
        "proxy": meta.proxy,
        "managed": meta.managed,
        "swapped": meta.swapped or "",
        "key": meta.pk.name if meta.pk is not None else "",
        "parents": [parent._meta.label for parent in meta.parents],
        "managers": [manager.name for manager in meta.managers],
        "columns": [field.name for field in local if _kind(field) == ""],
        "relations": [_relation(field) for field in local if _kind(field)],
    }


def _kind(field: Any) -> str:
    name = type(field).__name__
    if "GenericForeignKey" in name:
        return "generic key"
    if not field.is_relation or field.remote_field is None:
        return ""
    if "GenericRel" in type(field.remote_field).__name__:
        return "generic relation"
    if field.many_to_many:
        return "many-to-many"
    if field.one_to_one:
        return "one-to-one"
    return "foreign key" if field.many_to_one else ""


def _relation(field: Any) -> Found:
    found = {"name": field.name, "kind": _kind(field)}
    remote = field.remote_field
    if remote is None:
        return found
    through = getattr(remote, "through", None)
    found["target"] = _label(remote.model)
    found["on_delete"] = getattr(getattr(remote, "on_delete", None), "__name__", "")
    found["parent"] = bool(getattr(remote, "parent_link", False))
    found["column"] = field.column or ""
    found["constrained"] = bool(getattr(field if found["kind"] != "many-to-many" else remote, "db_constraint", True))
    if through is not None:
        found["through"] = "" if isinstance(through, str) or through._meta.auto_created else through._meta.label
        found["table"] = "" if isinstance(through, str) else through._meta.db_table
    if found["kind"] == "generic relation":
        found["query"] = remote.related_query_name or ""
    elif not isinstance(remote.model, str):
        found["accessor"] = "" if remote.hidden else remote.get_accessor_name() or ""
        found["query"] = "" if remote.hidden else field.related_query_name()
    return found


def _label(model: Any) -> str:
    return model if isinstance(model, str) else model._meta.label


def _receivers(models: List[Any]) -> Iterator[Found]:
    """Functions that are connected, each with the model that they listen to; empty for any."""
    senders = {id(model): model._meta.label for model in models}
    signals: Dict[int, Tuple[str, Any]] = {}
    for loaded in list(sys.modules.values()):
        names = getattr(loaded, "__dict__", None)
        for name, value in list(names.items()) if isinstance(names, dict) else ():
            if issubclass(type(value), Signal):  # which asks no lazy object what it is
                signals.setdefault(id(value), (name, value))
    for name, signal in signals.values():
        for entry in signal.receivers:
            receiver = entry[1]() if isinstance(entry[1], weakref.ReferenceType) else entry[1]
            if receiver is not None:
                module, qualified = _origin(receiver)
                yield {"signal": name, "sender": senders.get(entry[0][1], ""), "module": module, "name": qualified}


def _admin() -> Iterator[Found]:
    sites = sys.modules.get("django.contrib.admin.sites")
    for site in getattr(sites, "all_sites", ()):
        for model, admin in site._registry.items():
            yield {"model": model._meta.label, "module": type(admin).__module__, "name": type(admin).__qualname__}


def _tasks() -> List[Found]:
    """Those of Celery's current app, where Celery is loaded."""
    if "celery" not in sys.modules:
        return []
    found: Any = sys.modules["celery"].current_app.tasks
    return [
        {"task": name, "module": _origin(task.run)[0], "name": _origin(task.run)[1]}
        for name, task in sorted(found.items())
        if not name.startswith("celery.")
    ]


def _routes(
    patterns: Any, module: str, pieces: List[List[str]], spaces: List[List[str]], depth: int
) -> Iterator[Found]:
    for entry in patterns if depth < _DEEPEST else ():
        whole = [*pieces, _piece(entry.pattern)]
        if hasattr(entry, "url_patterns"):
            inner = getattr(entry.urlconf_module, "__name__", module)
            below = [*spaces, [entry.namespace or "", entry.app_name or ""]]
            yield from _routes(entry.url_patterns, inner, whole, below, depth + 1)
        else:
            name = entry.name if isinstance(entry.name, str) else ""
            view_module, view = _origin(entry.callback)
            yield {
                "urlconf": module,
                "pieces": whole,
                "name": name,
                "namespaces": [space for space, _ in spaces if space],
                "apps": [app for _, app in spaces if app],
                "module": view_module,
                "view": view,
                "is_api": any("rest_framework" in base.__module__ for base in _classes(entry.callback)),
            }


def _piece(pattern: Any) -> List[str]:
    kind = type(pattern).__name__
    if kind == "LocalePrefixPattern":
        return ["locale", ""]
    if hasattr(pattern, "_route"):
        return ["route", str(pattern._route)]
    return ["regex", str(getattr(pattern, "_regex", pattern))]


def _classes(view: Any) -> Tuple[type, ...]:
    found = getattr(view, "cls", None) or getattr(view, "view_class", None)
    return found.__mro__ if isinstance(found, type) else ()


def _origin(view: Any) -> Tuple[str, str]:
    """(module, name) of the class or function that is behind decorators, as_view() and the like."""
    for _ in range(_DEEPEST):
        if _classes(view):
            view = _classes(view)[0]
        elif isinstance(view, functools.partial):
            view = view.func
        elif hasattr(view, "__wrapped__"):
            view = view.__wrapped__
        elif hasattr(view, "__self__") and not isinstance(view.__self__, type):
            view = type(view.__self__)
        else:
            break
    if not hasattr(view, "__qualname__"):
        view = type(view)
    # What is made on the way bears the name of what it is made for, as classes of api_view() do.
    same = view.__qualname__.rpartition(".")[2] == view.__name__
    return str(view.__module__), view.__qualname__ if same else view.__name__
