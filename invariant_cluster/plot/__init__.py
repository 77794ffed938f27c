"""Displays, as in scikit-learn: ``from_...`` computes, ``plot`` draws."""

from ._label_free_curve_display import LabelFreeCurveDisplay

__all__ = ["LabelFreeCurveDisplay"]
