"""One warning for images that drifted."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from invariant_cluster.drift._finding import Finding
from invariant_cluster.drift._span import Span, likely_cause

# Whether the warning was given already in the context; None outside of one.
_told: ContextVar[list[bool] | None] = ContextVar("_told", default=None)


class DriftWarning(UserWarning):
    """New images are unlike those on which a model was fitted.

    See Also
    --------
    check_drift : Compare the images in a table.
    """


@contextmanager
def one_warning(*, silent: bool = False) -> Iterator[list[bool]]:
    """Give at most one warning of drift inside the context.

    Parameters
    ----------
    silent : bool, default=False
        Whether to give none, since the images were changed on purpose.

    Yields
    ------
    list of one bool
        Whether the warning was given.

    See Also
    --------
    warn_of_drift : Give the warning.
    """
    outer = _told.get()
    told = [silent] if outer is None else outer
    token = _told.set(told)
    try:
        yield told
    finally:
        _told.reset(token)


def is_told() -> bool:
    """Return whether a further warning would not be given."""
    told = _told.get()
    return told is not None and told[0]


def warn_of_drift(
    findings: Sequence[Finding], old: Span, new: Span, n_images: int
) -> None:
    """Warn if a finding is drift, unless that is told already.

    Parameters
    ----------
    findings : sequence of Finding
        How new images compare with the training images.
    old : Span
        Values of the training images.
    new : Span
        Values of the new images.
    n_images : int
        Number of new images.

    See Also
    --------
    one_warning : Give at most one in a context.
    """
    drifted = [found for found in findings if found.is_drift]
    if not drifted or is_told():
        return
    told = _told.get()
    if told is not None:
        told[0] = True
    aspects = ", ".join(_quote(found) for found in drifted)
    warnings.warn(
        f"The {n_images:,} new image(s) are not like the training images: "
        f"{likely_cause(old, new, findings)} Training: {old}. New: {new}. Drifted: "
        f"{aspects}. Clusters of such images mean little: prepare them as the training "
        "images were, or fit a model on them. check_drift(model, X) returns the table.",
        DriftWarning,
        stacklevel=2,
    )


def _quote(found: Finding) -> str:
    if found.low != found.low:  # a share has no range
        return f"{found.aspect} ({found.new:.0%})"
    return f"{found.aspect} ({found.training:.3g} -> {found.new:.3g})"
