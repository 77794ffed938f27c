"""Parameters of each step, and the versions of the packages."""

from __future__ import annotations

import inspect
import platform
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from invariant_cluster.inspection import named_steps_of

_LONGEST = 200
# By name: this file must not import the top of the package, which holds the version.
_PACKAGES = {
    "invariant_cluster": "invariant_cluster",
    "torch": "torch",
    "skorch": "skorch",
    "scikit-learn": "sklearn",
    "NumPy": "numpy",
}


@dataclass(frozen=True)
class Parameter:
    """A parameter of a step.

    Attributes
    ----------
    name : str
        Name of the parameter.
    value : str
        Its value as text, at most 200 characters.
    changed : bool
        Whether the value differs from the default.
    """

    name: str
    value: str
    changed: bool


@dataclass(frozen=True)
class Step:
    """A step of the pipeline.

    Attributes
    ----------
    name : str
        Name of the step in the Pipeline.
    estimator : str
        Class of the step.
    parameters : list of Parameter
        All parameters of the step.
    """

    name: str
    estimator: str
    parameters: list[Parameter]


def list_settings(pipeline: Any) -> list[Step]:
    """Return the parameters of every step of a pipeline.

    Parameters
    ----------
    pipeline : Pipeline
        Model of the report.

    Returns
    -------
    list of Step
        Steps that have parameters, in order.

    See Also
    --------
    list_versions : List the versions of the packages.
    """
    return [
        Step(name, type(step).__name__, _list_parameters(step))
        for name, step in named_steps_of(pipeline)
        if hasattr(step, "get_params")
    ]


def _list_parameters(step: Any) -> list[Parameter]:
    """Return the parameters of one step."""
    defaults = inspect.signature(type(step)).parameters
    return [
        Parameter(name, _shorten(repr(value)), _is_changed(value, defaults.get(name)))
        for name, value in step.get_params(deep=False).items()
    ]


def _is_changed(value: Any, parameter: inspect.Parameter | None) -> bool:
    """Return whether a value differs from the default of its parameter."""
    return parameter is None or repr(value) != repr(parameter.default)


def _shorten(text: str) -> str:
    """Return the text, cut to 200 characters."""
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def list_versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that made the report.

    Returns
    -------
    dict of str to str
        Version by name.

    See Also
    --------
    list_settings : List the parameters of the steps.
    """
    versions = {
        name: str(import_module(package).__version__)
        for name, package in _PACKAGES.items()
    }
    return {"Python": platform.python_version(), **versions}
