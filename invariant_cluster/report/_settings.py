"""Parameters of each step, and the versions that made the report."""

from __future__ import annotations

import inspect
import platform
from dataclasses import dataclass
from importlib import import_module
from typing import Any

_LONGEST = 200
# By name: the package's own version belongs to its top, above this file.
_PACKAGES = {
    "invariant_cluster": "invariant_cluster",
    "torch": "torch",
    "skorch": "skorch",
    "scikit-learn": "sklearn",
    "NumPy": "numpy",
}


@dataclass(frozen=True)
class Parameter:
    """A parameter's value, and whether it is another than the default."""

    name: str
    value: str
    changed: bool


@dataclass(frozen=True)
class Step:
    """A step of the pipeline."""

    name: str
    estimator: str
    parameters: list[Parameter]


def list_settings(pipeline: Any) -> list[Step]:
    """Return the parameters of every step of the pipeline."""
    return [
        Step(name, type(step).__name__, _list_parameters(step))
        for name, step in pipeline.steps
        if hasattr(step, "get_params")
    ]


def _list_parameters(step: Any) -> list[Parameter]:
    defaults = inspect.signature(type(step)).parameters
    return [
        Parameter(name, _shorten(repr(value)), _is_changed(value, defaults.get(name)))
        for name, value in step.get_params(deep=False).items()
    ]


def _is_changed(value: Any, parameter: inspect.Parameter | None) -> bool:
    return parameter is None or repr(value) != repr(parameter.default)


def _shorten(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def list_versions() -> dict[str, str]:
    """Return the versions of Python and of what the report rests on."""
    versions = {
        name: str(import_module(package).__version__)
        for name, package in _PACKAGES.items()
    }
    return {"Python": platform.python_version(), **versions}
