"""The commands: fit, predict, report, demo."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from sklearn.pipeline import Pipeline

from invariant_cluster import (
    __version__,
    cluster_report,
    load_model,
    make_pipeline,
    save_model,
)
from invariant_cluster.cli._choices import ColorKind, Invariance, Kind, Network
from invariant_cluster.cli._inputs import NamedImages, read_images, share_outside
from invariant_cluster.cli._outputs import (
    LABELS,
    MODEL,
    REPORT,
    describe_clusters,
    label_images,
    write_table,
)
from invariant_cluster.datasets import load_wafer_maps
from invariant_cluster.metrics import clustering_accuracy_score
from invariant_cluster.persistence import check_place
from invariant_cluster.report import import_extra

_INTERRUPTED = 130
_N_NEIGHBORS = 20
_MOST_OUTSIDE = 0.05
# Errors of the input, which a traceback would not explain.
_TOLD = (
    ValueError,
    TypeError,
    OSError,
    ImportError,
    FloatingPointError,
    RuntimeError,
    MemoryError,
)

app = typer.Typer(
    name="invariant-cluster",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)

Images = Annotated[
    Path,
    typer.Argument(
        help="A folder of images (PNG, TIFF, ...), an array (.npy, or .npz with "
        "--key), a stack of particles (.mrcs), or LSWMD.pkl."
    ),
]
Model = Annotated[
    Path, typer.Argument(help=f"The {MODEL} that fit has written, or its folder.")
]
Key = Annotated[
    str | None, typer.Option(help="Name of the images' array in an .npz file.")
]
Color = Annotated[
    ColorKind, typer.Option(help="What the files of a folder are converted to.")
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace what is there already.")
]


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"invariant-cluster {__version__}")
        raise typer.Exit


@app.callback()
def explain(
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_print_version, help="Show it."
        ),
    ] = False,
) -> None:
    """Cluster images in which orientation means nothing, without labels.

    Try it on real wafer maps:

        invariant-cluster demo

    then on yours; look at run/report.html, and apply the model to others:

        invariant-cluster fit plankton/ --n-clusters 10 --out run

        invariant-cluster predict run more_plankton/ --out more.csv
    """


@app.command()
def fit(
    images: Images,
    n_clusters: Annotated[
        int, typer.Option("--n-clusters", "-k", min=1, help="Number of clusters.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write to.")],
    kind: Annotated[
        Kind,
        typer.Option(
            help="What the images show. wafers: maps that turn but do not move, whose "
            "mirror image means the same, with dies that fail for no reason."
        ),
    ] = Kind.general,
    invariance: Annotated[
        Invariance | None,
        typer.Option(
            help="What does not change an image's meaning. Without +translation "
            "objects are taken to be centred.  [default: what suits the kind]"
        ),
    ] = None,
    size: Annotated[
        int,
        typer.Option(
            min=8,
            max=4096,
            help="Side in pixels to which the files of a folder, or the maps of "
            "LSWMD.pkl, are resized.",
        ),
    ] = 32,
    network: Annotated[
        Network,
        typer.Option(help="light: minutes on a CPU. full: the paper's, for a GPU."),
    ] = Network.auto,
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Passes over the images in training.  [default: light as many as "
            "take some minutes, full 200]",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="For equal results.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, ...")] = "auto",
    color: Color = ColorKind.auto,
    key: Key = None,
    overwrite: Overwrite = False,
) -> None:
    """Train on images and write labels.csv, report.html and the model.

    labels.csv has a row for each image: its file, cluster and confidence, and how the
    object lies: theta in radians, tau_x and tau_y in pixels from the centre, y up.

    How many clusters? Look at the report: clusters that hold two kinds of image ask
    for more. invariant_cluster.model_selection compares numbers without labels.
    """
    with _one_line_errors():
        folder = _prepare_folder(out, overwrite)
        given = _read(images, size, key, color)
        pipe = make_pipeline(
            n_clusters,
            kind=kind,
            network=network,
            invariance=invariance,
            max_epochs=epochs or "auto",
            n_neighbors=_count_neighbors(n_clusters, len(given.images)),
            device=device,
            random_state=seed,
            verbose=1,
        )
        _fit_and_write(pipe, given, folder)


@app.command()
def predict(
    model: Model,
    images: Images,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="CSV file to write.  [default: the screen]"),
    ] = None,
    key: Key = None,
    overwrite: Overwrite = False,
) -> None:
    """Label images by a trained model, as fit does in labels.csv."""
    with _one_line_errors():
        _check_out(out, overwrite)
        pipe = _load(model)
        given = _read_like(pipe, images, key)
        table = label_images(pipe, given.images, given.names)
        if out is None:
            table.to_csv(sys.stdout, index=False)
        else:
            write_table(table, out)
            _say(f"Wrote {out}.")


@app.command()
def report(
    model: Model,
    images: Images,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="HTML file to write.")
    ] = Path(REPORT),
    key: Key = None,
    overwrite: Overwrite = False,
) -> None:
    """Write a report of what a trained model makes of images."""
    with _one_line_errors():
        _check_out(out, overwrite)
        import_extra()
        pipe = _load(model)
        given = _read_like(pipe, images, key)
        _write_report(pipe, given, out)


@app.command()
def demo(
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder to write to.")
    ] = Path("demo_run"),
    epochs: Annotated[int | None, typer.Option(min=1, help="As in fit.")] = None,
    overwrite: Overwrite = False,
) -> None:
    """Do on 1,799 real wafer maps what fit does; some minutes on a CPU.

    Their classes are known, so that the accuracy can be told. They train nothing.
    """
    with _one_line_errors():
        folder = _prepare_folder(out, overwrite)
        maps = load_wafer_maps(fail_map=True)
        names = [str(row) for row in range(len(maps.images))]
        pipe = make_pipeline(
            len(maps.target_names),
            kind=Kind.wafers,
            max_epochs=epochs or "auto",
            random_state=0,
            verbose=1,
        )
        table = _fit_and_write(pipe, NamedImages(maps.images, names), folder)
        accuracy = clustering_accuracy_score(maps.target, table["cluster"])
        _say(f"Accuracy, each cluster matched with one class: {accuracy:.1%}")


@contextmanager
def _one_line_errors() -> Iterator[None]:
    """Turn errors of the input into one line and exit code 1."""
    try:
        yield
    except _TOLD as error:
        typer.secho(f"Error: {error}", fg=typer.colors.RED, err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        typer.secho("Interrupted: only what is named above was written.", err=True)
        raise typer.Exit(_INTERRUPTED) from None


def _say(text: str) -> None:
    """Print beside the results, which may go to a pipe."""
    typer.echo(text, err=True)


def _read(path: Path, size: int, key: str | None, color: str = "auto") -> NamedImages:
    if key is not None and path.suffix.lower() != ".npz":
        raise ValueError(f"--key {key} is for .npz files, and {path} is none.")
    given = read_images(path, size=size, key=key, color=color)
    _say(f"{len(given.images):,} images of shape {given.images.shape[1:]} from {path}.")
    return given


def _read_like(pipe: Pipeline, path: Path, key: str | None) -> NamedImages:
    """Return images as a model knows them; warn where their values are others."""
    n_channels, height, width = pipe[0].layout_.channels_first_shape
    color = {1: ColorKind.grey, 3: ColorKind.rgb}.get(n_channels, ColorKind.auto)
    given = _read(path, max(height, width), key, color)
    share = share_outside(given.images, getattr(pipe[0], "intensity_range_", None))
    if share > _MOST_OUTSIDE:
        low, high = pipe[0].intensity_range_
        _say(
            f"Warning: {share:.0%} of the values lie outside {low:g} to {high:g}, the "
            "range that the model was trained on, and are cut to it: scale the images "
            "as they were then."
        )
    return given


def _count_neighbors(n_clusters: int, n_images: int) -> int:
    """Return 20 neighbours, fewer for few images; check the number of clusters."""
    if n_clusters > n_images:
        raise ValueError(
            f"--n-clusters {n_clusters} but there are {n_images} images: ask for fewer."
        )
    return min(_N_NEIGHBORS, n_images - 1)


def _load(path: Path) -> Pipeline:
    """Return the pipeline of a model file, or of the folder that fit has written."""
    pipe = load_model(path / MODEL if path.is_dir() else path)
    if not isinstance(pipe, Pipeline):
        raise ValueError(
            f"{path} holds a {type(pipe).__name__} alone: give a model that fit wrote."
        )
    if len(pipe) != 2 or not hasattr(pipe[-1], "predict_proba"):
        steps = ", ".join(type(step).__name__ for _, step in pipe.steps)
        raise ValueError(
            f"{path} holds {steps}: give a pipeline of an embedder and SCANClusterer."
        )
    return pipe


def _prepare_folder(folder: Path, overwrite: bool) -> Path:
    """Check all that can fail before anything that takes minutes; make the folder."""
    import_extra()
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"--out {folder} is a file: give the name of a folder.")
    for name in (LABELS, MODEL, REPORT):
        _check_free(folder / name, overwrite)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _check_out(path: Path | None, overwrite: bool) -> None:
    if path is not None:
        _check_free(check_place(path), overwrite)


def _check_free(path: Path, overwrite: bool) -> None:
    if path.exists() and not overwrite:
        raise ValueError(f"{path} is there already: choose another, or --overwrite.")


def _fit_and_write(pipe: Pipeline, given: NamedImages, folder: Path) -> Any:
    """Train, write all three files, and return the table of labels."""
    pipe.fit(given.images)
    save_model(pipe, folder / MODEL)
    _say(f"Wrote {folder / MODEL}.")
    table = label_images(pipe, given.images, given.names)
    write_table(table, folder / LABELS)
    _say(f"Wrote {folder / LABELS}.")
    _say(f"\n{describe_clusters(table, pipe[-1].n_clusters)}\n")
    _write_report(pipe, given, folder / REPORT)
    return table


def _write_report(pipe: Pipeline, given: NamedImages, path: Path) -> None:
    cluster_report(pipe, given.images, path=path, names=given.names)
    _say(f"Wrote {path}: open it in a browser.")
