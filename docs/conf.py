"""Sphinx configuration: no network, and every warning an error (`make docs`)."""

import invariant_cluster

project = "invariant_cluster"
author = "The invariant_cluster developers"
copyright = author
version = release = invariant_cluster.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "auto_examples/*.ipynb", "auto_examples/*.md5"]
templates_path = ["_templates"]
default_role = "code"
smartquotes = False  # parameters are quoted as Python writes them

# References: within these pages alone, since the build has no network. Names of other
# projects stay names.
nitpicky = True
nitpick_ignore_regex = [(r"py:.*", r"(sklearn|matplotlib|pandas|torch|skorch)\..*")]
suppress_warnings = []
myst_heading_anchors = 3

autosummary_generate = True
autosummary_imported_members = True
autodoc_typehints = "none"  # numpydoc's Parameters say what a type hint cannot
numpydoc_show_class_members = False  # the template of _templates lists them
numpydoc_xref_param_type = False
toc_object_entries_show_parents = "hide"

html_theme = "pydata_sphinx_theme"
html_title = "invariant_cluster"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_show_sourcelink = False
html_sidebars = {page: [] for page in ("how_it_works", "method", "recipe", "results")}
html_theme_options = {
    "header_links_before_dropdown": 7,
    "navbar_align": "left",
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": [],
    "footer_end": [],
}

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_memory": False,
    "matplotlib_animations": False,
    "parallel": 2,  # examples at a time, each on its share of the cores
    "abort_on_example_error": True,
    "image_scrapers": ("matplotlib",),
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("invariant_cluster",),
}


def setup(app):
    """Let a build that runs no example (`make docs-fast`) go without its pictures."""
    if str(app.config.plot_gallery) in {"0", "False"}:
        app.config.suppress_warnings.append("image.not_readable")
