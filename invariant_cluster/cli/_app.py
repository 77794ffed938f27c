"""The commands fit, predict, report and demo."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from sklearn.pipeline import Pipeline

from invariant_cluster import (
    __version__,
    cluster_report,
    make_pipeline,
    save_model,
)
from invariant_cluster.cli._arrays import (
    parse_numbers,
    set_image_shape,
)
from invariant_cluster.cli._choices import (
    ColorKind,
    Features,
    Ground,
    Kind,
    MixedDepth,
    Network,
    Shown,
    StretchKind,
)
from invariant_cluster.cli._given import (
    draw_for_fit,
    load_pipeline,
    open_for,
    read_for,
    take_in,
)
from invariant_cluster.cli._inputs import (
    NamedImages,
)
from invariant_cluster.cli._n_clusters import parse_n_clusters
from invariant_cluster.cli._options import (
    Cache,
    Channels,
    Color,
    Crop,
    Depth,
    Images,
    Jobs,
    KeepScale,
    Key,
    Mask,
    Model,
    Overwrite,
    SkipUnreadable,
    Transparent,
)
from invariant_cluster.cli._outputs import (
    LABELS,
    MODEL,
    REPORT,
    SKIPPED,
    describe_choice,
    describe_clusters,
    label_images,
    write_table,
)
from invariant_cluster.cli._places import (
    beside,
    check_out,
    check_shards_folder,
    prepare_folder,
)
from invariant_cluster.cli._plan import describe_plan
from invariant_cluster.cli._speech import say
from invariant_cluster.cli._warnings import one_line_warnings
from invariant_cluster.datasets import load_wafer_maps, make_reading
from invariant_cluster.images import CHANNEL_COUNTS
from invariant_cluster.metrics import clustering_accuracy_score
from invariant_cluster.model_selection import candidate_numbers
from invariant_cluster.out_of_core import predict_shards
from invariant_cluster.progress import showing_progress
from invariant_cluster.readers import name_as_text
from invariant_cluster.report import import_extra
from invariant_cluster.training import current_team, join_team

_INTERRUPTED = 130
_N_NEIGHBORS = 20
_SHARED = ("fit", "demo")
_MOST_IMAGES = 100_000
# Errors of the input, printed as one line instead of a traceback.
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


def _print_version(wanted: bool) -> None:
    """Print the version and exit, if wanted."""
    if wanted:
        typer.echo(f"invariant-cluster {__version__}")
        raise typer.Exit


@app.callback()
def explain(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            is_eager=True,
            callback=_print_version,
            help="Show the version and exit.",
        ),
    ] = False,
) -> None:
    """Cluster images whose orientation has no meaning, without labels.

    Try it on real wafer maps:

        invariant-cluster demo

    Then cluster your own images, open run/report.html in a browser, and apply the model
    to other images:

        invariant-cluster fit plankton/ --n-clusters 10 --out run

        invariant-cluster predict run more_plankton/ --out more.csv

    Several processes fit one model together when torchrun starts them:

        torchrun --nproc-per-node 2 -m invariant_cluster fit plankton/ ...
    """
    _join(context.invoked_subcommand or "")


@app.command()
def fit(
    images: Images,
    n_clusters: Annotated[
        str,
        typer.Option(
            "--n-clusters",
            "-k",
            metavar="NUMBER|auto",
            help="Number of clusters. auto: chosen without labels, in a minute or two, "
            "and told with its reason and the numbers that are as good.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write to.")],
    kind: Annotated[
        Kind,
        typer.Option(
            help="Kind of images. wafers: wafer maps, which are centred, have any "
            "orientation, mean the same when mirrored, and have single dies that fail "
            "at random. textures: images without an object. galaxies: their size, "
            "brightness and neighbours mean nothing. particles: projections in noise "
            "that hides their outline."
        ),
    ] = Kind.general,
    invariance: Annotated[
        str | None,
        typer.Option(
            help="Changes of an image that do not change its meaning: rotation, with "
            "any of translation, reflection, scale, brightness and color, in this "
            "order and joined by +. Without translation, objects must be centred.  "
            "[default: depends on --kind]"
        ),
    ] = None,
    features: Annotated[
        Features,
        typer.Option(
            help="Feature spaces in which the images are clustered. learned: IRL-INR. "
            "scattering: needs no training, a minute or less. joint: both. averages: "
            "class averages. auto: averages for particles, scattering for textures "
            "and galaxies, else joint."
        ),
    ] = Features.auto,
    shown: Annotated[
        Shown | None,
        typer.Option(
            "--object",
            help="What of an image is seen. central: the connected object nearest the "
            "middle, without its neighbours.  [default: depends on --kind]",
        ),
    ] = None,
    stretch: Annotated[
        StretchKind,
        typer.Option(
            help="How values are stretched. asinh: faint images are seen beside bright "
            "ones. auto: linear, except for floats of which a linear range would show "
            "little; it is told."
        ),
    ] = StretchKind.auto,
    size: Annotated[
        int,
        typer.Option(
            min=8,
            max=4096,
            help="Side in pixels to which the files of a folder and wafer maps are "
            "resized. Arrays keep their size.",
        ),
    ] = 32,
    network: Annotated[
        Network,
        typer.Option(
            help="Size of the networks. light: minutes on a CPU. full: as in the "
            "paper, for a GPU. auto: full if there is a GPU."
        ),
    ] = Network.auto,
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Passes over the images in training.  [default: enough for some "
            "minutes (light), 200 (full)]",
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, help="Seed. Equal seeds give equal results.")
    ] = 0,
    device: Annotated[
        str,
        typer.Option(help="Device: cpu, cuda, cuda:1, ... auto: the GPU if any."),
    ] = "auto",
    sample: Annotated[
        int,
        typer.Option(
            min=2,
            help="Most images to train on. They are drawn at random from more, and "
            "labels.csv and the report are of these: label all with predict --shards.",
        ),
    ] = _MOST_IMAGES,
    color: Color = ColorKind.auto,
    transparent: Transparent = Ground.auto,
    crop: Crop = None,
    mask: Mask = None,
    keep_scale: KeepScale = False,
    mixed_depth: Depth = MixedDepth.refuse,
    skip_unreadable: SkipUnreadable = False,
    cache: Cache = None,
    jobs: Jobs = -1,
    key: Key = None,
    channels: Channels = None,
    image_shape: Annotated[
        str | None,
        typer.Option(
            help="Shape of one image, height,width or height,width,channels: of an "
            "array of flat rows, or of images with 2 or more than 4 channels."
        ),
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Train on images and write labels.csv, report.html and the model.

    labels.csv has one row per training image: file, cluster, confidence, and the pose
    of the object: theta in radians, counter-clockwise, and tau_x and tau_y in pixels
    from the centre, y up. With class averages it is relative to the average that the
    image joins. Of files, it has their height and width in pixels too. The model knows
    how the files were read, and predict reads new ones in the same way.

    -k auto chooses the number of clusters where the density of the images falls most
    between clusters, and prints which numbers are as good. Then look at the report: use
    more clusters if one holds two kinds of image. In Python,
    invariant_cluster.model_selection compares numbers by more criteria.
    """
    with _one_line_errors():
        wanted = parse_n_clusters(n_clusters)
        folder = prepare_folder(out, overwrite)
        shape = parse_numbers("--image-shape", image_shape)
        reading = make_reading(
            size=size,
            color=color.value,
            transparent=transparent.value,
            crop=parse_numbers("--crop", crop),
            mask=mask,
            keep_scale=keep_scale,
            mixed_depth=mixed_depth.value,
        )
        intake = take_in(reading, key, channels, out, skip_unreadable, cache, jobs)
        given = draw_for_fit(images, sample, intake, seed)
        pipe = make_pipeline(
            wanted,
            kind=kind.value,
            features=features.value,
            network=network.value,
            invariance=invariance,
            object=shown and shown.value,
            stretch=stretch.value,
            max_epochs=epochs or "auto",
            n_neighbors=_count_neighbors(wanted, len(given.images)),
            device=device,
            random_state=seed,
            verbose=1,
        )
        is_settled = intake.channels is not None
        set_image_shape(pipe, given.images, shape, settled=is_settled)
        _fit_and_write(pipe, given, folder)


