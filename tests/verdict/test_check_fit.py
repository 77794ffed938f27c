"""A good fit is called good; each way to spoil one is told with its remedy."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import DBSCAN, KMeans
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from invariant_cluster import (
    IRLINREmbedder,
    JointEmbedder,
    PolarFourierEmbedder,
    SCANClusterer,
    ScatteringEmbedder,
    check_fit,
)
from invariant_cluster import make_pipeline as make_ready_pipeline

pytestmark = pytest.mark.filterwarnings(
    "ignore::invariant_cluster.DriftWarning", "ignore:.* images are blank"
)


def polar(n_clusters=10, **parameters):
    """A pipeline that fits in a second."""
    embedder = PolarFourierEmbedder(d=16, random_state=0, **parameters)
    return make_pipeline(embedder, KMeans(n_clusters, n_init=3, random_state=0))


def judged(pipeline, images, **options):
    return check_fit(pipeline.fit(images), images, **options)


def level_of(verdict, check):
    return finding_of(verdict, check).level


def finding_of(verdict, check):
    """The finding whose check begins so; there is exactly one."""
    (finding,) = [f for f in verdict.findings if f.check.startswith(check)]
    return finding


@pytest.fixture(scope="module")
def digits400(many_digits):
    return many_digits[:400]


@pytest.fixture(scope="module")
def rings():
    """Rings of three sizes and any brightness, which are told apart with ease."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[-15.5:16, -15.5:16]
    radius = np.hypot(x, y)
    sizes = random.integers(0, 3, 240)
    bright = random.uniform(100, 250, 240)
    shapes = np.abs(radius - np.array([4, 8, 12])[sizes][:, None, None]) < 1.5
    return (shapes * bright[:, None, None]).astype(np.uint8), sizes


def test_a_fit_that_found_the_kinds_is_not_bad(rings):
    images, _ = rings
    verdict = judged(polar(3, power=0.5), images)
    assert verdict.level != "bad"
    assert level_of(verdict, "stability") == "good"
    assert level_of(verdict, "separation") == "good"


def test_the_verdict_is_the_same_each_time(digits400):
    pipe = polar().fit(digits400)
    assert check_fit(pipe, digits400) == check_fit(pipe, digits400)


def test_blank_images_are_told(digits400):
    images = digits400.copy()
    images[:300] = 0
    verdict = judged(polar(3), images)
    assert level_of(verdict, "blank") == "bad"
    assert "75% of the images are blank" in str(verdict)


def test_a_few_bright_images_that_set_the_range_are_told(digits400):
    images = digits400.astype(np.float32)
    images[::6] *= 1e4
    verdict = judged(polar(3, stretch="linear"), images)
    assert level_of(verdict, "range") == "bad"
    assert "of the intensity range" in str(verdict)


def test_blank_images_are_not_blamed_on_the_range(digits400):
    images = digits400.copy()
    images[:300] = 0
    images[:2] = 255
    assert level_of(judged(polar(3), images), "range") == "good"
    blank = np.zeros_like(images[:30])
    verdict = judged(make_pipeline(PolarFourierEmbedder(d=8), DBSCAN()), blank)
    assert "range" not in verdict.table.index


@pytest.mark.filterwarnings("ignore:X has a huge range")
def test_a_stretch_that_shows_faint_images_is_not_asked_for(digits400):
    gain = 10 ** np.random.default_rng(0).uniform(0, 6, (400, 1, 1))
    images = (digits400 * gain).astype(np.float32)
    levels = {
        stretch: level_of(judged(polar(3, stretch=stretch), images), "range")
        for stretch in ("linear", "asinh", "auto")
    }
    assert levels == {"linear": "bad", "asinh": "good", "auto": "good"}


def test_remedies_are_parameters_that_the_embedder_has(digits400):
    images = digits400.astype(np.float32)
    images[::6] *= 1e4
    told = finding_of(judged(polar(3, stretch="linear"), images), "range").remedy
    assert told == 'Use stretch="asinh", or add "brightness" to invariance.'
    embedder = ScatteringEmbedder(d=8, stretch="linear", intensity_range=(0, 1e9))
    pipe = make_pipeline(embedder, KMeans(3, n_init=1, random_state=0))
    told = finding_of(judged(pipe, images[:60]), "range").remedy
    assert told == (
        'Use stretch="asinh", add "brightness" to invariance, or give '
        "intensity_range=(low, high)."
    )


