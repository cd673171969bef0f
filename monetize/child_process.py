"""Child processes that end with their parent and leave Ctrl-C to it, from their first moment.

Importing this takes no time, so that both hold while a child imports what it runs.
"""

import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any


def start_child(target: Callable[..., None], *args: Any) -> tuple[BaseProcess, Connection]:
    """Run `target(pipe, *args)` in a new process; returns it and our end of the pipe.

    The target and its arguments are pickled. The pipe ends when either process does.
    """
    context = multiprocessing.get_context("spawn")  # CUDA does not survive a fork
    ours, theirs = context.Pipe()
    pickled = pickle.dumps((target, args))
    process = context.Process(target=_run, args=(theirs, pickled), daemon=True)
    with _ctrl_c_blocked():
        process.start()
    theirs.close()
    return process, ours


def _run(pipe: Connection, pickled: bytes) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_end_with_parent, daemon=True).start()
    target, args = pickle.loads(pickled)  # this imports what the target needs
    target(pipe, *args)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


@contextmanager
def _ctrl_c_blocked() -> Iterator[None]:
    """Hold back Ctrl-C for this process; children that start meanwhile inherit that."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # Starting its tracker lets signals through again, so that has to come first.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
