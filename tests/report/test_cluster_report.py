"""What is in the file, without a browser."""

import copy
import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from markupsafe import escape
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

import invariant_cluster
from invariant_cluster import (
    ClassAverageEmbedder,
    PolarFourierEmbedder,
    SCANClusterer,
)
from invariant_cluster.datasets import load_wafer_maps
from invariant_cluster.images import as_pictures
from invariant_cluster.metrics import (
    accuracy_scorer,
    clustering_accuracy_score,
    label_stability_scorer,
    matched_classes,
)
from invariant_cluster.report import _cluster_report, cluster_report
from invariant_cluster.report._captions import shorten_middle
from invariant_cluster.report._galleries import _of_one_average
from invariant_cluster.report._images import ReportImages
from invariant_cluster.verdict import Finding, Verdict, can_judge, check_fit


class Outline(HTMLParser):
    """Collects tags, the text of tables, and complains of tags left open."""

    VOID = {"meta", "input", "br", "link", "img"}

    def __init__(self, page):
        super().__init__()
        self.open, self.tags, self.rows = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("th", "td") and self.rows:
            self.rows[-1].append("")

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if {"th", "td"} & set(self.open):
            self.rows[-1][-1] = f"{self.rows[-1][-1]} {data.strip()}".strip()

    def attributes(self, name):
        return [values[name] for _, values in self.tags if name in values]


def text_of(path):
    return path.read_text(encoding="utf-8")


def write(pipeline, X, tmp_path, y=None):
    return text_of(cluster_report(pipeline, X, y, tmp_path / "report.html"))


def worst_in(page):
    """The row of the first image of those that fit nowhere."""
    misfits = page[page.index('id="misfits"') :]
    return int(re.search(r"#(\d+)<br>", misfits)[1])


@pytest.fixture(scope="module")
def page(report):
    return text_of(report)


@pytest.fixture(scope="module")
def outline(page):
    return Outline(page)


# Content


def test_the_path_comes_back(pipe, images, tmp_path):
    for path in [str(tmp_path / "a.html"), tmp_path / "b.html"]:
        written = cluster_report(pipe, images, path=path)
        assert isinstance(written, Path)
        assert written == Path(path)
        assert text_of(written).startswith("<!DOCTYPE html>")


def test_images_are_called_by_their_names(pipe, images, tmp_path):
    names = [f"<{row}>.png" for row in range(len(images))]
    path = cluster_report(pipe, images, path=tmp_path / "report.html", names=names)
    labels = Outline(text_of(path)).attributes("aria-label")
    worst = np.argmin(pipe.score_samples(images))
    assert any(f"Image {worst}, <{worst}>.png, cluster" in label for label in labels)


def test_long_parts_show_bars_at_verbose_1(pipe, images, tmp_path, capsys, monkeypatch):
    seconds = iter(range(1_000_000))
    monkeypatch.setattr("tqdm.std.time", lambda: float(next(seconds)))
    cluster_report(pipe, images, path=tmp_path / "quiet.html")
    assert capsys.readouterr().err == ""
    cluster_report(pipe, images, path=tmp_path / "told.html", verbose=1)
    told = capsys.readouterr().err
    for title in ("report: embed", "report: turned copies: clusters"):
        assert f"{title}: 100%" in told


def test_steps_before_the_embedder_are_taken(make_embedder, images, tmp_path):
    shift = FunctionTransformer(lambda X: X / 255.0)
    pipe = make_pipeline(shift, make_embedder(), KMeans(3, random_state=0)).fit(images)
    page = write(pipe, images, tmp_path)
    assert "Mean canonical image of cluster" in page
    found = ReportImages.of(pipe, images)
    assert type(found.embedder).__name__ == "IRLINREmbedder"
    expected = as_pictures(images / 255.0, intensity_range=(0, 1))
    np.testing.assert_allclose(found.pictures(np.arange(48)), expected, atol=0.01)


def test_channels_that_no_screen_shows_are_refused(make_embedder, images, tmp_path):
    two = np.stack([images, images], axis=-1)
    embedder = make_embedder(image_shape=(16, 16, 2), align=False)
    pipe = make_pipeline(embedder, KMeans(3)).fit(two)
    with pytest.raises(ValueError, match="images have 2 channels, but pictures have"):
        write(pipe, two, tmp_path)


