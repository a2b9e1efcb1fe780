"""The one exception that a user is meant to read."""


class InputError(Exception):
    """Something outside the code is wrong: a file, a setting, the network, the machine.

    The message is a sentence that names the file or setting, what was found, what was expected
    and what to do. The command line prints it without a traceback and exits with status 2.
    """
