"""An interruption is raised once, not lost where Python ignores it, and harmless at the end."""

import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from monetize.interruption import LOST_BY_TORCH, Interruption, raise_if_interrupted

LOST = """
import os, signal, sys, time
from monetize.interruption import LOST_BY_TORCH, Interruption, raise_if_interrupted
Interruption().install()
class Lossy:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)
try:
    Lossy()
    time.sleep(10)
except KeyboardInterrupt:
    print("interrupted")
"""


def test_an_interruption_that_python_ignores_is_raised_again() -> None:
    begin = time.monotonic()
    ended = subprocess.run([sys.executable, "-c", LOST], capture_output=True, text=True, check=True)
    assert ended.stdout == "interrupted\n"
    assert ended.stderr == ""
    assert time.monotonic() - begin < 8


def test_signals_at_the_very_end_change_nothing() -> None:
    code = """
import os, signal, atexit
from monetize import __main__
__main__._run = lambda: 3
atexit.register(lambda: os.kill(os.getpid(), signal.SIGINT))
__main__.main()
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (3, "")


def test_the_exit_code_is_that_of_the_signal() -> None:
    interruption = Interruption()
    assert interruption.exit_code(130) == 130
    interruption.received = signal.SIGTERM
    assert interruption.exit_code(130) == 143
    assert interruption.exit_code(1) == 1, "a failure is not an interruption"


SECOND = """
import os, signal, sys
from monetize.interruption import LOST_BY_TORCH, Interruption, raise_if_interrupted
Interruption().install()
try:
    os.kill(os.getpid(), signal.SIGTERM)
    signal.pause()
except KeyboardInterrupt:
    os.kill(os.getpid(), signal.SIGINT)
    signal.pause()
"""


def test_a_second_signal_ends_at_once() -> None:
    ended = subprocess.run([sys.executable, "-c", SECOND], capture_output=True, text=True)
    assert ended.returncode == 143
    assert ended.stderr == "Interrupted. Run the same command again.\n"


@pytest.mark.parametrize("code", ["import monetize.__main__", "import monetize.interruption"])
def test_signals_are_handled_before_anything_else_is_imported(code: str) -> None:
    show = "import sys; print(sorted(set(sys.modules) & {'click', 'monetize.cli', 'pathlib'}))"
    ended = subprocess.run(
        [sys.executable, "-c", f"{code}; {show}"], capture_output=True, text=True, check=True
    )
    assert ended.stdout == "[]\n"


SLOW_SHUTDOWN = """
import atexit, os, signal
from monetize import __main__
def interrupted():
    atexit.register(print, "shut down")
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()
    except KeyboardInterrupt:
        return 130
__main__._run = interrupted
__main__.main()
"""


def test_an_interrupted_process_ends_without_the_shutdown_of_python() -> None:
    ended = subprocess.run([sys.executable, "-c", SLOW_SHUTDOWN], capture_output=True, text=True)
    assert ended.returncode == 143
    assert ended.stdout == ""


def test_a_signal_that_a_library_turned_into_an_error_is_an_interruption() -> None:
    code = """
import os, signal
from monetize.interruption import Interruption, raise_if_interrupted
Interruption().install()
raise_if_interrupted(ValueError("before"))
try:
    os.kill(os.getpid(), signal.SIGTERM)
    signal.pause()
except KeyboardInterrupt:
    pass
try:
    raise_if_interrupted(ValueError("damaged"))
except KeyboardInterrupt:
    print("interrupted")
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "interrupted\n"


@pytest.mark.parametrize("origin", [KeyboardInterrupt(), ValueError(f"{LOST_BY_TORCH}Storage'")])
def test_an_interruption_is_recognized_among_the_causes_of_an_error(
    origin: BaseException,
) -> None:
    error = OSError("cannot load")
    error.__cause__ = ValueError("not text")
    error.__cause__.__context__ = origin
    with pytest.raises(KeyboardInterrupt):
        raise_if_interrupted(error)
    error.__cause__.__context__ = ValueError("damaged")
    raise_if_interrupted(error)


def test_only_the_main_thread_is_interrupted() -> None:
    error = OSError()
    error.__context__ = KeyboardInterrupt()
    with ThreadPoolExecutor() as pool:
        pool.submit(raise_if_interrupted, error).result()