def test_what_an_embedder_cannot_ignore_is_to_be_mended_in_the_images():
    y, x = np.mgrid[-15.5:16, -15.5:16]
    radius = np.repeat([3, 6, 9, 12], 60)[:, None, None]
    random = np.random.default_rng(0)
    discs = (np.hypot(x, y) < radius + random.uniform(-0.5, 0.5, (240, 1, 1))) * 200
    verdict = judged(polar(4), discs.astype(np.uint8))
    assert "bring all objects to one size" in finding_of(verdict, "one aspect").remedy
    pipe = make_pipeline(
        ScatteringEmbedder(d=8, random_state=0),
        KMeans(4, n_init=3, random_state=0),
    )
    remedy = finding_of(judged(pipe, discs.astype(np.uint8)), "one aspect").remedy
    assert 'add "scale" to invariance' in remedy


def test_the_range_does_not_matter_where_brightness_is_free(digits400):
    images = digits400.astype(np.float32)
    images[::6] *= 1e4
    verdict = judged(polar(3, invariance="rotation+translation+brightness"), images)
    assert "range" not in verdict.table.index


def test_clusters_that_follow_brightness_are_told(rings):
    images, _ = rings
    one = np.where(images[:1] > 0, 1.0, 0.0)
    gain = np.repeat([30, 90, 160, 250], 60)[:, None, None]
    noise = np.random.default_rng(0).uniform(0, 3, (240, 32, 32))
    verdict = judged(polar(4), (one * gain + noise).astype(np.uint8))
    assert level_of(verdict, "one aspect") == "doubtful"
    assert 'add "brightness" to invariance' in str(verdict)


def test_too_many_clusters_are_told(digits400):
    verdict = judged(polar(60), digits400[:150])
    assert level_of(verdict, "images per cluster") == "bad"
    assert "smaller n_clusters" in str(verdict)


@pytest.mark.filterwarnings("ignore:n_clusters='auto'")
def test_a_number_chosen_by_chance_is_told(digits400):
    images = digits400[:60]
    heads = SCANClusterer(
        "auto", fine_tune=False, max_epochs=1, n_neighbors=5, random_state=0
    )
    pipe = make_pipeline(PolarFourierEmbedder(d=8, random_state=0), heads).fit(images)
    for found, level in ((True, "good"), (False, "doubtful")):
        pipe[-1].choice_ = replace(pipe[-1].choice_, found=found)
        assert level_of(check_fit(pipe, images), "number of clusters") == level


def test_remedies_call_the_number_of_clusters_as_the_clusterer_does(digits400):
    mixture = GaussianMixture(40, covariance_type="diag", random_state=0)
    pipe = make_pipeline(PolarFourierEmbedder(d=8, random_state=0), mixture)
    told = finding_of(judged(pipe, digits400[:80]), "images per cluster")
    assert told.remedy == "Use a smaller n_components, or more images."
    assert told.value == 2


def test_images_beyond_the_sample_count_where_clusters_are_not_remembered(digits400):
    many = np.concatenate([digits400] * 3)
    mixture = GaussianMixture(8, covariance_type="diag", random_state=0)
    pipe = make_pipeline(PolarFourierEmbedder(d=8, random_state=0), mixture)
    assert finding_of(judged(pipe, many), "images per cluster").value == 150


def test_noise_alone_is_bad_and_no_cluster(digits400):
    images = digits400[:60]
    verdict = judged(make_pipeline(PolarFourierEmbedder(d=8), DBSCAN(eps=1e-9)), images)
    noise = finding_of(verdict, "noise")
    assert (noise.level, noise.value) == ("bad", 1)
    assert "100% of the images are noise" in noise.told
    assert "DBSCAN" in noise.remedy
    assert not {"largest cluster", "images per cluster"} & set(verdict.table.index)


@pytest.mark.parametrize("clusterer", [DBSCAN(eps=1e9), KMeans(1, n_init=1)])
def test_one_cluster_tells_nothing_apart(digits400, clusterer):
    pipe = make_pipeline(PolarFourierEmbedder(d=8), clusterer)
    found = finding_of(judged(pipe, digits400[:60]), "largest cluster")
    assert (found.level, found.value) == ("doubtful", 1)


