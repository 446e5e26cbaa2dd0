"""Hooks of mitmproxy's protocol layers, called directly, so that only one that has to wait costs a task.

mitmproxy runs each hook as a task over all its addons, which is most of what a request costs there. Its layers do no
input or output and know no addons; they yield commands, so the hooks are taken out on the way to the connections.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mitmproxy import flow
from mitmproxy.connection import Connection, ConnectionState
from mitmproxy.proxy import commands, events, layer, server

from strangler_proxy.attempts import Expired
from strangler_proxy.connections import CONNECT_SECONDS, is_usable

Waiting = Coroutine[Any, Any, None]
Hooks = Mapping[str, Callable[..., Waiting | None]]
"""By name. What a hook returns is what has to be awaited before its request goes on."""

log = logging.getLogger(__name__)


@dataclass
class Unfinished(commands.StartHook):  # type: ignore[misc]  # mitmproxy is not in the environment of the checks
    """Stands for a hook that has to wait; a task awaits the rest."""

    started: commands.StartHook
    waiting: Waiting
    blocking = False


class DirectLayer:
    """The outermost layer, with its hooks called."""

    def __init__(self, inner: layer.Layer, hooks: Hooks) -> None:
        self._inner = inner
        self._hooks = hooks

    def handle_event(self, event: events.Event) -> Iterator[commands.Command]:
        """The commands that are left. A finished hook is told to the layers when they have said all before it."""
        pending = deque([event])
        while pending:
            for command in self._inner.handle_event(pending.popleft()):
                if not isinstance(command, commands.StartHook):
                    yield command
                elif (waiting := self._call(command)) is not None:
                    yield Unfinished(command, waiting)
                elif command.blocking:
                    pending.append(events.HookCompleted(command))

    def _call(self, command: commands.StartHook) -> Waiting | None:
        hook = self._hooks.get(command.name)
        if hook is None:
            return None
        try:
            return hook(*command.args())
        except Exception:
            _give_up(command)
            return None


class DirectHandler(server.LiveConnectionHandler):  # type: ignore[misc]  # mitmproxy is not in the environment of the checks
    """A client's connection and those to its upstreams."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, options: Any, mode: Any, hooks: Hooks
    ) -> None:
        super().__init__(reader, writer, options, mode)
        self._hooks = hooks
        self._timer: asyncio.TimerHandle | None = None
        self.connect_seconds = CONNECT_SECONDS
        """How long the next upstream may take to accept a connection."""

    async def handle_client(self) -> None:
        """Serve until the client has gone."""
        try:
            await super().handle_client()
        finally:
            if self._timer is not None:
                self._timer.cancel()

    def can_send(self, connection: Connection) -> bool:
        """Whether an idle connection can still take a request."""
        transport = self.transports.get(connection)
        return transport is not None and is_usable(transport.reader, transport.writer)

    def pending(self, connection: Connection) -> bool:
        """Whether it was given more than its other end has taken."""
        transport = self.transports.get(connection)
        return transport is not None and transport.writer.transport.get_write_buffer_size() > 0

    def watch(self, deadline: float) -> None:
        """Have Expired come, no later than then. One timer serves all deadlines of a client, which rarely pass."""
        if self._timer is None or self._timer.when() > deadline:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = asyncio.get_running_loop().call_at(deadline, self._expire)

    def _expire(self) -> None:
        self._timer = None
        task = asyncio.create_task(self.server_event(Expired()))
        self.hook_tasks.add(task)
        task.add_done_callback(self.hook_tasks.discard)

    async def open_connection(self, command: commands.OpenConnection) -> None:
        """Connect to an upstream, or tell that it took too long, and read what it says from then on."""
        seconds, task = self.connect_seconds, asyncio.current_task()
        assert task is not None

        def give_up() -> None:
            if command.connection.state is ConnectionState.CLOSED:
                task.cancel(f"no connection within {seconds:g} seconds")

        timer = asyncio.get_running_loop().call_later(seconds, give_up)
        try:
            await super().open_connection(command)
        finally:
            timer.cancel()
            self.transports.pop(command.connection, None)  # mitmproxy keeps those that nobody answered

    async def hook_task(self, hook: Unfinished) -> None:
        """Await the rest of a hook. The client is not idle meanwhile."""
        with self.timeout_watchdog.disarm():
            try:
                await hook.waiting
            except Exception:
                _give_up(hook.started)
        if hook.started.blocking:
            await self.server_event(events.HookCompleted(hook.started))

    async def handle_hook(self, hook: commands.StartHook) -> None:
        """The hooks of the connections themselves."""
        if (own := self._hooks.get(hook.name)) is not None and (waiting := own(*hook.args())) is not None:
            await waiting


def _give_up(hook: commands.StartHook) -> None:
    """A request that nobody has decided on goes nowhere."""
    log.exception('the hook "%s" failed', hook.name)
    data = hook.args()[0]
    if isinstance(data, flow.Flow) and data.killable:
        data.kill()
