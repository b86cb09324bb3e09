"""How a command says no: one clear line on stderr, exit status 2, never a traceback."""

import click


class UserError(click.ClickException):
    """Something that whoever runs the command can mend: what, where, what to do."""

    exit_code = 2
