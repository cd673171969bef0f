"""What a command shows: lines and progress on standard error, results on standard output.

File names may come from anywhere, so control characters in a line are shown as escapes: the
terminal would obey them.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

import click

from monetize.messages import printable
from monetize.progress import Reporter, Stage
from monetize.standard_streams import write_error

if TYPE_CHECKING:  # it imports tqdm
    from monetize.cli.progress_display import BarStage

# Replacements for characters that the encoding of a stream does not have.
PLAIN = {"✓": "ok ", "✗": "NOT", "·": "-", "×": "x"}


def encodable(text: str, stream: TextIO | None) -> str:
    """Replace or escape the characters that a stream's encoding does not have."""
    # The stream of a notebook or a test may have neither attribute.
    encoding = getattr(stream, "encoding", None) or "utf-8"
    errors = getattr(stream, "errors", None) or "strict"
    for sign, plain in PLAIN.items():
        if sign in text and not _fits(sign, encoding):
            text = text.replace(sign, plain)
    if _fits(text, encoding, errors):
        return text
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _fits(text: str, encoding: str, errors: str = "strict") -> bool:
    try:
        text.encode(encoding, errors)
    except UnicodeEncodeError:
        return False
    return True


class Terminal(Reporter):
    """Draws progress bars on a terminal; writes occasional plain lines elsewhere."""

    def __init__(self, *, quiet: bool = False, verbose: bool = False) -> None:
        self.quiet = quiet
        self.verbose = verbose
        self._bar: BarStage | None = None

    def say(self, text: str) -> None:
        """Show a line, unless quiet."""
        if not self.quiet:
            self._show(text, err=True)

    def warn(self, text: str) -> None:
        """Show a warning, even if quiet."""
        self._show(f"Warning: {text}", err=True)

    def error(self, *lines: str) -> None:
        """Show the lines of an error, even if quiet."""
        for line in lines:
            self._show(line, err=True)

    def result(self, *columns: str) -> None:
        """Write a line of the result, its columns separated by tabs, to standard output."""
        self._show(*columns, err=False)

    def data(self, content: bytes) -> None:
        """Write a table for programs to standard output, unchanged unless that is a terminal."""
        if sys.stdout.isatty():
            for line in content.decode(errors="surrogateescape").splitlines():
                self.result(line)
        else:
            click.echo(content, nl=False)

    @property
    def lost_reader(self) -> bool:
        """Whether nobody can read results any more, because their reader or the disk is gone."""
        return write_error(sys.stdout) is not None

    def _show(self, *columns: str, err: bool) -> None:
        text = "\t".join(map(printable, columns))
        text = encodable(text, sys.stderr if err else sys.stdout)
        if self._bar is None:
            click.echo(text, err=err)
        else:
            with self._bar.bar.external_write_mode(file=sys.stderr):
                click.echo(text, err=err)

    @contextmanager
    def stage(self, label: str, total: int, unit: str, done: int = 0) -> Iterator[Stage]:
        """Show the progress of a stage with its rate and the time left."""
        if self.quiet:
            yield Stage()
            return
        from monetize.cli.progress_display import BarStage, LineStage

        if sys.stderr.isatty():
            self._bar = BarStage(label, total, unit, done, sys.stderr)
            try:
                yield self._bar
            finally:
                bar, self._bar = self._bar, None
                bar.end()
        else:
            stage = LineStage(label, total, unit, done, self.say)
            yield stage
            stage.end()


def to_json(value: object) -> bytes:
    """Return JSON with every character beyond ASCII escaped, control characters among them."""
    return _to_json(value, indent=2)


def to_json_line(value: object) -> bytes:
    """Return the same on a single line, as .jsonl files have it."""
    return _to_json(value, indent=None)


def _to_json(value: object, indent: int | None) -> bytes:
    import json

    # json leaves DEL as it is, the only control character of ASCII that it does not escape.
    return json.dumps(value, indent=indent).replace("\x7f", "\\u007f").encode() + b"\n"


def quieten_libraries(terminal: Terminal) -> None:
    """Turn off the messages of the model libraries, unless verbose; call before importing them."""
    from monetize.home_folder import ensure_home  # not needed for --help

    ensure_home()
    level = "warning" if terminal.verbose else "error"
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", level)
    os.environ.setdefault("DIFFUSERS_VERBOSITY", level)
    # Otherwise transformers starts a thread that asks the hub for another file format.
    os.environ.setdefault("DISABLE_SAFETENSORS_CONVERSION", "1")
    if terminal.quiet or not sys.stderr.isatty():
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")


def load_libraries(terminal: Terminal) -> None:
    """Import the model libraries, which takes seconds, with their progress bars off."""
    terminal.say("Loading the model libraries ...")
    quieten_libraries(terminal)
    import diffusers
    import transformers

    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()