def test_noise_has_no_clusters():
    images = np.random.default_rng(0).integers(0, 255, (300, 16, 16), dtype=np.uint8)
    verdict = judged(polar(8), images)
    assert verdict.level == "bad"
    assert level_of(verdict, "stability") == "bad"


def test_a_cluster_of_nearly_all_is_told(digits400):
    images = np.concatenate([np.repeat(digits400[:1], 390, axis=0), digits400[:10]])
    assert level_of(judged(polar(3), images), "largest cluster") == "doubtful"


def test_a_network_of_few_steps_is_told(make_embedder, images):
    pipe = make_pipeline(make_embedder(max_epochs=1), KMeans(3, n_init=1))
    verdict = judged(pipe, images)
    assert level_of(verdict, "training steps") == "bad"
    remedy = finding_of(verdict, "training steps").remedy
    assert remedy == (
        "Use a larger max_epochs, or ScatteringEmbedder, which needs no training."
    )


def test_ready_pipelines_are_told_in_parameters_of_make_pipeline(images):
    pipe = make_ready_pipeline(
        3, features="learned", network="light", max_epochs=1, n_neighbors=3
    )
    small = {"encoder_width": 8, "inr_hidden": (8,), "hypernetwork_hidden": (8,)}
    pipe["embed"].set_params(d=4, **small)
    pipe["cluster"].set_params(fine_tune=False, max_epochs=1)
    remedy = finding_of(judged(pipe, images), "training steps").remedy
    assert 'features="scattering"' in remedy


