"""Limits of a measure, beyond which a fit is doubtful or bad."""

from __future__ import annotations

from typing import NamedTuple

from invariant_cluster.verdict._finding import Finding


class Limits(NamedTuple):
    """Values beyond which a fit is doubtful, and bad.

    Attributes
    ----------
    doubtful : float
        Limit of doubt.
    bad : float
        Limit beyond it: above ``doubtful`` if high values are bad, else below.
    """

    doubtful: float
    bad: float

    def level(self, value: float) -> str:
        """Return "good", "doubtful" or "bad"."""
        sign = 1 if self.bad > self.doubtful else -1
        if sign * value > sign * self.bad:
            return "bad"
        return "doubtful" if sign * value > sign * self.doubtful else "good"

    def judge(
        self, check: str, value: float, told: str, cause: str, remedy: str
    ) -> Finding:
        """Return the finding of a check; a good one has no cause and no remedy."""
        level = self.level(value)
        if level == "good":
            cause = remedy = ""
        return Finding(check, level, float(value), self.doubtful, told, cause, remedy)
