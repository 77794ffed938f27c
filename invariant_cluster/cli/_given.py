"""Models and images that the commands are given, read and told of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from sklearn.pipeline import Pipeline

from invariant_cluster import load_model, load_reading
from invariant_cluster.cli._arrays import check_sides, parse_numbers
from invariant_cluster.cli._choices import ColorKind
from invariant_cluster.cli._file_names import MODEL
from invariant_cluster.cli._inputs import (
    Intake,
    NamedImages,
    draw_images,
    open_path,
    read_images,
)
from invariant_cluster.cli._speech import say
from invariant_cluster.datasets import Reading, describe_palette, make_reading
from invariant_cluster.model_selection import candidate_numbers
from invariant_cluster.training import current_team

_N_NEIGHBORS = 20


def take_in(
    reading: Reading,
    key: str | None,
    channels: str | None,
    out: Path | None,
    skip_unreadable: bool,
    cache: Path | None,
    jobs: int,
) -> Intake:
    """Return how images are read, from the options of a command."""
    return Intake(
        reading,
        key=key,
        channels=parse_numbers("--channels", channels),
        exclude=() if out is None else (out,),
        on_error="skip" if skip_unreadable else "raise",
        cache=cache,
        n_jobs=jobs,
        verbose=int(current_team().is_first),
    )


def draw_for_fit(path: Path, n_most: int, intake: Intake, seed: int) -> NamedImages:
    """Read the images of a path, or a sample of them, and print how many there are."""
    given, n_images = draw_images(path, n_most, intake, seed=seed)
    _tell_images(path, given.images, n_images)
    tell_masks(given.reading)
    tell_palette(given.reading)
    if len(given.images) < n_images:
        say(
            f"Training on {len(given.images):,} of them, drawn at random (--sample): "
            "label all with predict --shards."
        )
    return given


def _tell_images(path: Path, images: Any, n_images: int) -> None:
    """Print the number and the shape of the images of a path."""
    say(f"{n_images:,} images of shape {images.shape[1:]} from {path}.")


def tell_masks(reading: Reading | None) -> None:
    """Print how masks were applied."""
    if reading is not None and reading.masks is not None:
        values = ("not 0", "0")
        shown, hidden = values[::-1] if reading.invert_masks else values
        say(
            f"Masks ({reading.masks}): the object is where they are {shown}; where "
            f"they are {hidden}, images have their background."
        )


def tell_palette(reading: Reading | None) -> None:
    """Print what the colours of wafer maps were taken for."""
    if reading is not None and isinstance(reading.palette, tuple):
        say(f"Read as wafer maps: {describe_palette(reading.palette)}.")


def open_for(pipe: Pipeline, path: Path, intake: Intake) -> Any:
    """Open images for a model, and print how many there are."""
    images = open_path(path, replace(intake, of_model=True))
    _tell_images(path, images, len(images))
    tell_masks(getattr(images, "reading", None))
    tell_palette(getattr(images, "reading", None))
    check_sides(path, images, pipe[0].layout_)
    return images


def read_for(pipe: Pipeline, path: Path, intake: Intake) -> NamedImages:
    """Return images for a model, and print how many there are."""
    given = read_images(path, replace(intake, of_model=True))
    _tell_images(path, given.images, len(given.images))
    tell_masks(given.reading)
    tell_palette(given.reading)
    check_sides(path, given.images, pipe[0].layout_)
    return given


def load_pipeline(path: Path, masks: str | None = None) -> tuple[Pipeline, Reading]:
    """Return the pipeline of a model file, and how its files were read.

    ``masks`` says where those of other images lie, if not at the same place.
    """
    file = path / MODEL if path.is_dir() else path
    pipe = load_model(file)
    if not isinstance(pipe, Pipeline):
        raise ValueError(
            f"{path} holds a single {type(pipe).__name__}: give a model that fit wrote."
        )
    if len(pipe) != 2 or not hasattr(pipe[-1], "predict_proba"):
        steps = ", ".join(type(step).__name__ for _, step in pipe.steps)
        raise ValueError(
            f"{path} holds {steps}: give a pipeline of an embedder and SCANClusterer."
        )
    reading = _reading_for(pipe, load_reading(file))
    if masks is not None:
        reading = replace(reading, masks=make_reading(masks=masks).masks)
    return pipe, reading


def count_neighbors(n_clusters: int | str, n_images: int) -> int:
    """Return 20 neighbours, or fewer for few images; check the number of clusters.

    Parameters
    ----------
    n_clusters : int or "auto"
        Number of clusters.
    n_images : int
        Number of training images.

    Returns
    -------
    int
        Neighbours of each image, below the number of images.

    Raises
    ------
    ValueError
        If there are fewer images than clusters, or too few to choose a number.
    """
    if isinstance(n_clusters, str):
        candidate_numbers(n_images)  # refuses too few images
    elif n_clusters > n_images:
        raise ValueError(
            f"--n-clusters {n_clusters} but there are only {n_images} images: use "
            "fewer clusters."
        )
    return min(_N_NEIGHBORS, n_images - 1)


def _reading_for(pipe: Pipeline, stored: Reading | None) -> Reading:
    """Return how files become images of the side and colours that a model takes."""
    n_channels, height, width = pipe[0].layout_.channels_first_shape
    color = {1: ColorKind.grey, 3: ColorKind.rgb}.get(n_channels, ColorKind.auto)
    reading = stored or Reading(size=max(height, width))
    return reading if reading.color != "auto" else replace(reading, color=color.value)
