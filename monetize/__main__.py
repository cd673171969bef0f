"""The `monetize` command, also as `python -m monetize`.

It handles signals and broken streams before it imports anything else.
"""

import sys
from typing import NoReturn

from monetize import standard_streams
from monetize.errors import UNREADABLE_EXIT_CODE
from monetize.interruption import MESSAGE, Interruption


def main() -> NoReturn:
    """Run a command line and exit with its code."""
    interruption = Interruption()
    interruption.install()
    try:
        standard_streams.install()
        code = _run()
    except KeyboardInterrupt:
        print(MESSAGE, file=sys.stderr)
        code = 130
    except Exception:
        # Libraries turn an interruption during their import into errors of their own.
        if interruption.received is None:
            raise
        print(MESSAGE, file=sys.stderr)
        code = 130
    code = interruption.exit_code(code)
    interruption.finish(code)
    if lost := standard_streams.lost_output():
        print(f"Error: {lost}", file=sys.stderr)
        code = 1 if code in (0, UNREADABLE_EXIT_CODE) else code
    if code > 128:
        sys.stderr.flush()
        interruption.end()
    sys.exit(code)


def _run() -> int:
    from monetize.cli import main as run_command_line

    try:
        run_command_line(prog_name="monetize")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    return 0


if __name__ == "__main__":
    main()