def test_it_is_well_formed(outline):
    assert outline.open == []
    ids = outline.attributes("id")
    assert len(ids) == len(set(ids))
    for name in ["aria-labelledby", "aria-describedby"]:
        assert set(outline.attributes(name)) <= set(ids)
    linked = {link.removeprefix("#") for link in outline.attributes("href")}
    assert linked <= set(ids)


def test_headings_go_down_one_level_at_a_time(outline):
    levels = [int(tag[1]) for tag, _ in outline.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert max(np.diff(levels)) <= 1


def test_pictures_have_a_text(outline):
    drawn = [values for _, values in outline.tags if values.get("role") == "img"]
    assert len(drawn) > 48
    assert all(values.get("aria-label") for values in drawn)


def test_the_table_tells_each_cluster(outline, pipe, images, names):
    labels = pipe.predict(images)
    head = outline.rows[0]
    assert [title for title in head if title] == [
        *["Cluster", "Size", "Share", "Confidence", "Stability"],
        *["Matched class", "Purity"],
    ]
    rows = outline.rows[1 : 1 + len(np.unique(labels))]
    confidence = pipe.predict_proba(images).max(axis=1)
    for cluster, row in zip(np.unique(labels), rows, strict=True):
        inside = labels == cluster
        purity = pd.Series(names[inside]).value_counts(normalize=True).max()
        assert row[0] == f"Cluster {cluster}"
        assert row[1] == str(inside.sum())
        assert row[2] == f"{100 * inside.mean():.1f} %"
        assert row[3] == f"{confidence[inside].mean():.2f}"
        assert row[6] == f"{100 * purity:.1f} %"


def test_stability_is_that_of_the_scorer(page, pipe, images):
    assert f"{100 * label_stability_scorer(pipe, images):.1f} %" in page


def test_scores_against_classes(page, outline, pipe, images, names):
    labels = pipe.predict(images)
    assert f"{100 * accuracy_scorer(pipe, images, names):.1f} %" in page
    assert f"{adjusted_rand_score(names, labels):.2f}" in page
    cells = [row for row in outline.rows if row[0] in set(names)]
    counts = [[int(cell.split()[0]) for cell in row[1:]] for row in cells]
    assert np.sum(counts) == len(images)
    matched = [c for row in cells for c in row[1:] if c.endswith("(matched)")]
    agree = sum(int(cell.split()[0]) for cell in matched)
    assert agree / len(images) == pytest.approx(
        clustering_accuracy_score(names, labels)
    )


def test_without_classes_nothing_speaks_of_them(pipe, images, tmp_path):
    page = write(pipe, images, tmp_path)
    assert "NMI" not in page
    assert "Purity" not in page
    assert 'id="classes"' not in page


def test_curves_of_every_stage_and_term(page, pipe):
    for term in ["reconstruction", "consistency", "symmetry", "entropy"]:
        assert f"<strong>{term}</strong>" in page
    assert re.search(r"IRLINREmbedder\s+<small>2 epochs", page)
    for stage in pipe["cluster"].history_["stage"].unique():
        assert f"SCANClusterer, {stage}" in page


def test_parameters_and_versions(outline, page, pipe):
    told = {row[0]: row[1:] for row in outline.rows if len(row) == 3}
    for step in [pipe["embed"], pipe["cluster"]]:
        for name in step.get_params():
            assert name in told
    assert told["encoder_width"] == ["2", "set"]
    assert told["entropy_weight"] == ["5.0", "default"]
    assert torch.__version__ in page
    assert invariant_cluster.__version__ in page


def test_the_most_abnormal_images_fit_nowhere(page, pipe, images):
    assert "SCANClusterer.score_samples" in page
    assert worst_in(page) == pipe.score_samples(images).argmin()


def test_without_a_score_the_least_confident_fit_nowhere(pipe, images, tmp_path):
    class Unscored(SCANClusterer):
        score_samples = property()

    unscored = Pipeline([pipe.steps[0], ("cluster", copy.copy(pipe[-1]))])
    unscored[-1].__class__ = Unscored
    page = write(unscored, images, tmp_path)
    assert "ranked by confidence" in page
    assert worst_in(page) == pipe.predict_proba(images).max(axis=1).argmin()


def test_any_clusterers_score_is_used(make_polar_embedder, images, tmp_path):
    mixture = GaussianMixture(3, reg_covar=1e-2, random_state=0)
    pipe = make_pipeline(make_polar_embedder(d=4), mixture).fit(images)
    page = write(pipe, images, tmp_path)
    assert "GaussianMixture.score_samples" in page
    assert worst_in(page) == mixture.score_samples(pipe[:-1].transform(images)).argmin()


def test_a_matched_class_comes_with_its_share(page, pipe, images, names):
    labels = pipe.predict(images)
    for cluster, found in matched_classes(names, labels).items():
        told = str(escape(found)).replace(" %", "\N{NO-BREAK SPACE}%")
        assert re.search(r"\(\d+\s%\)", told)
        assert page.count(told) >= 3  # table, gallery and map
        assert f"matched with {found.name}" not in page
        assert f"Cluster {cluster} <small>{told}</small>" in page


def test_names_stand_below_the_images(pipe, images, tmp_path):
    names = [f"lot_000{row // 9}/wafer_{row:06d}_map.png" for row in range(len(images))]
    path = cluster_report(pipe, images, path=tmp_path / "report.html", names=names)
    page = text_of(path)
    assert "lot_<wbr>000" in page  # where a line may end
    page = page.replace("<wbr>", "")
    worst = names[worst_in(page)]
    assert f'title="{worst}"' in page
    assert f'<span class="short">{worst[:9]}…{worst[-12:]}</span>' in page
    assert f'<span class="full">{worst}</span>' in page
    data = json.loads(re.search(r'id="map-data">(.*?)</script>', page)[1])
    assert data["names"] == [names[row] for row in data["rows"]]


def test_short_names_are_shown_whole():
    assert shorten_middle("a" * 22) == "a" * 22
    assert shorten_middle("a" * 12 + "b" * 12) == "a" * 9 + "…" + "b" * 12


def test_wafers_have_their_outline(make_polar_embedder, images, page, tmp_path):
    maps = load_wafer_maps().images[:40]
    pipe = make_pipeline(make_polar_embedder(), KMeans(3, n_init=1, random_state=0))
    outlined = write(pipe.fit(maps), maps, tmp_path)
    rule = re.search(r"\.tile::after {\s+left: ([\d.]+)%; top: ([\d.]+)%;", outlined)
    assert rule.groups() == ("0.0", "0.0")
    assert "the edge of the disc that all images share" in outlined
    assert ".tile::after { display: none; }" in page


# Verdict

FINDINGS = (
    Finding(
        "stability",
        "bad",
        0.3,
        0.6,
        "30 % keep their cluster.",
        "z turns.",
        "Train <b>.",
    ),
    Finding("brightness", "good", 0.1, 0.5, "Brightness explains 10 %."),
)


@pytest.fixture(scope="module")
def judged(pipe, images, tmp_path_factory):
    path = tmp_path_factory.mktemp("judged") / "report.html"
    return text_of(cluster_report(pipe, images, path=path, verdict=Verdict(FINDINGS)))


def test_the_verdict_stands_above_all_figures(judged):
    verdict = judged.index('<section id="verdict" class="verdict bad"')
    assert verdict < judged.index('id="summary"') < judged.index("<dt>Stability")
    assert "Read these figures after the verdict" in judged
    assert 'class="facts judged"' in judged
    assert Outline(judged).open == []


def test_the_verdict_tells_troubles_with_cause_and_remedy(judged):
    for text in ["30 % keep their cluster.", "z turns.", "Train &lt;b&gt;."]:
        assert text in judged
    assert Verdict(FINDINGS).headline in judged
    passed = judged[judged.index("1 check passed") :]
    assert passed.index("Brightness explains") < passed.index("</details>")


def test_a_good_verdict_leaves_the_figures_as_they_are(pipe, images, tmp_path):
    good = Verdict(FINDINGS[1:])
    path = cluster_report(pipe, images, path=tmp_path / "r.html", verdict=good)
    assert 'class="verdict good"' in text_of(path)
    assert "Read these figures after" not in text_of(path)


def test_the_verdict_is_asked_for_by_default(page, pipe, images):
    assert f'class="verdict {check_fit(pipe, images).level}"' in page


def test_the_verdict_can_be_left_out(pipe, images, tmp_path):
    path = cluster_report(pipe, images, path=tmp_path / "r.html", verdict=None)
    assert 'id="verdict"' not in text_of(path)


def test_embedders_of_others_have_no_verdict(images, tmp_path):
    rows = images.reshape(len(images), -1)
    shaped = PolarFourierEmbedder(d=4, image_shape=images.shape[1:])
    pipe = make_pipeline(PCA(4), KMeans(3, n_init=1, random_state=0)).fit(rows)
    assert not can_judge(pipe)
    assert can_judge(make_pipeline(shaped, KMeans(3, n_init=1)).fit(rows))


# Safety


def test_it_loads_nothing_from_elsewhere(page, outline):
    without_pictures = re.sub(r"base64,[\w+/=]+", "", page)
    assert not re.search(r"https?:|//\w|@import", without_pictures)
    assert set(re.findall(r"url\((.{5})", page)) == {"data:"}
    for name in ["src", "srcset", "data", "action", "poster"]:
        assert outline.attributes(name) == []
    assert all(link.startswith("#") for link in outline.attributes("href"))
    assert "default-src 'none'" in page


def test_names_are_escaped(page):
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "O&#39;Hara &amp; &#34;sons&#34;" in page
    assert "ünï ✓" in page


def test_parameters_are_escaped(pipe, images, tmp_path, monkeypatch):
    monkeypatch.setattr(pipe["embed"], "device", "</code><script>alert(2)</script>")
    settings = _cluster_report.list_settings(pipe)
    monkeypatch.undo()
    monkeypatch.setattr(_cluster_report, "list_settings", lambda _: settings)
    assert "<script>alert" not in write(pipe, images, tmp_path)


def test_a_failure_leaves_the_old_report(pipe, images, tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old")
    broken = np.where(np.arange(48) == 0, "\ud800", "b")  # no UTF-8 for half a pair
    with pytest.raises(UnicodeEncodeError):
        cluster_report(pipe, images, broken, path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_is_trained_and_images_are_embedded_twice(
    pipe, images, tmp_path, no_training, generators_unchanged, monkeypatch
):
    calls = []
    transform = type(pipe["embed"]).transform

    def counted(self, X):
        calls.append(len(X))
        return transform(self, X)

    monkeypatch.setattr(type(pipe["embed"]), "transform", counted)
    cluster_report(pipe, images, path=tmp_path / "report.html", verdict=None)
    assert calls == [48, 48]  # as they are, and turned


# Other pipelines


def test_kmeans_has_no_confidence(make_polar_embedder, images, names, tmp_path):
    kmeans = KMeans(3, n_init=1, random_state=0)
    pipe = make_pipeline(make_polar_embedder(), PCA(4), kmeans).fit(images)
    page = write(pipe, images, tmp_path, names)
    assert "KMeans gives no probabilities" in page
    assert "finds no canonical orientation" in page
    assert "No step of this pipeline has a training history" in page
    assert "Most typical" in page
    assert '<button type="button">Confidence' not in page


def test_a_clusterer_without_predict(make_polar_embedder, images, tmp_path):
    pipe = make_pipeline(make_polar_embedder(), AgglomerativeClustering(3))
    page = write(pipe.fit(images), images, tmp_path)
    assert "there is no stability" in page
    with pytest.raises(ValueError, match=r"X has 47 images but Agglomerative.*the 48 "):
        write(pipe, images[1:], tmp_path)


def test_noise_is_no_cluster(make_polar_embedder, images, tmp_path):
    pipe = make_pipeline(make_polar_embedder(), AgglomerativeClustering(3)).fit(images)
    pipe[-1].labels_ = pipe[-1].labels_ - 1
    page = write(pipe, images, tmp_path)
    assert "No cluster (noise)" in page
    assert "48 images, 2 clusters" in page


@pytest.mark.parametrize(
    "reshape",
    [
        lambda X: X.reshape(len(X), -1),
        lambda X: pd.DataFrame(X.reshape(len(X), -1)).rename(columns=str),
        lambda X: np.stack([X, X, 255 - X], axis=-1),
        lambda X: np.stack([X, X, 255 - X], axis=1) / 255,
        lambda X: list(X),
    ],
    ids=["flat", "frame", "RGB", "channels first", "list"],
)
def test_any_layout(reshape, make_embedder, images, tmp_path):
    X = reshape(images)
    kmeans = KMeans(3, n_init=1, random_state=0)
    pipe = make_pipeline(make_embedder(), kmeans).fit(X)
    assert "16 x 16 pixels" in write(pipe, X, tmp_path)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_images(n, pipe, images, names, tmp_path):
    page = write(pipe, images[:n], tmp_path, names[:n])
    assert ("A map needs 3 images" in page) == (n < 3)


def test_images_all_alike(pipe, images, tmp_path):
    assert "Map of 6 images" in write(pipe, images[[0] * 6], tmp_path)


def test_many_images_keep_the_file_small(make_polar_embedder, tmp_path, monkeypatch):
    """2,000 images of noise, which no PNG shrinks."""
    monkeypatch.setattr(
        "invariant_cluster.report._map.map_to_plane", lambda z, **_: z[:, :2]
    )
    noise = np.random.default_rng(0).integers(0, 256, (2500, 32, 32), dtype=np.uint8)
    kmeans = KMeans(9, n_init=1, random_state=0)
    pipe = make_pipeline(make_polar_embedder(d=4), kmeans).fit(noise)
    page = write(pipe, noise, tmp_path)
    assert len(page) < 5e6
    assert "2000 of\n  the 2500, drawn at random" in page


# Errors


def test_errors_name_what_to_do(pipe, images, names, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere.r\.html' is in a folder"):
        cluster_report(pipe, images, path=tmp_path / "nowhere" / "r.html")
    with pytest.raises(IsADirectoryError, match=r"path='.*' is a folder: give the"):
        cluster_report(pipe, images, path=tmp_path)
    with pytest.raises(ValueError, match="names has 1 entries but X has 48 images"):
        cluster_report(pipe, images, path=tmp_path / "r.html", names=["one.png"])
    with pytest.raises(ValueError, match="y has 47 entries but X has 48 images: give"):
        cluster_report(pipe, images, names[1:], tmp_path / "r.html")
    gap = np.where(np.arange(48) == 0, np.nan, 1.0)
    with pytest.raises(ValueError, match="y has a missing value, first in row 0"):
        cluster_report(pipe, images, gap, tmp_path / "r.html")
    with pytest.raises(TypeError, match="pipeline is a KMeans: give a scikit-learn"):
        cluster_report(KMeans(3), images, path=tmp_path / "r.html")
    with pytest.raises(TypeError, match="verdict='good' is no Verdict: give"):
        cluster_report(pipe, images, path=tmp_path / "r.html", verdict="good")
    one = Pipeline([("cluster", pipe["cluster"])])
    with pytest.raises(ValueError, match=r"pipeline has 1 step, \['cluster'\]: give "):
        cluster_report(one, images, path=tmp_path / "r.html")
    no_clusterer = make_pipeline(pipe["embed"], PCA(2).fit(images[:, 0]))
    with pytest.raises(ValueError, match=r"ends in PCA.* put a clusterer last"):
        cluster_report(no_clusterer, images, path=tmp_path / "r.html")
    assert list(tmp_path.iterdir()) == []


def test_an_unfitted_pipeline_is_told_of(make_embedder, make_clusterer, images):
    pipe = make_pipeline(make_embedder(), make_clusterer())
    with pytest.raises(NotFittedError, match=r"not fitted: call pipeline\.fit\(X\)"):
        cluster_report(pipe, images)


@pytest.mark.parametrize("missing", ["jinja2", "PIL"])
def test_a_missing_library_is_named(missing, pipe, images, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match=r"pip install jinja2 pillow, or install t"):
        cluster_report(pipe, images, path=tmp_path / "r.html")


def test_a_mean_image_is_of_images_that_joined_one_average(images):
    embedder = ClassAverageEmbedder(3, n_rotations=12, n_starts=2, random_state=0)
    joined = embedder.fit_transform(images).argmax(axis=1)
    left = _of_one_average(embedder, images)
    assert len(left) == np.bincount(joined).max() < len(images)
    assert len(set(embedder.transform(left).argmax(axis=1))) == 1
    assert _of_one_average(PolarFourierEmbedder(), images) is images


def test_pictures_have_one_level_if_the_embedder_gives_images_one(images):
    gains = 10.0 ** np.linspace(-3, 3, len(images))
    faint = images * gains[:, None, None]
    embedder = PolarFourierEmbedder(
        d=4, invariance="rotation+translation+brightness", random_state=0
    )
    pipe = make_pipeline(embedder, KMeans(3, n_init=1, random_state=0)).fit(faint)
    shown = ReportImages.of(pipe, faint)
    pictures = shown.pictures(np.arange(len(images)))
    assert pictures.max(axis=(1, 2)).min() > 0.5
    np.testing.assert_array_equal(shown.array, faint)


def test_names_that_are_but_rows_are_not_repeated(pipe, images, tmp_path):
    rows = [str(row) for row in range(len(images))]
    with_rows, without = (
        cluster_report(pipe, images, path=tmp_path / name, names=names, verdict=None)
        for name, names in (("a.html", rows), ("b.html", None))
    )
    assert "Full names" not in text_of(with_rows)
    assert "Full names" not in text_of(without)