def test_steps_are_counted_as_they_were_trained_and_loaded(
    make_embedder, images, tmp_path
):
    embedder = make_embedder(max_epochs=3, batch_size=5)
    pipe = make_pipeline(embedder, KMeans(3, n_init=1, random_state=0)).fit(images)
    expected = 3 * (len(images) // 5)  # an incomplete batch is dropped
    assert len(images) % 5
    assert finding_of(check_fit(pipe, images), "training steps").value == expected
    embedder.save(tmp_path / "model.safetensors")
    pipe.steps[0] = ("embed", type(embedder).load(tmp_path / "model.safetensors"))
    assert finding_of(check_fit(pipe, images), "training steps").value == expected


def test_each_space_of_a_joint_embedder_is_judged_by_name(make_embedder, images):
    free = PolarFourierEmbedder(d=8)
    joint = JointEmbedder([("own", make_embedder(max_epochs=1)), ("free", free)])
    checks = judged(make_pipeline(joint, KMeans(3, n_init=1)), images).table.index
    assert {"training steps (own)", "dimension (own)", "dimension (free)"} <= set(
        checks
    )
    assert "learned neighbors (own)" in checks
    assert "training steps (free)" not in checks


def test_z_of_one_dimension_has_collapsed(make_embedder, images):
    pipe = make_pipeline(make_embedder(max_epochs=1), KMeans(3, n_init=1)).fit(images)
    before = finding_of(check_fit(pipe, images), "dimension").value
    heads = [m for m in pipe[0].net_.module_.encoder.modules() if hasattr(m, "weight")]
    heads[-1].weight.data[1:] = 0
    assert np.count_nonzero(np.ptp(pipe[0].transform(images), axis=0) > 1e-6) == 1
    found = finding_of(check_fit(pipe, images), "dimension")
    assert before > 1.2
    assert found.value == pytest.approx(1, abs=1e-6)
    assert found.level == "bad"
    assert "Train longer" in found.remedy


def test_a_handful_of_images_says_nothing_of_dimensions(digits400):
    pipe = polar(3).fit(digits400)
    assert "dimension" not in check_fit(pipe, digits400[:9]).table.index
    assert "dimension" in check_fit(pipe, digits400[:10]).table.index


@pytest.mark.parametrize(
    ("pattern", "source"),
    [("{}/image{}.png", "folder"), ("2026-01-1{}_{}.png", "date")],
)
def test_clusters_that_follow_folders_or_dates_are_told(rings, pattern, source):
    images, sizes = rings
    names = [pattern.format(size, row) for row, size in enumerate(sizes)]
    verdict = judged(polar(3), images, names=names)
    assert level_of(verdict, source) == "doubtful"
    shuffled = list(np.random.default_rng(0).permutation(names))
    assert level_of(judged(polar(3), images, names=shuffled), source) == "good"


def test_names_are_paths_or_a_column_of_a_table(rings):
    images, sizes = rings
    names = [f"{size}/{row}.png" for row, size in enumerate(sizes)]
    pipe = polar(3).fit(images)
    expected = check_fit(pipe, images, names=names)
    assert check_fit(pipe, images, names=list(map(Path, names))) == expected
    column = pd.Series(names, index=range(900, 900 + len(names)))
    assert check_fit(pipe, images, names=column) == expected


def test_one_folder_is_not_compared(rings):
    images, _ = rings
    names = [f"all/{row}.png" for row in range(len(images))]
    assert "folder" not in judged(polar(3), images, names=names).table.index


def test_given_batches_are_compared(rings):
    images, sizes = rings
    assert level_of(judged(polar(3), images, batch=sizes), "batch") == "doubtful"


def test_a_clusterer_without_predict_is_judged_on_its_training_images(digits400):
    pipe = make_pipeline(PolarFourierEmbedder(d=8), DBSCAN(eps=0.5)).fit(digits400)
    verdict = check_fit(pipe, digits400)
    assert "stability" not in verdict.table.index
    with pytest.raises(ValueError, match="DBSCAN"):
        check_fit(pipe, digits400[:50])


def test_spaces_are_judged_though_the_output_is_a_table(digits400):
    members = [(n, PolarFourierEmbedder(d=8, random_state=0)) for n in ("a", "b")]
    pipe = make_pipeline(JointEmbedder(members), KMeans(3, n_init=1, random_state=0))
    pipe.set_output(transform="pandas")
    checks = judged(pipe, digits400[:60]).table.index
    assert {"dimension (a)", "dimension (b)"} <= set(checks)


def test_steps_between_embedder_and_clusterer_are_passed(digits400):
    pipe = make_pipeline(
        PolarFourierEmbedder(d=16), PCA(4), KMeans(3, n_init=1, random_state=0)
    )
    assert "separation" in judged(pipe, digits400).table.index


def test_steps_before_the_embedder_are_passed(digits400):
    inverted = FunctionTransformer(lambda images: 255 - images)
    pipe = make_pipeline(inverted, *(step for _, step in polar().steps))
    plain = judged(polar(), 255 - digits400).table
    assert judged(pipe, digits400).table["value"].tolist() == plain["value"].tolist()


def test_flat_rows_and_masked_images_are_judged_as_images_are(digits400):
    plain = judged(polar(), digits400)
    flat = judged(polar(image_shape=digits400.shape[1:]), digits400.reshape(400, -1))
    assert flat.table["value"].tolist() == pytest.approx(plain.table["value"].tolist())
    masked = np.ma.masked_array(digits400, np.zeros(digits400.shape, bool))
    assert judged(polar(), masked).level == plain.level


@pytest.mark.parametrize("n_images", [4, 12])
def test_a_handful_of_images_is_judged_without_an_error(digits400, n_images):
    assert judged(polar(2), digits400[:n_images]).findings


@pytest.mark.parametrize(
    ("pipeline", "error", "told"),
    [
        (KMeans(3), TypeError, "is not a Pipeline"),
        (make_pipeline(PolarFourierEmbedder()), ValueError, "has one step"),
        (make_pipeline(PCA(2), KMeans(3, n_init=1)), ValueError, "of this package"),
        (make_pipeline(PolarFourierEmbedder(), PCA(2)), ValueError, "clusters nothing"),
    ],
)
def test_what_is_no_pipeline_of_images_is_refused(digits400, pipeline, error, told):
    if isinstance(pipeline, Pipeline):
        images = digits400.reshape(400, -1)
        first = isinstance(pipeline[0], PCA)
        pipeline.fit(images if first else digits400)
    with pytest.raises(error, match=told):
        check_fit(pipeline, digits400.reshape(400, -1))


def test_what_is_not_fitted_is_refused(digits400):
    with pytest.raises(NotFittedError):
        check_fit(make_pipeline(IRLINREmbedder(), KMeans(3)), digits400)


@pytest.mark.parametrize("option", ["names", "batch"])
def test_lengths_must_agree(digits400, option):
    pipe = polar().fit(digits400)
    with pytest.raises(ValueError, match="inconsistent"):
        check_fit(pipe, digits400, **{option: ["a"] * 3})
