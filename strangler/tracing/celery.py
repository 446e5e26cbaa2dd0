"""Celery's tasks, where the project has Celery: those that run, and those that are handed over."""

from __future__ import annotations

import importlib.util
from typing import Any

from strangler.tracing.recorder import Recorder
from strangler.tracing.unit import current, note_task


def listen(recorder: Recorder) -> None:
    """Listen to all tasks of the process."""
    if importlib.util.find_spec("celery") is None:
        return
    from celery import signals  # noqa: PLC0415 - there are projects without it

    def begins(task: Any, **_: Any) -> None:
        parent = current.get()
        if parent is not None:
            note_task(parent, task.name, above=1)
        unit = recorder.begin("task", task.name)
        if unit is not None:
            unit.module = task.run.__module__

    def ends(task: Any, **_: Any) -> None:
        unit = current.get()
        if unit is not None and (unit.kind, unit.name) == ("task", task.name):
            recorder.end(unit)

    def sends(sender: Any = None, **_: Any) -> None:
        unit = current.get()
        if unit is not None:
            note_task(unit, str(sender), above=1)

    def stops(**_: Any) -> None:
        recorder.flush()  # a worker's processes end without what Python does at its end

    for signal, receiver in (
        (signals.task_prerun, begins),
        (signals.task_postrun, ends),
        (signals.before_task_publish, sends),
        (signals.worker_process_shutdown, stops),
    ):
        signal.connect(receiver, weak=False, dispatch_uid=f"strangler.tracing.{receiver.__name__}")
