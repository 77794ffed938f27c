"""Parameters of Python in the words of the command line.

Errors and warnings of the package name parameters, as in color='grey'. Who typed a
command knows options: --color grey.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

import typer

_FIT = "fit"
# Options that are not called as the parameters that they set.
_PARAMETERS = {
    "epochs": "max_epochs",
    "jobs": "n_jobs",
    "key": "dataset",
    "method": "features",
    "sample": "max_images",
    "seed": "random_state",
}
_VALUES = {("features", "learned"): "irl-inr"}
# Values of a parameter that are an option without a value, or no option.
_FLAGS = {("on_error", "skip"): "--skip-unreadable"}
_UNSET = (("max_epochs", "auto"),)
_NO_VALUE = ("None", "False")
_PATH = "path"  # of a model, an argument: its value says what it is

_ALONE = r"(?<![\w./\\'\"-])"  # before a name: no part of a path, a string, an option
_VALUE = r"(?:'[^']*'|\"[^\"]*\"|\([^()]*\)|\[[^][]*\]|\{[^{}]*\}|[-+]?[\w.+]*\w)"
_GIVEN = re.compile(rf"{_ALONE}(?P<name>[a-z]\w*)=(?P<value>{_VALUE})?(?![\w=])")
_CONSTRAINED = re.compile(r"The '(?P<name>\w+)' parameter of \w+")
_SNAKE = re.compile(
    rf"{_ALONE}(?P<name>[a-z]+(?:_[a-z]+)+|invariance)(?![\w/\\=(]|\.\w)"
)
_CALL = re.compile(r"(?P<before>^|(?<=\. ))(?=[a-z_]+\([^)]*\) )")
# Texts name the option in brackets beside the parameter, which is one now.
_TWICE = re.compile(r"(--[\w-]+)((?: [^\s()]+)?) \((?:fit )?\1(?:\2)?\)")
_IMAGES = re.compile(r"(?<![\w(,.'])X(?= (?:is|has|holds|contains|are)\b)")


def options_of(context: typer.Context) -> dict[str, str]:
    """Return the option for each parameter that a command, or else fit, can set.

    Parameters
    ----------
    context : typer.Context
        Context of the command.

    Returns
    -------
    dict
        From names in Python to options, such as "max_epochs" to "--epochs".
    """
    group: Any = context.parent and context.parent.command
    fit = getattr(group, "commands", {}).get(_FIT)
    of_fit = {} if fit is None else _options_among(fit.params)
    others = {name: f"{option} of {_FIT}" for name, option in of_fit.items()}
    return {**others, **_options_among(context.command.params)}


def as_typed(message: str, options: Mapping[str, str]) -> str:
    """Return a message with options for the parameters that have one.

    Parameters
    ----------
    message : str
        Message that names parameters of Python.
    options : dict
        Option for each parameter.

    Returns
    -------
    str
        The message; parameters without an option are named at its end.

    Examples
    --------
    >>> from invariant_cluster.cli._words import as_typed
    >>> as_typed("Use color='grey', or lower lr.", {"color": "--color"})
    'Use --color grey, or lower lr.'
    >>> as_typed("batch_size=9 is odd.", {})
    'batch_size=9 is odd. (batch_size is a parameter of Python, without an option.)'
    """

    def given(match: re.Match[str]) -> str:
        return _option_given(match["name"], match["value"], options) or match[0]

    def named(match: re.Match[str]) -> str:
        return options.get(match["name"], match[0])

    told = _CONSTRAINED.sub(named, message)
    told = _SNAKE.sub(named, _GIVEN.sub(given, told))
    told = _IMAGES.sub("The array of images", _CALL.sub("In Python, ", told))
    told = _TWICE.sub(r"\1\2", told)
    return told + _remark(_of_python(told, options))


def _options_among(parameters: Iterable[Any]) -> dict[str, str]:
    """Return the long option of each parameter of a command, by its name in Python."""
    shown = [p for p in parameters if not getattr(p, "hidden", False)]
    longest = (max(p.opts, key=len) for p in shown)
    options = {
        o.removeprefix("--").replace("-", "_"): o for o in longest if o[0] == "-"
    }
    return {_PARAMETERS.get(name, name): option for name, option in options.items()}


def _option_given(
    name: str, value: str | None, options: Mapping[str, str]
) -> str | None:
    """Return name=value as it is typed, or None if the parameter has no option."""
    plain = _plain(value or "")
    if flag := _FLAGS.get((name, plain)):
        return flag
    if name == _PATH and plain:
        return plain
    if name not in options:
        return None
    option, of, command = options[name].partition(" of ")
    if value in _NO_VALUE or (name, plain) in _UNSET:
        return f"no {option}{of}{command}"
    plain = "" if value == "True" else _VALUES.get((name, plain), plain)
    return f"{option} {plain}".rstrip() + of + command


def _plain(value: str) -> str:
    """Return a value of Python as it is typed: a,b for (a, b), and a=b for a dict."""
    if value.startswith("{"):
        value = value.replace("'", "").replace(": ", "=")
    return value.strip("'\"()[]{}").replace(", ", ",")


def _of_python(message: str, options: Mapping[str, str]) -> list[str]:
    """Return the parameters that a message names and that are no options."""
    found = {
        match["name"]: None
        for pattern in (_GIVEN, _CONSTRAINED, _SNAKE)
        for match in pattern.finditer(message)
    }
    return [name for name in found if name not in options and name in _parameters()]


def _remark(names: list[str]) -> str:
    """Return the sentence on parameters without an option, after a blank."""
    if not names:
        return ""
    told = " and ".join(names)
    are = "are parameters" if len(names) > 1 else "is a parameter"
    return f" ({told} {are} of Python, without an option.)"


@cache
def _parameters() -> frozenset[str]:
    """Return the parameters of the estimators, and of what reads images, in Python."""
    import invariant_cluster
    from invariant_cluster.datasets import load_image_folder, open_images

    offered = [getattr(invariant_cluster, name) for name in invariant_cluster.__all__]
    return frozenset(_parameters_among([*offered, load_image_folder, open_images]))


def _parameters_among(offered: Iterable[Any]) -> Iterator[str]:
    """Yield the names of the parameters of functions and classes, but warnings."""
    for made in offered:
        is_warning = inspect.isclass(made) and issubclass(made, Warning)
        if callable(made) and not is_warning:
            yield from inspect.signature(made).parameters
