"""The page: templates filled, and written whole or not at all."""

from __future__ import annotations

import os
import uuid
from importlib.resources import files
from pathlib import Path
from typing import Any

_TEMPLATES = files(__package__) / "templates"
_NOTHING = "\N{EN DASH}"


def render_page(**content: Any) -> str:
    """Return the report as HTML; every value is escaped."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        loader=FunctionLoader(_read_template),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(percent=_percent, decimals=_decimals, compact=_compact)
    return environment.get_template("report.html").render(**content)


def write_whole(path: Path, text: str) -> None:
    """Write beside the path, then move there: the path never holds half a file."""
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        beside.write_text(text, encoding="utf-8")
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def _read_template(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _percent(value: float | None) -> str:
    return _NOTHING if value is None else f"{100 * value:.1f} %"


def _decimals(value: float | None) -> str:
    return _NOTHING if value is None else f"{value:.2f}"


def _compact(value: float) -> str:
    return f"{value:.3g}"