@app.command()
def predict(
    model: Model,
    images: Images,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="CSV file to write, or folder with --shards.  [default: print it]",
        ),
    ] = None,
    shards: Annotated[
        bool,
        typer.Option(
            "--shards",
            help="Write Parquet files of some rows each to the folder --out, in "
            "bounded memory, for any number of images. Called again, it continues.",
        ),
    ] = False,
    rows_per_shard: Annotated[
        int, typer.Option(min=1, help="Images per file of --shards.")
    ] = 100_000,
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="Address of a dask scheduler whose workers compute the shards, such "
            "as tcp://host:8786. They must see the same paths."
        ),
    ] = None,
    skip_unreadable: SkipUnreadable = False,
    cache: Cache = None,
    jobs: Jobs = -1,
    key: Key = None,
    channels: Channels = None,
    overwrite: Overwrite = False,
) -> None:
    """Label images with a trained model.

    The table has the columns of labels.csv, which fit writes. Shards have the file (for
    an array: index), cluster and confidence.
    """
    with _one_line_errors():
        if shards:
            folder = check_shards_folder(out)
            if cache is not None:
                raise ValueError(f"--cache {cache} is not used by --shards: omit it.")
            pipe, reading = load_pipeline(model)
            intake = take_in(reading, key, channels, out, skip_unreadable, cache, jobs)
            given = open_for(pipe, images, intake)
            predict_shards(
                pipe,
                given,
                folder,
                rows_per_shard=rows_per_shard,
                scheduler=scheduler,
                overwrite=overwrite,
                verbose=1,
            )
            say(f"Wrote shards to {folder}.")
            _write_skipped(getattr(given, "skipped", None), folder / SKIPPED)
            return
        if scheduler is not None:
            raise ValueError(f"--scheduler {scheduler} is for --shards: add --shards.")
        check_out(out, overwrite)
        pipe, reading = load_pipeline(model)
        intake = take_in(reading, key, channels, out, skip_unreadable, cache, jobs)
        given = read_for(pipe, images, intake)
        table = label_images(pipe, given)
        if out is None:
            table.to_csv(sys.stdout, index=False)
        else:
            write_table(table, out)
            say(f"Wrote {out}.")
        _write_skipped(given.skipped, beside(out, SKIPPED))


