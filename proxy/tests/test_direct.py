"""Hooks that are called on their way from mitmproxy's layers to the connections."""

import asyncio
from types import SimpleNamespace

import pytest
from mitmproxy.proxy import commands, events
from mitmproxy.proxy.layers.http import HttpRequestHook
from mitmproxy.test import tflow
from strangler_proxy.direct import DirectLayer, Unfinished
from strangler_proxy.listener import listen


class Inner:
    """A layer that starts a hook at its first event, and says something afterwards."""

    def __init__(self):
        self.heard = []
        self.hook = HttpRequestHook(tflow.tflow())

    def handle_event(self, event):
        self.heard.append(event)
        if isinstance(event, events.Start):
            yield self.hook
            yield commands.Log("said after the hook")
        else:
            yield commands.Log("went on")


def run(inner, hooks):
    told = list(DirectLayer(inner, hooks).handle_event(events.Start()))
    return [command.message if isinstance(command, commands.Log) else command for command in told]


def completed(inner):
    return [event.command for event in inner.heard if isinstance(event, events.HookCompleted)]


def test_a_hook_that_nobody_has_is_finished_at_once():
    inner = Inner()
    assert run(inner, {}) == ["said after the hook", "went on"]
    assert completed(inner) == [inner.hook]


def test_a_hook_is_called_before_anything_that_the_layer_says_later():
    inner, order = Inner(), []
    hooks = {"request": order.append}
    for command in DirectLayer(inner, hooks).handle_event(events.Start()):
        order.append(command.message)
    assert order == [inner.hook.flow, "said after the hook", "went on"]
    assert completed(inner) == [inner.hook]


def test_a_hook_that_has_to_wait_goes_to_a_task_of_its_own():
    inner = Inner()

    async def wait():
        pass

    waiting = wait()
    unfinished, said = run(inner, {"request": lambda flow: waiting})
    assert isinstance(unfinished, Unfinished)
    assert (unfinished.started, unfinished.waiting, unfinished.blocking) == (inner.hook, waiting, False)
    assert said == "said after the hook"
    assert completed(inner) == []
    waiting.close()


def test_a_request_whose_hook_fails_goes_nowhere(caplog):
    inner = Inner()
    inner.hook.flow.live = True
    run(inner, {"request": lambda flow: 1 / 0})
    assert inner.hook.flow.error.msg == inner.hook.flow.error.KILLED_MESSAGE
    assert completed(inner) == [inner.hook]
    assert 'the hook "request" failed' in caplog.text


def test_another_mitmproxy_than_the_known_one_is_refused(monkeypatch):
    monkeypatch.setattr("mitmproxy.version.VERSION", "12.0.0")
    with pytest.raises(RuntimeError, match=r"written for mitmproxy 11\.0\.2, not 12\.0\.0"):
        asyncio.run(listen("127.0.0.1", 0, "http://127.0.0.1:1", SimpleNamespace()))
