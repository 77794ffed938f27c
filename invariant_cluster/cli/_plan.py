"""What fit is going to do."""

from __future__ import annotations

from sklearn.pipeline import Pipeline


def describe_plan(pipe: Pipeline) -> str:
    """Return the stages of a fit as a sentence.

    Parameters
    ----------
    pipe : Pipeline
        Unfitted embedder and clusterer.

    Returns
    -------
    str
        Names of embedders, those without training first, and of the clusterer.

    Examples
    --------
    >>> from invariant_cluster import make_pipeline
    >>> from invariant_cluster.cli._plan import describe_plan
    >>> print(describe_plan(make_pipeline(3, features="scattering")))
    Stages: ScatteringEmbedder, SCANClusterer, labels, report.
    """
    embedder, clusterer = pipe[0], pipe[-1]
    members = [member for _, member in getattr(embedder, "embedders", [])] or [embedder]
    # In the order in which a JointEmbedder fits them.
    members.sort(key=lambda member: hasattr(member, "max_epochs"))
    names = [type(step).__name__ for step in (*members, clusterer)]
    return f"Stages: {', '.join([*names, 'labels', 'report'])}."
