"""Where the script `dockcaddy` begins. Importing `dockcaddy` takes a moment, in which ctrl-c ends the program without a traceback."""

import signal


def main() -> None:
    """Run the command line."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from dockcaddy.cli import main as command_line  # noqa: PLC0415  ctrl-c has to be handled before

    command_line()
