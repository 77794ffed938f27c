"""The colours of wafer maps and what each means."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

OUTSIDE, PASS, FAIL, IGNORED = ROLES = ("outside", "pass", "fail", "ignored")
AUTO = "auto"
# Upper ends of hues in degrees.
_HUES = (
    (18, "red"),
    (42, "orange"),
    (70, "yellow"),
    (165, "green"),
    (200, "cyan"),
    (260, "blue"),
    (290, "purple"),
    (340, "pink"),
    (361, "red"),
)
_HOW = "such as {'white': 'outside', 'green': 'pass', '#ff0000': 'fail'}"


class PaletteColor(NamedTuple):
    """A colour of wafer maps.

    Attributes
    ----------
    values : tuple of float
        Red, green and blue from 0 to 255; of arrays with one value a pixel, three times
        that value.
    role : {"outside", "pass", "fail", "ignored"}
        What it means. Ignored are grid lines and text.
    share : float or None, default=None
        Share of the dies that pass or fail, in the images in which it was found.
    """

    values: tuple[float, float, float]
    role: str
    share: float | None = None


Palette = tuple[PaletteColor, ...]
PaletteLike = Mapping[Any, str] | Palette | str | None


def parse_palette(given: Any) -> Palette | str | None:
    """Return a user's palette, checked.

    Parameters
    ----------
    given : mapping of str or number to str, Palette, "auto" or None
        Role of each colour, given by a name of CSS, "#rrggbb" or a number.

    Returns
    -------
    Palette, "auto" or None
        The palette.

    Raises
    ------
    ValueError
        If a colour or a role is unknown, a colour has two roles, or no colour means
        "fail" or none "pass" or "outside".
    TypeError
        If it is something else.
    ImportError
        If a name is given and Pillow, which knows the names, is not installed.
    """
    if given is None or given == AUTO:
        return given
    if isinstance(given, tuple) and all(isinstance(c, PaletteColor) for c in given):
        return given
    if not isinstance(given, Mapping):
        raise TypeError(
            f"palette={given!r} is no palette: give 'auto', or the meaning of each "
            f"colour, {_HOW}."
        )
    colors = [PaletteColor(_parse_color(c), _check_role(r)) for c, r in given.items()]
    meanings = {color.values: color.role for color in colors}
    if any(meanings[color.values] != color.role for color in colors):
        raise ValueError(
            f"palette={dict(given)!r} gives one colour two meanings: give each one."
        )
    roles = {color.role for color in colors}
    if FAIL not in roles or not roles & {OUTSIDE, PASS}:
        raise ValueError(
            f"palette={dict(given)!r} needs a colour that means 'fail' and one that "
            f"means 'pass' or 'outside', {_HOW}."
        )
    return order_palette(colors)


def order_palette(colors: Iterable[PaletteColor]) -> Palette:
    """Return colours in the order of their roles.

    Parameters
    ----------
    colors : iterable of PaletteColor
        The colours.

    Returns
    -------
    Palette
        Outside first, then pass, fail and ignored.
    """
    return tuple(sorted(colors, key=lambda color: ROLES.index(color.role)))


def describe_palette(palette: Palette) -> str:
    """Return a palette in words.

    Parameters
    ----------
    palette : Palette
        The palette.

    Returns
    -------
    str
        Such as "white (outside), green (pass, 83 %), red (fail, 17 %)".

    Examples
    --------
    >>> from invariant_cluster.datasets._palette import parse_palette
    >>> describe_palette(parse_palette({"red": "fail", "white": "pass"}))
    'white (pass), red (fail)'
    """
    name_one = _name_number if are_numbers(palette) else hue_of
    names = [name_one(color.values) for color in palette]
    return ", ".join(
        f"{_distinct(name, names, color)} ({_meaning(color)})"
        for name, color in zip(names, palette, strict=True)
    )


def _meaning(color: PaletteColor) -> str:
    """Return the role of a color, with its share of the dies."""
    if color.share is None or color.role not in (PASS, FAIL):
        return color.role
    digits = 0 if color.share >= 0.02 else 1
    return f"{color.role}, {100 * color.share:.{digits}f} %"


def _distinct(name: str, names: list[str], color: PaletteColor) -> str:
    """Return the name of a colour, with its value if another one has the name."""
    if names.count(name) == 1:
        return name
    red, green, blue = (round(value) for value in color.values)
    return f"{name} #{red:02x}{green:02x}{blue:02x}"


def are_numbers(palette: Palette) -> bool:
    """Return whether colours are numbers, such as 0, 1 and 2, and no shades of grey.

    Parameters
    ----------
    palette : Palette
        The palette.

    Returns
    -------
    bool
    """
    values = [value for color in palette for value in color.values]
    is_grey = all(len(set(color.values)) == 1 for color in palette)
    return is_grey and (min(values) < 0 or max(values) <= 16)


def _name_number(values: tuple[float, float, float]) -> str:
    """Return the number of a colour."""
    return f"{values[0]:g}"


def hue_of(values: tuple[float, float, float]) -> str:
    """Return the name of a colour's hue.

    Parameters
    ----------
    values : tuple of float
        Red, green and blue from 0 to 255.

    Returns
    -------
    str
        Such as "green"; "grey", "black" or "white" without one.

    Examples
    --------
    >>> from invariant_cluster.datasets._palette import hue_of
    >>> hue_of((20, 160, 60)), hue_of((240, 240, 240))
    ('green', 'white')
    """
    hue, saturation, value = colorsys.rgb_to_hsv(*(v / 255 for v in values))
    if value < 0.2:
        return "black"
    if saturation < 0.15:
        return "white" if value > 0.93 else "grey"
    return next(name for end, name in _HUES if 360 * hue < end)


def _check_role(role: Any) -> str:
    """Return a role, checked."""
    if role not in ROLES:
        raise ValueError(
            f"palette has the meaning {role!r}: give one of {', '.join(ROLES)}."
        )
    return str(role)


def _parse_color(color: Any) -> tuple[float, float, float]:
    """Return red, green and blue of a colour."""
    try:
        value = float(color)
    except (TypeError, ValueError):
        red, green, blue = _named_color(color)
        return float(red), float(green), float(blue)
    if not math.isfinite(value):
        raise ValueError(f"palette has the value {color!r}: give finite numbers.")
    return value, value, value


def _named_color(color: Any) -> tuple[int, ...]:
    """Return red, green and blue of a name of CSS or of "#rrggbb"."""
    try:
        from PIL import ImageColor
    except ImportError as error:
        raise ImportError(
            f"palette names the colour {color!r}, which Pillow knows: run "
            "'pip install pillow', or install this package with the extra 'images'."
        ) from error
    try:
        return ImageColor.getrgb(color)[:3]
    except (AttributeError, TypeError, ValueError) as error:
        raise ValueError(
            f"palette has the colour {color!r}, which is unknown: give a name such as "
            "'white', '#rrggbb' or, for arrays, a number."
        ) from error
