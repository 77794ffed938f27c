"""scikit-learn's contract suite on every estimator, with the checks counted.

And what the suite does not ask: ``set_params`` acts on the next ``fit`` alone.
"""

import traceback

import numpy as np
import pytest
from sklearn.utils.estimator_checks import check_estimator

from invariant_cluster import JointEmbedder

# Why a check may fail, by estimator and check: how a processor rounds decides.
ROUNDING = (
    "compares rows embedded alone and together to 1e-4 of each value: z has unit "
    "variance, float32 convolutions round by batch size, and values near 0 differ more"
)
NOT_SCALED = {"TARGET-VAE", "spatial-VAE"}  # their prior scales z: they pass it
LEAST_CHECKS = 45  # a 3-D-only input tag leaves one, and it passes


def describe(result: dict) -> str:
    error = "".join(traceback.format_exception(result["exception"]))
    return f"{result['check_name']}\n{error}"


# The suite's rows are narrower than 64 values, and none of them are images.
@pytest.mark.filterwarnings("ignore:Rows of .* values do not fill a square:UserWarning")
def test_contract_of_embedders(make_any_embedder):
    excused = make_any_embedder.__name__ not in NOT_SCALED
    expected = {"check_methods_subset_invariance": ROUNDING} if excused else {}
    check_contract(make_any_embedder(), expected)


@pytest.mark.filterwarnings("ignore:fine_tune='auto' but X is a plain:UserWarning")
def test_contract_of_clusterers(make_any_clusterer):
    check_contract(make_any_clusterer())


WITHOUT_TRAINING = [
    ("polar Fourier", {}),
    ("polar Fourier", {"radial_basis": "zernike", "whiten": 0.5}),
    ("scattering", {}),
    ("scattering", {"align": None}),
    ("class averages", {}),
    ("class averages", {"invariance": "rotation+reflection"}),
]


@pytest.mark.filterwarnings("ignore:Rows of .* values do not fill a square:UserWarning")
@pytest.mark.parametrize(("kind", "parameters"), WITHOUT_TRAINING, ids=str)
def test_contract_of_embedders_without_training(kind, parameters, feature_makers):
    check_contract(feature_makers[kind](**parameters))


def test_every_embedder_without_training_is_checked(feature_makers):
    assert {kind for kind, _ in WITHOUT_TRAINING} == set(feature_makers)


@pytest.mark.filterwarnings("ignore:Rows of .* values do not fill a square:UserWarning")
def test_contract_of_joint_spaces(make_embedder, make_polar_embedder):
    members = [("learned", make_embedder()), ("rings", make_polar_embedder())]
    check_contract(
        JointEmbedder(members), {"check_methods_subset_invariance": ROUNDING}
    )


def check_contract(estimator, expected=()):
    """Run the suite; ``expected`` tells of a check why it may fail."""
    expected = dict(expected)
    results = check_estimator(
        estimator, expected_failed_checks=expected, on_skip=None, on_fail=None
    )

    by_status: dict[str, list[dict]] = {}
    for result in results:
        by_status.setdefault(result["status"], []).append(result)
    failed = by_status.get("failed", [])

    if failed:
        pytest.fail("\n".join(map(describe, failed)), pytrace=False)
    n_run = len(by_status.get("passed", [])) + len(by_status.get("xfail", []))
    assert n_run >= LEAST_CHECKS


# Parameters that are set after the fit

CIRCUMSTANCES = {"device"}  # where to compute is no part of what was fitted


@pytest.fixture(params=[None, object()], ids=["None", "an object"])
def change_parameters(request):
    """Set all parameters of a fitted estimator to what none of them can be."""

    def change(estimator):
        names = estimator.get_params(deep=False).keys() - CIRCUMSTANCES
        return estimator.set_params(**dict.fromkeys(names, request.param))

    return change


def test_no_parameter_changes_a_fitted_embedder(
    make_any_embedder, images, change_parameters
):
    check_outputs(make_any_embedder().fit(images), images, change_parameters)


@pytest.mark.parametrize(("kind", "parameters"), WITHOUT_TRAINING, ids=str)
def test_no_parameter_changes_a_fitted_embedder_without_training(
    kind, parameters, feature_makers, images, change_parameters
):
    embedder = feature_makers[kind](**parameters).fit(images)
    check_outputs(embedder, images, change_parameters)


def test_no_parameter_changes_fitted_joint_spaces(
    make_embedder, make_polar_embedder, images, change_parameters
):
    members = [("learned", make_embedder()), ("rings", make_polar_embedder())]
    joint = JointEmbedder(members, weights=[1, 2]).fit(images)
    check_outputs(joint, images, change_parameters)


@pytest.mark.parametrize("tuned", [False, True])
def test_no_parameter_changes_a_fitted_clusterer(
    tuned, make_any_clusterer, make_embedder, images, change_parameters
):
    z = make_embedder().fit_transform(images)
    check_outputs(make_any_clusterer(fine_tune=tuned).fit(z), z, change_parameters)


METHODS = (
    "transform",
    "predict_pose",
    "canonicalize",
    "reconstruct",
    "predict_proba",
    "score_samples",
)


def check_outputs(estimator, X, change):
    """Compare what all methods return before and after parameters are changed."""
    before = outputs_of(estimator, X)
    after = outputs_of(change(estimator), X)
    assert before
    for name, expected in before.items():
        np.testing.assert_array_equal(after[name], expected, name)


def outputs_of(estimator, X):
    """Return what each method returns as one array, poses side by side."""
    found = {name: getattr(estimator, name, None) for name in METHODS}
    outputs = {name: method(X) for name, method in found.items() if method}
    return {
        name: np.column_stack(value) if isinstance(value, tuple) else np.array(value)
        for name, value in outputs.items()
    }
