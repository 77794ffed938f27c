"""The verdict on a fit, printed in colour and in the words of the command line."""

from __future__ import annotations

import typer

from invariant_cluster.cli._speech import in_options, say
from invariant_cluster.verdict import Verdict

_COLORS = {
    "good": typer.colors.GREEN,
    "doubtful": typer.colors.YELLOW,
    "bad": typer.colors.RED,
}


def tell_verdict(verdict: Verdict) -> None:
    """Print a verdict to stderr.

    Parameters
    ----------
    verdict : Verdict
        What ``check_fit`` found. Its remedies name options as they are typed.
    """
    headline, *troubles = str(verdict).splitlines()
    say(headline, color=_COLORS[verdict.level])
    for trouble in troubles:
        say(in_options(trouble))
