"""Messages of the package in the words of the command line."""

import ast
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("typer")

import typer

import invariant_cluster
from invariant_cluster.cli._app import app
from invariant_cluster.cli._warnings import one_line_warnings
from invariant_cluster.cli._words import as_typed, options_of
from invariant_cluster.datasets import load_image_folder, open_images
from invariant_cluster.drift import DriftWarning
from invariant_cluster.images import infer_layout

PACKAGE = Path(invariant_cluster.__file__).parent


def options(command):
    group = typer.main.get_command(app)
    context = typer.Context(group)
    return options_of(typer.Context(group.commands[command], parent=context))


MESSAGES = [
    ("Use color='grey' or color='rgb'.", "Use --color grey or --color rgb."),
    ("n_clusters=12 but n_samples=9", "--n-clusters 12 but n_samples=9"),
    ("lower n_clusters or give more.", "lower --n-clusters or give more."),
    ("kind='x' is unknown", "--kind x is unknown"),
    ("features='learned'", "--method irl-inr"),
    ("max_epochs=3", "--epochs 3"),
    ("random_state=3, n_jobs=0", "--seed 3, --jobs 0"),
    ("add 'color' to invariance, or", "add 'color' to --invariance, or"),
    ("invariance='rotation+scale' but", "--invariance rotation+scale but"),
    ("give crop= or mask= of", "give --crop or --mask of"),
    ("crop=(0, 0, 40, 0) leaves", "--crop 0,0,40,0 leaves"),
    ("image_shape=(h, w, c), or", "--image-shape h,w,c, or"),
    ("leave image_shape=None.", "leave no --image-shape."),
    ("the frame of keep_scale=True", "the frame of --keep-scale"),
    ("with on_error='skip' or", "with --skip-unreadable or"),
    ("or use overwrite=True to", "or use --overwrite to"),
    ("object='central' but", "--object central but"),
    ("device='cuda:7' is not", "--device cuda:7 is not"),
    ("path='run/a.safetensors' is no", "run/a.safetensors is no"),
    (
        "The 'invariance' parameter of IRLINREmbedder must be a str.",
        "--invariance must be a str.",
    ),
    ("Two. check_drift(model, X) says.", "Two. In Python, check_drift(model, X) says."),
    ("X contains NaN", "The array of images contains NaN"),
    # No names of parameters
    ("the kind of image, its size and color", None),
    ("run/max_epochs/n_clusters.png cannot", None),
    ("'n_clusters' is a column of a=b.csv", None),
    ("--key a is for .npz files", None),
    ("pick channels, X[..., 0]", None),
    ("a == b, sizes=(1, 2)", None),
    # An option beside its parameter is named once.
    ("Set stretch='linear' (--stretch linear) or", "Set --stretch linear or"),
    ("leave out palette (fit --kind wafers).", None),
    ("Use color='grey' (fit --color rgb).", "Use --color grey (fit --color rgb)."),
    # Of Python
    (
        "Lower confidence_threshold or self_label_lr.",
        "Lower confidence_threshold or self_label_lr. (confidence_threshold and "
        "self_label_lr are parameters of Python, without an option.)",
    ),
    (
        "batch_size=64 and kind='x'.",
        "batch_size=64 and --kind x. (batch_size is a parameter of Python, without an "
        "option.)",
    ),
    (
        "The 'n_heads' parameter of SCANClusterer must be an int.",
        "The 'n_heads' parameter of SCANClusterer must be an int. (n_heads is a "
        "parameter of Python, without an option.)",
    ),
]


@pytest.mark.parametrize(("message", "typed"), MESSAGES)
def test_messages_in_words_of_fit(message, typed):
    assert as_typed(message, options("fit")) == (message if typed is None else typed)


def test_other_commands_name_options_of_fit():
    told = as_typed("Use color='grey', n_jobs=2.", options("predict"))
    assert told == "Use --color grey of fit, --jobs 2."


def test_options_are_of_parameters():
    named = options("fit")
    known = {"n_clusters", "max_epochs", "color", "features", "image_shape", "n_jobs"}
    assert known <= set(named)
    assert named["n_clusters"] == "--n-clusters"
    assert "verbose" not in named