@app.command()
def report(
    model: Model,
    images: Images,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="HTML file to write.")
    ] = Path(REPORT),
    skip_unreadable: SkipUnreadable = False,
    cache: Cache = None,
    jobs: Jobs = -1,
    key: Key = None,
    channels: Channels = None,
    overwrite: Overwrite = False,
) -> None:
    """Write an HTML report of a trained model's clusters of images."""
    with _one_line_errors():
        check_out(out, overwrite)
        import_extra()
        pipe, reading = load_pipeline(model)
        intake = take_in(reading, key, channels, out, skip_unreadable, cache, jobs)
        given = read_for(pipe, images, intake)
        _write_report(pipe, given, out)
        _write_skipped(given.skipped, beside(out, SKIPPED))


@app.command()
def demo(
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder to write to.")
    ] = Path("demo_run"),
    epochs: Annotated[
        int | None,
        typer.Option(min=1, help="Passes over the images in training, as in fit."),
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Run fit on 1,799 bundled wafer maps and report the accuracy.

    Takes some minutes on a CPU. The labels are not used in training.
    """
    with _one_line_errors():
        folder = prepare_folder(out, overwrite)
        maps = load_wafer_maps(fail_map=True)
        names = [str(row) for row in range(len(maps.images))]
        pipe = make_pipeline(
            len(maps.target_names),
            kind=Kind.wafers.value,
            max_epochs=epochs or "auto",
            random_state=0,
            verbose=1,
        )
        table = _fit_and_write(pipe, NamedImages(maps.images, names), folder)
        if table is None:
            return
        accuracy = clustering_accuracy_score(maps.target, table["cluster"])
        say(f"Accuracy of clusters matched one to one with classes: {accuracy:.1%}")


@contextmanager
def _one_line_errors() -> Iterator[None]:
    """Print warnings and errors of the input as lines; exit with 1, or 130 on Ctrl-C.

    A message that lists files stays a list. Long work shows bars.
    """
    try:
        with (
            one_line_warnings(silent=not current_team().is_first),
            showing_progress(),
        ):
            yield
    except _TOLD as error:
        lines = str(error).splitlines()
        lists = any(line.startswith("  ") for line in lines)
        told = "\n".join(lines) if lists else " ".join(map(str.strip, lines))
        typer.secho(f"Error: {told}", fg=typer.colors.RED, err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        typer.secho("Interrupted: only the files named above were written.", err=True)
        raise typer.Exit(_INTERRUPTED) from None


def _join(command: str) -> None:
    """Connect the processes of torchrun; one prints, warns, and does what none shares.

    Parameters
    ----------
    command : str
        Name of the command: fit and demo are shared.
    """
    with _one_line_errors():
        is_first = join_team("auto").is_first
    if is_first:
        return
    warnings.simplefilter("ignore")
    if command not in _SHARED:
        raise typer.Exit


def _write_skipped(skipped: Any, path: Path | None) -> None:
    """Write which files were left out, and say so; print them without a path."""
    if skipped is None or not len(skipped):
        if path is not None:  # of an earlier run, which may be replaced
            path.unlink(missing_ok=True)
        return
    say(f"Left out files that cannot be read: {len(skipped):,}.")
    table = skipped.assign(file=skipped.file.map(name_as_text))
    if path is None:
        say("\n".join(f"  {file}: {why}" for file, why in table.to_numpy()))
    else:
        write_table(table, path)
        say(f"Wrote {path}.")


def _count_neighbors(n_clusters: int | str, n_images: int) -> int:
    """Return 20 neighbours, or fewer for few images; check the number of clusters."""
    if isinstance(n_clusters, str):
        candidate_numbers(n_images)  # refuses too few images
    elif n_clusters > n_images:
        raise ValueError(
            f"--n-clusters {n_clusters} but there are only {n_images} images: use "
            "fewer clusters."
        )
    return min(_N_NEIGHBORS, n_images - 1)


def _fit_and_write(pipe: Pipeline, given: NamedImages, folder: Path) -> Any:
    """Train, write the model, the labels and the report, and return the labels.

    Of several processes, the first one writes; the others return None.
    """
    folder.mkdir(parents=True, exist_ok=True)
    say(describe_plan(pipe))
    pipe.fit(given.images)
    if not current_team().is_first:
        return None
    save_model(pipe, folder / MODEL, reading=given.reading)
    say(f"Wrote {folder / MODEL}.")
    table = label_images(pipe, given)
    write_table(table, folder / LABELS)
    say(f"Wrote {folder / LABELS}.")
    _write_skipped(given.skipped, folder / SKIPPED)
    say(f"\n{describe_clusters(table, pipe[-1].n_clusters_)}\n")
    n_channels = pipe[0].layout_.channels_first_shape[0]
    if n_channels in CHANNEL_COUNTS:
        _write_report(pipe, given, folder / REPORT)
    else:
        say(f"No report: it cannot show images of {n_channels} channels (--channels).")
    if pipe[-1].choice_ is not None:
        say(describe_choice(pipe[-1].choice_))
    return table


def _write_report(pipe: Pipeline, given: NamedImages, path: Path) -> None:
    """Write the report and print its path."""
    cluster_report(pipe, given.images, path=path, names=given.names)
    say(f"Wrote {path}: open it in a browser.")
