"""A fence around a project's code while its registries are asked: no network, no processes, only temporary files.

It holds for whatever goes through Python. Code in C, or that calls C by itself, passes it: this is no sandbox.
"""

from __future__ import annotations

import os
import resource
import socket
import sys
from typing import Any, List, Tuple

_NETWORK = frozenset(
    {"socket.connect", "socket.sendto", "socket.sendmsg"}
    | {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}
)
_PROCESSES = frozenset(
    {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty", "pty.spawn"}
    | {"os.kill", "os.killpg"}
)
# The places of the paths among an event's arguments, and of the folder's descriptor that belongs to each.
_FILES = {
    "os.chmod": ((0, 2),),
    "os.chown": ((0, 3),),
    "os.link": ((1, 3),),
    "os.mkdir": ((0, 2),),
    "os.remove": ((0, 1),),
    "os.removexattr": ((0, None),),
    "os.rename": ((0, 2), (1, 3)),
    "os.rmdir": ((0, 1),),
    "os.setxattr": ((0, None),),
    "os.symlink": ((1, 2),),
    "os.truncate": ((0, None),),
    "os.utime": ((0, 3),),
}
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_MEMORY = 4 << 30
_OUTPUT = 64 << 20
_SECONDS = 120


class Refused(PermissionError):
    """Like a machine that does not allow it, so that a project which can do without goes on."""


def limit() -> None:
    """Bound memory, time, and the size of files."""
    for what, most in (
        (resource.RLIMIT_AS, _MEMORY),
        (resource.RLIMIT_CPU, _SECONDS),
        (resource.RLIMIT_FSIZE, _OUTPUT),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def guard(folder: str, root: str) -> List[str]:
    """Refuse from now on what is not to be, but for files below "folder". Gives the list that refusals are noted in."""
    refused: List[str] = []
    folder = os.path.realpath(folder)

    def see(event: str, arguments: Tuple[Any, ...]) -> None:
        what = ""
        if event == "open":
            path, _, flags = arguments
            if not isinstance(path, int) and flags & _WRITES and not _allowed(folder, path, None):
                what = 'to write "%s"' % _text(path)
        elif event in _FILES:
            for place, descriptor in _FILES[event]:
                at = arguments[descriptor] if descriptor is not None else None
                if not isinstance(arguments[place], int) and not _allowed(folder, arguments[place], at):
                    what = 'to change "%s" (%s)' % (_text(arguments[place]), event)
        elif event in _PROCESSES:
            what = "to start or end processes (%s %s)" % (event, _text(arguments[0]) if arguments else "")
        elif event in _NETWORK and not _is_own_name(event, arguments):
            what = "to use the network (%s)" % event
        elif event == "sqlite3.connect":
            what = 'to open the database "%s"' % _text(arguments[0])
        if what:
            refused.append("%s wants %s" % (_where(root), what))
            raise Refused("not allowed here: " + what)

    sys.addaudithook(see)
    return refused


def _allowed(folder: str, path: Any, descriptor: Any) -> bool:
    path = os.fsdecode(path)
    if isinstance(descriptor, int) and descriptor >= 0 and not os.path.isabs(path):
        path = os.path.join(os.readlink("/proc/self/fd/%d" % descriptor), path)
    path = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
    return path == "/dev/null" or ((path + os.sep).startswith(folder + os.sep) and not os.path.islink(path))


def _is_own_name(event: str, arguments: Tuple[Any, ...]) -> bool:
    """Looking up the machine's own name asks nobody; settings do so for INTERNAL_IPS."""
    own = ("localhost", "127.0.0.1", socket.gethostname())
    return event.startswith("socket.get") and _text(arguments[0]) in own


def _where(root: str) -> str:
    """The innermost line of the project's own that runs."""
    frame = sys._getframe(2)
    while frame is not None:
        name = frame.f_code.co_filename
        name = "" if name.startswith("<") else os.path.realpath(name)
        if name.startswith(root + os.sep) and "site-packages" not in name:
            return "%s:%d" % (os.path.relpath(name, root), frame.f_lineno)
        frame = frame.f_back  # type: ignore[assignment]
    return "a package"


def _text(value: Any) -> str:
    return os.fsdecode(value) if isinstance(value, (str, bytes, os.PathLike)) else repr(value)[:100]
