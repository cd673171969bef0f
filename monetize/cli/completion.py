"""`monetize completion`: the script that makes a shell complete commands, options and names."""

import click

from monetize.cli.help import SectionedCommand

SHELLS = ("bash", "zsh", "fish")


@click.command(cls=SectionedCommand)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print a script that makes SHELL complete commands, options, names and files.

    It completes the names of models, presets, schedulers and other choices, and files and folders
    where these are expected. bash must be 4.4 or newer.

    \b
    Examples:
      eval "$(monetize completion bash)"    in ~/.bashrc
      eval "$(monetize completion zsh)"     in ~/.zshrc, after compinit
      monetize completion fish > ~/.config/fish/completions/monetize.fish
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None  # click has one for each of SHELLS
    script = kind(ctx.find_root().command, {}, "monetize", "_MONETIZE_COMPLETE").source()
    click.echo(script)
