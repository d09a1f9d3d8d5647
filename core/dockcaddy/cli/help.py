"""`dockcaddy help`."""

import click


@click.command()
@click.argument("name", metavar="[COMMAND]", required=False)
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
