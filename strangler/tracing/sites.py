"""Where in the project's code, or in which template, something is done: at the innermost line of its own."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, TypeAlias

from django.apps import apps
from django.conf import settings
from django.template.base import Node

Site: TypeAlias = "tuple[CodeType, int] | tuple[str, int, str] | None"
"""Code with a line, a template's name with a line and its file, or None: of the framework, or not known."""

_OTHERS, _PROJECT, _TEMPLATES, _END = range(4)
_RENDER = Node.render_annotated.__code__
_DEEPEST = 250
_kinds: dict[str, int] = {
    "django.template.base": _TEMPLATES,
    # Each middleware is called from here: what lies below has only passed the request on.
    "django.core.handlers.exception": _END,
}
_LIBRARIES = tuple(
    {
        str(Path(path)) + "/"
        for name in ("stdlib", "platstdlib", "purelib", "platlib")
        if (path := sysconfig.get_path(name))
    }
)


def site(above: int) -> Site:
    """Where the frame that many calls above is called from. Hot: it runs at each statement."""
    frame: FrameType | None = sys._getframe(above)
    for _ in range(_DEEPEST):
        if frame is None:
            return None
        name = frame.f_globals.get("__name__", "")
        kind = _kinds.get(name)
        if kind is None:
            kind = _kinds[name] = _kind(name, frame.f_globals.get("__file__"))
        if kind:
            if kind == _PROJECT:
                return frame.f_code, frame.f_lineno
            if kind == _END:
                return None
            if frame.f_code is _RENDER:
                node = frame.f_locals["self"]
                if (origin := getattr(node, "origin", None)) is not None and node.token is not None:
                    return str(origin.template_name), node.token.lineno, str(origin.name)
        frame = frame.f_back
    return None


def described(at: Site) -> dict[str, Any]:
    """A site in words: its app by label, its file from the project's folder on."""
    if at is None:
        return {}
    where, line = at[:2]
    if isinstance(where, str):
        file = str(at[-1])
        if not _is_own(file):
            return {}
        return {"template": where, "path": _short(file), "line": line, "app": _app_of_template(where, file)}
    module = _module_of(where)
    return {
        "module": module,
        "function": where.co_qualname,
        "path": _short(where.co_filename),
        "line": line,
        "app": app_of(module),
    }


def app_of(module: str) -> str:
    """The label of the app that a module is in; its package in brackets where it is in none."""
    config = apps.get_containing_app_config(module) if apps.ready else None
    return config.label if config is not None else f"({module.partition('.')[0]})" if module else ""


def own_apps() -> dict[str, str]:
    """The packages of the project's own apps, by their labels."""
    return {config.label: config.name for config in apps.get_app_configs() if _is_own(config.path)}


def is_own_module(name: str) -> bool:
    """Whether a module that was loaded is the project's."""
    return _kind(name, getattr(sys.modules.get(name), "__file__", None)) == _PROJECT


def _kind(name: str, file: object) -> int:
    if not isinstance(file, str) or name.partition(".")[0] in ("strangler", "strangler_proxy"):
        return _OTHERS
    return _PROJECT if _is_own(file) else _OTHERS


def _is_own(path: str) -> bool:
    return not path.startswith(_LIBRARIES) and "/site-packages/" not in path


_modules: dict[str, str] = {}


def _module_of(code: CodeType) -> str:
    """The name of the module that a file was loaded as."""
    if code.co_filename not in _modules:
        for name, module in list(sys.modules.items()):
            if isinstance(file := getattr(module, "__file__", None), str):
                _modules.setdefault(file, name)
    return _modules.setdefault(code.co_filename, "")


def _short(file: str) -> str:
    """From the project's folder on: where a machine keeps it is nobody's business."""
    for root in (getattr(settings, "BASE_DIR", None), Path.cwd()):
        if root and Path(file).is_relative_to(root):
            return Path(file).relative_to(root).as_posix()
    return ""


def _app_of_template(name: str, file: str) -> str:
    """The app whose folder it is in, else the one that its own folder is called after."""
    inside = [config for config in apps.get_app_configs() if file.startswith(f"{config.path}/")]
    if inside:
        return max(inside, key=lambda config: len(config.path)).label
    first = name.partition("/")[0]
    return first if first in apps.app_configs else "(templates)"
