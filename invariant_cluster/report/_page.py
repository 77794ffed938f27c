"""Rendering of the page from its templates."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Any

_TEMPLATES = files(__package__) / "templates"
_SEPARATOR = re.compile(r"[_/-]")
_NOTHING = "\N{EN DASH}"


def render_page(**content: Any) -> str:
    """Return the report as HTML.

    Parameters
    ----------
    **content : object
        Variables of the templates.

    Returns
    -------
    str
        The page. All values are escaped.
    """
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        loader=FunctionLoader(_read_template),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        percent=_percent, decimals=_decimals, compact=_compact, breakable=_breakable
    )
    return environment.get_template("report.html").render(**content)


def _read_template(name: str) -> str:
    """Return the text of a template."""
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _breakable(name: str) -> Any:
    """Return a name as HTML that breaks behind its separators, not within a word."""
    from markupsafe import Markup, escape

    return Markup(_SEPARATOR.sub(r"\g<0><wbr>", str(escape(name))))


def _percent(value: float | None) -> str:
    """Format a share as percent; a dash for None."""
    return _NOTHING if value is None else f"{100 * value:.1f} %"


def _decimals(value: float | None) -> str:
    """Format a number with two decimals; a dash for None."""
    return _NOTHING if value is None else f"{value:.2f}"


def _compact(value: float) -> str:
    """Format a number with three significant digits."""
    return f"{value:.3g}"
