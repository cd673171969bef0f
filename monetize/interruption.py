"""Signals that end a command: the first one interrupts it, a second one ends it at once.

Ctrl-C (SIGINT), SIGTERM and SIGHUP all raise KeyboardInterrupt, so a command cleans up and says how
to continue, whatever stopped it. The exit code is 128 plus the number of the signal.
"""

import atexit
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any, NoReturn

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP
MESSAGE = "Interrupted. Run the same command again."
# How torch drops an exception raised inside its call of a storage's __len__.
LOST_BY_TORCH = "could not determine the shape of object type 'torch.storage."


class Interruption:
    """Handles the signals of this process; `received` is the first that arrived."""

    def __init__(self) -> None:
        self.received: int | None = None
        self._lost = False
        self._final_code: int | None = None

    def install(self) -> None:
        """Handle the signals, except those that the parent process ignores, as nohup does.

        What is registered first runs last at exit, just before Python itself resets the signals.
        """
        for name in NAMES:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._handle)
                atexit.register(signal.signal, number, signal.SIG_IGN)
        sys.unraisablehook = self._report_unraisable

    def exit_code(self, code: int) -> int:
        """Return the exit code of an interrupted command for the signal that interrupted it."""
        return 128 + self.received if self.received and code == 130 else code

    def finish(self, code: int) -> None:
        """From now on, while Python shuts down, a signal ends the process with this code."""
        self._final_code = code

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if self._final_code is not None:
            os._exit(self._final_code)
        if self.received is not None and not self._lost:
            os.write(2, f"{MESSAGE}\n".encode())
            self.end()
        self._lost = False
        self.received = self.received or number
        raise KeyboardInterrupt

    def end(self) -> NoReturn:
        """End at once, and the child processes with this one; a job survives that.

        Python's own shutdown takes a while, in which another signal could change the exit code.
        """
        processes = sys.modules.get("multiprocessing.process")
        for child in processes.active_children() if processes else ():
            child.kill()
        os._exit(self.exit_code(130))

    def _report_unraisable(self, unraisable: Any) -> None:
        """Raise an interruption again that arrived where Python ignores it, as in `__del__`."""
        if not issubclass(unraisable.exc_type, KeyboardInterrupt):
            sys.__unraisablehook__(unraisable)
        elif self.received is not None:
            self._lost = True
            threading.Thread(target=_send_soon, args=(self.received,), daemon=True).start()


def raise_if_interrupted(error: BaseException) -> None:
    """Raise KeyboardInterrupt if a library's error may be one that the library replaced.

    Call it before an error is blamed on a file. Only the main thread is interrupted.
    """
    if threading.current_thread() is threading.main_thread() and (
        _has_received() or any(map(_is_interruption, _chain(error)))
    ):
        raise KeyboardInterrupt from error


def _has_received() -> bool:
    """Whether a signal has arrived at the installed handlers."""
    handlers = [signal.getsignal(getattr(signal, name)) for name in NAMES if hasattr(signal, name)]
    owners = [getattr(handler, "__self__", None) for handler in handlers]
    return any(isinstance(owner, Interruption) and owner.received for owner in owners)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _is_interruption(error: BaseException) -> bool:
    return isinstance(error, KeyboardInterrupt) or str(error).startswith(LOST_BY_TORCH)


def _send_soon(number: int) -> None:
    time.sleep(0.05)
    if os.name == "posix":
        signal.pthread_kill(threading.main_thread().ident or 0, number)
    else:
        signal.raise_signal(number)
