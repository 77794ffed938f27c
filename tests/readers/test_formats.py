"""The formats vouched for: their names, and the table in the user guide."""

from pathlib import Path

import pytest

from invariant_cluster.readers import FORMATS, is_image_name

GUIDE = Path(__file__).parents[2] / "docs" / "user_guide" / "images.md"


@pytest.mark.parametrize("suffix", [s for form in FORMATS for s in form.suffixes])
def test_names_of_images(suffix):
    assert is_image_name(f"a{suffix}") is True
    assert is_image_name(f"folder.csv/A.b{suffix.upper()}") is True


@pytest.mark.parametrize(
    "suffix",
    [
        *(".csv", ".tsv", ".txt", ".xml", ".html", ".htm", ".json", ".md", ".log"),
        *(".yaml", ".yml", ".xlsx", ".pdf", ".ini", ".db", ".py", ".zip"),
        *(".csv.gz", ".tar.gz", ".CSV", ".Txt"),
    ],
)
def test_names_of_other_files(suffix):
    assert is_image_name(f"a{suffix}") is False
    assert is_image_name(f"a.png{suffix}") is False


@pytest.mark.parametrize("name", ["a", "a.0001", "a.psd", "a.mrc", "png", "a.png.bak"])
def test_names_that_tell_nothing(name):
    assert is_image_name(name) is None


def test_the_guide_lists_the_formats():
    text = GUIDE.read_text(encoding="utf-8")
    table = text[text.index("| format |") :].split("\n\n")[0].splitlines()[2:]
    expected = [
        f"| {name} | {' '.join(f'`{suffix}`' for suffix in suffixes)} | {package} | "
        f"{', '.join(dtypes)} | {channels} |"
        for name, suffixes, package, dtypes, channels in FORMATS
    ]
    assert table == expected
