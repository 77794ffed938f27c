"""Words of remedies that suit the embedder and the clusterer at hand."""

from __future__ import annotations

from typing import Any

from invariant_cluster.verdict._evidence import Evidence

# Parameters that set how many clusters there are, as clusterers call them.
_COUNTS = ("n_clusters", "n_components")
# What to do by hand where an embedder cannot ignore a change.
_BY_HAND = {
    "brightness": "bring all images to one brightness",
    "scale": "bring all objects to one size",
    "color": "convert the images to grey",
    "translation": "put the objects in the middle of the frame",
}


def name_free_features(evidence: Evidence) -> str:
    """Return what the user asks for to get features without training."""
    return 'features="scattering"' if evidence.is_ready else "ScatteringEmbedder"


def name_of_count(evidence: Evidence) -> str | None:
    """Return the parameter that sets the number of clusters; None without one."""
    known = evidence.clusterer.get_params()
    return next((name for name in _COUNTS if name in known), None)


def ask_for_clusters(evidence: Evidence, fewer: bool = True) -> str:
    """Return how to ask for fewer clusters, or for more."""
    name = name_of_count(evidence)
    if name is None:
        return f"{'fewer' if fewer else 'more'} clusters"
    return f"a {'smaller' if fewer else 'larger'} {name}"


def leave_out(embedder: Any, word: str) -> str:
    """Return how to leave out a change of images, such as that of brightness."""
    if can_ignore(embedder, word):
        return f'add "{word}" to invariance'
    return _BY_HAND[word]


def can_ignore(embedder: Any, word: str) -> bool:
    """Return whether an embedder's ``invariance`` takes one more word.

    Parameters
    ----------
    embedder : fitted embedder
        With ``invariance``.
    word : str
        Such as "scale".

    Returns
    -------
    bool
        Whether the constraint of the parameter allows it.
    """
    wanted = {*embedder.invariance.split("+"), word}
    constraints = type(embedder)._parameter_constraints.get("invariance", [])
    options = (o for c in constraints for o in getattr(c, "options", ()))
    return any(set(option.split("+")) == wanted for option in options)


def widen_range(embedder: Any) -> str:
    """Return how to see images that use little of the intensity range."""
    known = embedder.get_params()
    remedies = []
    if known.get("stretch", "asinh") != "asinh":
        remedies.append('use stretch="asinh"')
    remedies.append(leave_out(embedder, "brightness"))
    if "intensity_range" in known:
        remedies.append("give intensity_range=(low, high)")
    told = ", ".join(remedies[:-1])
    told = f"{told}, or {remedies[-1]}" if told else remedies[-1]
    return f"{told[0].upper()}{told[1:]}."
