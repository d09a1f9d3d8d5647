"""`dockcaddy help`."""

import click
from click.shell_completion import CompletionItem


def _commands(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    group = context.find_root().command
    names = group.list_commands(context) if isinstance(group, click.Group) else []
    return [CompletionItem(each) for each in names if each.startswith(begun)]


@click.command()
@click.argument("name", metavar="[COMMAND]", required=False, shell_complete=_commands)
@click.pass_context
def command(context: click.Context, name: str | None) -> int:
    """Show the help of COMMAND, or the list of commands."""
    parent = context.parent
    assert parent is not None and isinstance(parent.command, click.Group)
    if name is None:
        click.echo(parent.get_help())
        return 0
    # raises UsageError for an unknown name
    asked = parent.command.get_command(parent, name)
    assert asked is not None
    with click.Context(asked, parent, name) as inner:
        click.echo(inner.get_help())
    return 0