def raise_layout(_):
    infer_layout(np.zeros((4, 16, 16, 5)))


def raise_color(folder):
    Image = pytest.importorskip("PIL.Image")
    Image.new("L", (9, 9)).save(folder / "a.png")
    Image.new("RGB", (9, 9)).save(folder / "b.png")
    load_image_folder(folder)


def raise_key(folder):
    h5py = pytest.importorskip("h5py")
    with h5py.File(folder / "a.h5", "w") as file:
        file["one"], file["two"] = np.zeros(3), np.zeros(3)
    open_images(folder / "a.h5")


def raise_clusters(_):
    invariant_cluster.SCANClusterer(9).fit(np.eye(5))


@pytest.mark.parametrize(
    ("cause", "told"),
    [
        (raise_layout, "give --image-shape h,w,c, or pick channels"),
        (raise_color, "Use --color grey or --color rgb to convert"),
        (raise_key, "name the array of images with --key."),
        (raise_clusters, "--n-clusters 9 but n_samples=5: lower --n-clusters or give"),
    ],
)
def test_errors_of_the_package(cause, told, tmp_path):
    with pytest.raises(ValueError, match=r"\w") as caught:
        cause(tmp_path)
    assert told in as_typed(str(caught.value), options("fit"))


# Warnings


def warn_as(module, message, stacklevel=1, category=UserWarning):
    """Warn from a file of another module."""
    body = f"warnings.warn({message!r}, category, {stacklevel})"
    code = f"import warnings\ndef warn(category):\n    {body}"
    names = {"__name__": module}
    exec(compile(code, f"{module}.py", "exec"), names)
    names["warn"](category)


def shown(capsys, **options):
    with one_line_warnings(lambda text: text.upper(), **options):
        warn_as("invariant_cluster.rooms", "ours", 2)
        warn_as("invariant_cluster.rooms", "ours", 2)
        warn_as("invariant_cluster.rooms", "numpy's, at our line")
        warn_as("torch.nn", "torch's", 2)
        warn_as("sklearn", "sklearn's", category=FutureWarning)
        warn_as("anything", "drift", category=DriftWarning)
    return capsys.readouterr().err.splitlines()


def test_warnings_of_this_package_are_shown_once(capsys):
    assert shown(capsys) == ["Warning: OURS", "Warning: DRIFT"]


def test_all_warnings_are_shown_when_asked(capsys):
    assert len(shown(capsys, of_others=True)) == 5


@pytest.mark.parametrize("of_others", [False, True])
def test_loggers_of_others_are_silent(of_others):
    code = f"""
import logging
from invariant_cluster.cli._warnings import one_line_warnings
with one_line_warnings(of_others={of_others}):
    logging.getLogger("tifffile").warning("inside")
logging.getLogger("tifffile").warning("after")
"""
    run = [sys.executable, "-c", code]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    assert done.stderr.split() == ["inside"] * of_others + ["after"]


def test_filters_are_left_as_they_were():
    before = list(warnings.filters)
    with one_line_warnings():
        pass
    assert warnings.filters == before


def warnings_in(path):
    """Yield the calls of warnings.warn in a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "warnings.warn":
            yield {word.arg: ast.unparse(word.value) for word in node.keywords}


def test_the_package_warns_of_its_callers():
    """A stacklevel of 1 would be taken for a warning of C code."""
    calls = [call for path in PACKAGE.rglob("*.py") for call in warnings_in(path)]
    assert len(calls) > 10
    assert all(call.get("stacklevel", "1") != "1" for call in calls)


def test_debug_shows_where_an_error_arose(tmp_path):
    arguments = ["fit", str(tmp_path / "none"), "-k", "2", "--out", str(tmp_path / "o")]
    program = [sys.executable, "-m", "invariant_cluster"]
    plain = subprocess.run([*program, *arguments], capture_output=True, text=True)
    assert plain.returncode == 1
    assert plain.stderr.startswith("Error: ")
    debug = subprocess.run(
        [*program, "--debug", *arguments], capture_output=True, text=True
    )
    assert debug.returncode == 1
    assert "Traceback" in debug.stderr
    assert "FileNotFoundError" in debug.stderr
