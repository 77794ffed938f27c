"""What the command line says."""

from __future__ import annotations

import typer

from invariant_cluster.training import current_team


def say(text: str) -> None:
    """Print to stderr, so that results on stdout can go to a pipe."""
    if current_team().is_first:
        typer.echo(text, err=True)
