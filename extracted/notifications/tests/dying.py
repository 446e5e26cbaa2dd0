"""Processes that are killed at a chosen boundary: at a statement, or around a commit or a call of AWS."""

import itertools
import os
import signal
import traceback

from botocore.httpsession import URLLib3Session
from django.db import connection


def dies_at(number, act):
    """Run `act` in a process of its own that is killed (SIGKILL) at its so-and-so-many-th boundary.

    False where it had fewer, and came to its end.
    """
    connection.close()
    child = os.fork()
    if child == 0:
        _live_until(number, act)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0
    return False


def _live_until(number, act):
    passed = itertools.count(1)

    def boundary():
        if next(passed) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(call):
        def wrapped(*args, **kwargs):
            boundary()
            answer = call(*args, **kwargs)
            boundary()
            return answer

        return wrapped

    def statement(execute, *arguments):
        boundary()
        return execute(*arguments)

    try:
        connection.execute_wrappers.append(statement)
        connection._commit = around(connection._commit)
        URLLib3Session.send = around(URLLib3Session.send)
        act()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)
