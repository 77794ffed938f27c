"""What every command runs in: its team of processes, its errors, warnings and bars."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial

import typer

from invariant_cluster.cli._speech import translating
from invariant_cluster.cli._warnings import one_line_warnings
from invariant_cluster.cli._words import as_typed, options_of

_INTERRUPTED = 130
_SHARED = ("fit", "demo")
# Errors of the input, printed as one line instead of a traceback.
_TOLD = (
    ValueError,
    TypeError,
    OSError,
    ImportError,
    FloatingPointError,
    RuntimeError,
    MemoryError,
)


@contextmanager
def running(context: typer.Context) -> Iterator[None]:
    """Print warnings and errors as lines; exit with 1, or 130 on Ctrl-C.

    Parameters
    ----------
    context : typer.Context
        Context of the command, whose options the lines name. With ``--debug`` before
        the command all warnings are printed, and errors have their traceback.
    """
    translate = partial(as_typed, options=options_of(context))
    debug = bool(context.find_root().params.get("debug"))
    try:
        with one_line_warnings(translate, of_others=debug):
            _join(context.info_name or "")
            with translating(translate), _showing_progress():
                yield
    except typer.Exit:  # a RuntimeError too
        raise
    except _TOLD as error:
        if debug:
            raise
        told = translate(_in_lines(str(error)))
        typer.secho(f"Error: {told}", fg=typer.colors.RED, err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        typer.secho("Interrupted: only the files named above were written.", err=True)
        raise typer.Exit(_INTERRUPTED) from None


def _showing_progress() -> AbstractContextManager[None]:
    """Return the context in which long work shows bars."""
    from invariant_cluster.progress import showing_progress

    return showing_progress()


def _in_lines(message: str) -> str:
    """Return a message in one line; one that lists files stays a list."""
    lines = message.splitlines()
    lists = any(line.startswith("  ") for line in lines)
    return "\n".join(lines) if lists else " ".join(map(str.strip, lines))


def _join(command: str) -> None:
    """Connect the processes of torchrun; one prints, warns, and does what none shares.

    Parameters
    ----------
    command : str
        Name of the command: fit and demo are shared.
    """
    from invariant_cluster.training import join_team

    if not join_team("auto").is_first and command not in _SHARED:
        raise typer.Exit
