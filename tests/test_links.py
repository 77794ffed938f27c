"""Links between the Markdown pages lead somewhere; the network is not asked.

The finder is a function from text to links, so it is itself tested.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("docs/*/*.md")])
OUTSIDE = ("http://", "https://", "mailto:")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def links_of(text: str) -> list[str]:
    """Return the targets of links and images to this repository, code left out."""
    found = LINK.findall(FENCE.sub("", text))
    return [link for link in found if not link.startswith(OUTSIDE)]


def anchors_of(text: str) -> set[str]:
    """Return the anchors of the headings, as GitHub and MyST write them."""
    headings = HEADING.findall(FENCE.sub("", text))
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in plain}


def broken_links(page: Path) -> list[str]:
    """Return the links of a page to a file or heading that does not exist."""
    broken = []
    for link in links_of(page.read_text(encoding="utf-8")):
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if not target.exists() or (
            anchor and anchor not in anchors_of(target.read_text(encoding="utf-8"))
        ):
            broken.append(link)
    return broken


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_of_the_page_exist(page):
    assert broken_links(page) == []


def test_pages_are_found():
    names = {str(page.relative_to(ROOT)) for page in PAGES}
    assert {"README.md", "CONTRIBUTING.md", "docs/method.md"} <= names
    assert any(name.startswith("docs/user_guide/") for name in names)


def test_links_are_found_outside_code_alone():
    text = "[a](b.md) ![c](d.png)\n```\n[no](e.md)\n```\n[f](https://g.org) [h](#i)"
    assert links_of(text) == ["b.md", "d.png", "#i"]


def test_missing_files_and_headings_are_told(tmp_path):
    (tmp_path / "there.md").write_text("# A heading: of two\n")
    page = tmp_path / "page.md"
    page.write_text("[a](there.md#a-heading-of-two) [b](there.md#none) [c](gone.md)")
    assert broken_links(page) == ["there.md#none", "gone.md"]
