"""README and the landing page: short, and every line of code runs as it is printed.

Only what costs minutes is made small, never the printed text: networks are tiny and
trained for one epoch, and the bundled wafer maps are a few.
"""

import functools
import re
import runpy
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

import invariant_cluster
from invariant_cluster import IRLINREmbedder, SCANClusterer, datasets, make_pipeline
from invariant_cluster.embedders import LIGHT

ROOT = Path(__file__).parents[1]
README, INDEX = ROOT / "README.md", ROOT / "docs" / "index.md"
MOST_WORDS = 700
N_IMAGES = 48
TINY = {
    "d": 4,
    "encoder_width": 2,
    "n_frequencies": 4,
    "inr_hidden": (4,),
    "hypernetwork_hidden": (4,),
    "n_pixels": None,
    "batch_size": 16,
}
BRIEF = {"max_epochs": 1, "fine_tune_max_epochs": 1}


def fences_of(page: Path) -> list[tuple[str, str]]:
    """Return (language, text) of the fenced blocks of a page."""
    text = page.read_text(encoding="utf-8")
    return re.findall(r"^```(.*?)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def blocks_of(page: Path, *languages: str) -> list[str]:
    """Return the blocks of code of a page in one of some languages."""
    return [code for language, code in fences_of(page) if language in languages]


def commands_of(page: Path) -> list[list[str]]:
    """Return the commands of a page as words, without their comments."""
    lines = "".join(blocks_of(page, "", "sh")).splitlines()
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def of_program(name: str) -> list[list[str]]:
    """Return the commands of README that call a program."""
    return [words[1:] for words in commands_of(README) if words[0] == name]


def extras_of(command: list[str]) -> set[str]:
    """Return the extras that a command installs of this package."""
    return {
        name
        for word in command
        for found in re.findall(r"^\.\[(.+)\]$", word)
        for name in found.split(",")
    }


@pytest.fixture
def small_world(monkeypatch, tmp_path):
    """Make what the pages call small, and work in a folder of its own."""
    for name, size in TINY.items():
        monkeypatch.setitem(LIGHT, name, size)
    maps = datasets.load_wafer_maps

    def load_few(**options):
        bunch = maps(**options)
        bunch.images = bunch.images[:N_IMAGES]
        bunch.target = bunch.target[:N_IMAGES]
        return bunch

    def make_brief(*arguments, **settings):
        pipe = make_pipeline(*arguments, **settings)
        epochs = {name for name in pipe.get_params() if name.endswith("max_epochs")}
        kept = {"embed__max_epochs", "embed__learned__max_epochs"} & epochs
        clusters = {"cluster__max_epochs": 1, "cluster__fine_tune_max_epochs": 1}
        return pipe.set_params(**dict.fromkeys(kept, 1), **clusters)

    embedder = functools.partial(IRLINREmbedder, max_epochs=1)
    clusterer = functools.partial(SCANClusterer, **BRIEF)
    monkeypatch.setattr(datasets, "load_wafer_maps", load_few)
    monkeypatch.setattr(invariant_cluster, "make_pipeline", make_brief)
    monkeypatch.setattr(invariant_cluster, "IRLINREmbedder", embedder)
    monkeypatch.setattr(invariant_cluster, "SCANClusterer", clusterer)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_blocks(page: Path) -> dict[str, object]:
    """Run the Python of a page, block after block, and return its names."""
    names: dict[str, object] = {}
    for number, code in enumerate(blocks_of(page, "python")):
        exec(compile(code, f"{page.name}, block {number}", "exec"), names)
    return names


def test_readme_opens_with_one_picture_and_is_short():
    text = README.read_text(encoding="utf-8")
    (picture,) = re.findall(r"!\[.+?\]\((.+?)\)", text)
    assert text.splitlines()[2].startswith("![")
    assert (ROOT / picture).stat().st_size < 150_000
    assert len(text.split()) <= MOST_WORDS


@pytest.mark.parametrize("page", [README, INDEX], ids=["README", "landing page"])
def test_code_is_in_languages_that_are_run(page):
    languages = {language.split(" ")[0] for language, _ in fences_of(page)}
    assert "python" in languages
    assert languages <= {"", "sh", "python", "{figure}", "{toctree}"}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")  # few images, one epoch
def test_python_of_readme_runs_as_printed(small_world):
    pytest.importorskip("jinja2")
    names = run_blocks(README)
    assert names["labels"].shape == names["theta"].shape == (N_IMAGES,)
    np.testing.assert_array_equal(names["same_labels"], names["labels"])
    assert {path.name for path in small_world.iterdir()} == {
        "report.html",
        "wafers.safetensors",
    }


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_python_of_the_landing_page_runs_as_printed(small_world):
    names = run_blocks(INDEX)
    assert names["labels"].shape == (N_IMAGES,)
    assert names["tau"].shape == (N_IMAGES, 2)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_command_lines_of_readme_run_as_printed(small_world, monkeypatch):
    pytest.importorskip("typer")
    image_file = pytest.importorskip("PIL.Image")
    from invariant_cluster.cli import main

    images = datasets.load_oriented_digits(size=16).images
    for start, name in enumerate(("plankton", "more_plankton")):
        folder = small_world / name
        folder.mkdir()
        for row, image in enumerate(images[start * N_IMAGES :][:N_IMAGES]):
            image_file.fromarray(image).save(folder / f"{row:02d}.png")
    lines = of_program("invariant-cluster")
    assert [words[0] for words in lines] == ["demo", "fit", "predict", "fit"]
    for words in lines:
        monkeypatch.setattr(sys, "argv", ["invariant-cluster", *words])
        with pytest.raises(SystemExit) as end:
            main()
        assert not end.value.code, words
    written = {path.name for path in (small_world / "run").iterdir()}
    assert {"labels.csv", "report.html", "model.safetensors"} <= written
    assert (small_world / "more.csv").exists()


@pytest.mark.parametrize("target", ["demo", "test"])
def test_targets_of_make_exist(target):
    assert [target] in of_program("make")
    done = subprocess.run(
        ["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", [README, INDEX], ids=["README", "landing page"])
def test_what_pip_installs_exists(page):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    installs = [words for words in commands_of(page) if "pip" in words]
    assert installs
    for words in installs:
        assert extras_of(words)
        assert extras_of(words) <= set(project["project"]["optional-dependencies"])
        assert (ROOT / words[words.index("-c") + 1]).exists()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")  # few images
def test_the_picture_is_made_by_its_command(tmp_path):
    pytest.importorskip("matplotlib")
    out = tmp_path / "picture.png"
    script = runpy.run_path(str(ROOT / "docs" / "make_picture.py"))
    script["main"](["--out", str(out), "--n-images", "200"])
    assert out.read_bytes().startswith(b"\x89PNG")
    assert "python docs/make_picture.py" in README.read_text(encoding="utf-8")
