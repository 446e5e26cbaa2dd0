"""Set Django up behind the guard, and say what its registries hold, as JSON on what was the standard output."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import traceback
from types import ModuleType
from typing import Any, Dict, List

# By a word of the engine's name: the vendor, and how long a table's name may be.
_VENDORS = {"postg": ("postgresql", 63), "mysql": ("mysql", 64), "oracle": ("oracle", 30)}


def main() -> None:
    """Answer the request in the first argument: {"root", "paths", "settings", "configuration", "folder"}."""
    request = json.loads(sys.argv[1])
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the project prints goes elsewhere
    found: Dict[str, Any] = {"version": list(sys.version_info[:2])}
    if sys.version_info >= (3, 8):
        found.update(_asked(request))
    json.dump(found, answer)
    answer.flush()
    os._exit(0)  # threads of the project's do not keep it


def _asked(request: Dict[str, Any]) -> Dict[str, Any]:
    root = os.path.realpath(request["root"])
    guard, reader = _beside("guard"), _beside("registries", run=False)
    sys.path[0:1] = request["paths"]
    sys.argv[:] = ["manage.py"]
    found: Dict[str, Any] = {}
    refused: List[str] = []
    stage = "django"
    try:
        import django
        from django.conf import settings

        found["django"] = django.get_version()
        guard.limit()
        refused = guard.guard(request["folder"], root)
        stage = "settings"
        os.environ["DJANGO_SETTINGS_MODULE"] = request["settings"]
        if request["configuration"]:
            os.environ["DJANGO_CONFIGURATION"] = request["configuration"]
            importlib.import_module("configurations.importer").install()
        _without_database(settings)
        stage = "apps"
        django.setup()
        reader.__spec__.loader.exec_module(reader)
        found.update(reader.registries())
        stage = "routes"
        found["routes"] = reader.routes()
    except BaseException as error:
        found["error"] = dict(_told(error, root), stage=stage)
    found["refused"] = refused[:20]
    return found


def _without_database(settings: Any) -> None:
    """Put something in each database's place that knows its kind and refuses whatever it is asked."""
    from django.db.backends.dummy import base
    from django.db.utils import OperationalError

    def refuse(*arguments: Any, **keywords: Any) -> None:
        raise OperationalError("no database is asked while the registries are read")

    package, replaced = ModuleType("strangler_no_database"), {}
    sys.modules[package.__name__] = package
    for alias, given in settings.DATABASES.items():
        engine = str(given.get("ENGINE", "")).lower()
        vendor, longest = next((known for word, known in _VENDORS.items() if word in engine), ("sqlite", None))
        own = {"max_name_length": lambda self, most=longest: most, "quote_name": refuse}
        ops = type("Operations", (base.DatabaseOperations,), own)
        calls = ("connect", "cursor", "ensure_connection", "_cursor", "get_new_connection", "_commit", "_rollback")
        body = dict(dict.fromkeys(calls, refuse), vendor=vendor, ops_class=ops)
        module = ModuleType("strangler_no_database.%s.base" % alias)
        module.DatabaseWrapper = type("DatabaseWrapper", (base.DatabaseWrapper,), body)  # type: ignore[attr-defined]
        sys.modules[module.__name__] = module
        replaced[alias] = dict(given, ENGINE="strangler_no_database.%s" % alias)
    settings.DATABASES = replaced
    settings.LOGGING_CONFIG = None  # handlers would open their files


def _told(error: BaseException, root: str) -> Dict[str, Any]:
    """An error with what it misses, and the last line of the project's own on the way to it."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if _is_own(frame.filename, root)]
    where = os.path.basename(frames[-1].filename) if frames else ""
    message = str(error).strip().splitlines() or [""]
    if isinstance(error, SyntaxError) and error.filename:
        at = "%s:%s" % (os.path.relpath(error.filename, root), error.lineno)
    else:
        at = "%s:%d" % (os.path.relpath(own[-1].filename, root), own[-1].lineno or 0) if own else ""
    return {
        "type": type(error).__name__,
        "message": message[0][:300],
        "name": str(getattr(error, "name", None) or (error.args[0] if error.args else ""))[:300],
        "is_variable": isinstance(error, KeyError) and where in ("os.py", "<frozen os>"),
        "at": at,
    }


def _is_own(filename: str, root: str) -> bool:
    path = "" if filename.startswith("<") else os.path.realpath(filename)
    ours = os.path.dirname(os.path.realpath(__file__))
    return path.startswith(root + os.sep) and "site-packages" not in path and not path.startswith(ours)


def _beside(name: str, run: bool = True) -> Any:
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".py")
    spec = importlib.util.spec_from_file_location("strangler_" + name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    if run:
        spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
