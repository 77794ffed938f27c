"""What the options of wafer maps say."""

from __future__ import annotations

from invariant_cluster.cli._choices import Kind


def parse_palette_option(text: str | None, kind: Kind) -> dict[str, str] | str | None:
    """Return the palette that --palette or --kind asks for.

    Parameters
    ----------
    text : str or None
        "auto", "none", or colours and meanings: "white=outside,green=pass,red=fail".
    kind : Kind
        Without the option, colours of wafers are found, and others are kept.

    Returns
    -------
    dict of str to str, "auto" or None
        As ``palette`` of ``load_image_folder``.

    Raises
    ------
    ValueError
        If the text is something else, or a colour is there twice.
    """
    if text is None:
        return "auto" if kind is Kind.wafers else None
    if text in ("auto", "none"):
        return "auto" if text == "auto" else None
    parts = [part.partition("=") for part in text.split(",")]
    pairs = [(color.strip(), role.strip()) for color, _, role in parts]
    if not all(color and role for color, role in pairs):
        raise ValueError(
            f"--palette {text} is not understood: give auto, none, or the meaning of "
            "each colour, such as white=outside,green=pass,red=fail."
        )
    if len(dict(pairs)) < len(pairs):
        raise ValueError(f"--palette {text} names a colour twice: name each one once.")
    return dict(pairs)


def parse_bins(text: str | None) -> tuple[str, ...] | None:
    """Return the bins that --pass-bins names.

    Parameters
    ----------
    text : str or None
        Bins joined by commas.

    Returns
    -------
    tuple of str or None
        The bins; None without the option.

    Raises
    ------
    ValueError
        If a bin is empty.

    Examples
    --------
    >>> parse_bins("1, 2")
    ('1', '2')
    """
    if text is None:
        return None
    bins = tuple(part.strip() for part in text.split(","))
    if not all(bins):
        raise ValueError(f"--pass-bins {text!r} has an empty bin: give such as 1,2.")
    return bins
