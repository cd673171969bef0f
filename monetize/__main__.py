"""`python -m monetize` is the `monetize` command."""

from monetize.cli import main

main(prog_name="monetize")
