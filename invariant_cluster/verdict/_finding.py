"""What one check found, and what all found together."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

LEVELS = ("good", "doubtful", "bad")
_HEADLINES = {
    "good": "Nothing found that speaks against these clusters.",
    "doubtful": "Look at the images before you rely on these clusters.",
    "bad": "Do not rely on these clusters yet.",
}


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes
    ----------
    check : str
        Name of the check, such as "stability".
    level : {"good", "doubtful", "bad"}
        What the check makes of the fit.
    value : float
        What was measured.
    limit : float
        Value at which the fit becomes doubtful.
    told : str
        What was found, as a sentence with its figures.
    cause : str
        The likely cause, as a sentence; empty if the level is "good".
    remedy : str
        What to do, as a sentence; empty if the level is "good".
    """

    check: str
    level: str
    value: float
    limit: float
    told: str
    cause: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (self.told, self.cause, self.remedy) if part)


@dataclass(frozen=True)
class Verdict:
    """What all checks of a fitted pipeline found, without labels.

    Attributes
    ----------
    findings : tuple of Finding
        One for each check that applies to the pipeline, the worst first.
    """

    findings: tuple[Finding, ...]

    @property
    def level(self) -> str:
        """The worst level of the findings: "good", "doubtful" or "bad"."""
        levels = [finding.level for finding in self.findings]
        return max(levels, key=LEVELS.index, default="good")

    @property
    def headline(self) -> str:
        """What to make of the clusters, as a sentence."""
        return _HEADLINES[self.level]

    @property
    def troubles(self) -> tuple[Finding, ...]:
        """The findings that are not good, the worst first."""
        return tuple(found for found in self.findings if found.level != "good")

    @property
    def table(self) -> pd.DataFrame:
        """One row for each check: its level, value, limit and what it tells."""
        columns = ["level", "value", "limit", "told"]
        rows = [[getattr(found, name) for name in columns] for found in self.findings]
        index = pd.Index([found.check for found in self.findings], name="check")
        return pd.DataFrame(rows, index=index, columns=columns)

    def __str__(self) -> str:
        told = [f"  {found.level}: {found}" for found in self.troubles]
        return "\n".join([f"Verdict: {self.level}. {self.headline}", *told])
