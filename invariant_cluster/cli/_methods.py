"""The method that fit takes, in words and as the features of ``make_pipeline``."""

from __future__ import annotations

from invariant_cluster.cli._choices import Kind, Method, Network, OldMethod
from invariant_cluster.cli._speech import say
from invariant_cluster.pipelines import KINDS, UNTRAINED

_LEARNED = "learned"
_MEANINGS = {
    Method.joint: "IRL-INR and scattering",
    Method.irl_inr: "a learned space",
    Method.scattering: "wavelets, no training",
    Method.polar: "Fourier magnitudes on rings, no training",
    Method.averages: "class averages",
}


def settle_method(method: Method, old: OldMethod | None) -> Method:
    """Return the method that --method or the older --features names.

    Parameters
    ----------
    method : Method
        Value of --method.
    old : OldMethod or None
        Value of --features.

    Returns
    -------
    Method
        The method; auto if neither is given.

    Raises
    ------
    ValueError
        If both are given.
    """
    if old is None:
        return method
    if method is not Method.auto:
        raise ValueError(
            f"--features {old} but --method {method}: omit --features, its older name."
        )
    return _as_method(old)


def choose_features(method: Method, kind: Kind, n_images: int) -> str:
    """Return the features of ``make_pipeline`` for a method, and say which it is.

    Parameters
    ----------
    method : Method
        What the user wants.
    kind : Kind
        Kind of the images.
    n_images : int
        Number of training images, for the sentence.

    Returns
    -------
    str
        One of ``pipelines.FEATURES`` but "auto".
    """
    if method is Method.auto:
        method = _as_method(KINDS[kind].features)
        why = f"chosen for {n_images:,} images of kind {kind}; --method changes it"
    else:
        why = "as --method says"
    say(f"Method: {method} ({_MEANINGS[method]}), {why}.")
    return _LEARNED if method is Method.irl_inr else method.value


def tell_unused(features: str, epochs: int | None, network: Network) -> None:
    """Print which options of training do nothing for features without training.

    Parameters
    ----------
    features : str
        What :func:`choose_features` returned.
    epochs : int or None
        Value of --epochs.
    network : Network
        Value of --network.
    """
    if features not in UNTRAINED:
        return
    given = {"--epochs": epochs is not None, "--network": network is not Network.auto}
    unused = " and ".join(option for option, is_given in given.items() if is_given)
    if unused:
        say(f"Not used: {unused}, since {features} trains no network.")


def _as_method(features: str) -> Method:
    """Return the method that is called as features in Python."""
    return Method.irl_inr if features == _LEARNED else Method(features)
