"""The command ``invariant-cluster``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line.

    Exits with a one-line message if typer is not installed.
    """
    try:
        from invariant_cluster.cli._app import app
    except ModuleNotFoundError as error:
        if error.name != "typer":
            raise
        sys.exit("invariant-cluster needs typer: run 'pip install typer jinja2 pillow'")
    app()
