"""What ends a command: light, for every start imports it."""


class CommandError(Exception):
    """The command can't do what was asked; the message says in one sentence why and what to do."""
