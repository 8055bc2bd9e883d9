import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_assets.contracts.errors import PlanError
from quantum_assets.models.statistics import corrected_t, equivalent, holm, score_interval


def test_corrected_t_by_hand():
    # mean 0.1, s² = 0.02/3, (1/4 + 25/75) s² = 0.0038889, t = 1.60357 on 3 degrees of freedom
    found = corrected_t([0.1, 0.2, 0.0, 0.1], n_train=75, n_test=25)
    assert found.difference == pytest.approx(0.1)
    ratio = 1.603567 / np.sqrt(3)  # the distribution function for 3 degrees of freedom has a closed form
    tail = 0.5 - (ratio / (1 + ratio**2) + np.arctan(ratio)) / np.pi
    assert found.p_value == pytest.approx(2 * tail, abs=1e-6)
    assert (found.low, found.high) == pytest.approx((0.1 - 0.198460, 0.1 + 0.198460), abs=1e-6)


def test_without_test_rows_to_speak_of_it_is_the_students_test():
    from scipy.stats import ttest_1samp

    values = np.random.default_rng(0).normal(0.02, 0.05, 12)
    assert corrected_t(values, n_train=1e12, n_test=1).p_value == pytest.approx(ttest_1samp(values, 0).pvalue)


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=30), st.floats(0.01, 0.4))
def test_interval_and_p_value_agree(values, alpha):
    found = corrected_t(values, 80, 20, alpha)
    assert found.low <= found.difference <= found.high
    assert 0 <= found.p_value <= 1
    if np.ptp(values) > 1e-9 and abs(found.p_value - alpha) > 1e-6:
        assert (found.p_value < alpha) == (found.low > 0 or found.high < 0)


def test_turning_the_sides_round_turns_the_sign():
    values = np.array([0.1, -0.02, 0.05, 0.2])
    there, back = corrected_t(values, 80, 20), corrected_t(-values, 80, 20)
    assert there.p_value == pytest.approx(back.p_value)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))


@pytest.mark.parametrize(("constant", "p_value"), [(0.0, 1.0), (0.3, 0.0), (-0.3, 0.0)])
def test_differences_without_variance(constant, p_value):
    found = corrected_t([constant] * 5, 80, 20)
    assert found.p_value == p_value
    assert (found.low, found.difference, found.high) == pytest.approx((constant,) * 3)


@pytest.mark.parametrize("values", [[], [0.1], [0.1, np.nan], [0.1, np.inf]])
def test_refuses_what_has_no_variance_or_is_not_finite(values):
    with pytest.raises(PlanError, match="two or more outer folds"):
        corrected_t(values, 80, 20)


def test_refuses_folds_without_rows():
    with pytest.raises(PlanError, match="fold sizes"):
        corrected_t([0.1, 0.2], 80, 0)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    assert holm([0.6, 0.7]) == (1.0, 1.0)
    assert holm([0.02]) == (0.02,)
    assert holm([]) == ()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_keeps_order_and_lies_between_p_and_bonferroni(p_values):
    adjusted = np.array(holm(p_values))
    raw = np.array(p_values)
    assert (adjusted >= raw).all()
    assert (adjusted <= np.minimum(1, len(raw) * raw) + 1e-12).all()
    assert (np.diff(adjusted[np.argsort(raw, kind="stable")]) >= 0).all()


def test_score_interval_by_hand_and_within_the_range_of_scores():
    mean, low, high = score_interval([0.6, 0.7, 0.5, 0.6], n_train=75, n_test=25)
    assert (mean, low, high) == pytest.approx((0.6, 0.6 - 0.198460, 0.6 + 0.198460), abs=1e-6)
    assert score_interval([1.0, 0.9, 1.0], 75, 25)[2] == 1.0
    assert score_interval([1.0, 1.0], 75, 25) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("low", "high", "answer"), [(-0.01, 0.01, True), (-0.005, 0.02, False), (-0.02, 0.0, False), (0.0, 0.0, True)]
)
def test_equivalence_needs_the_whole_interval(low, high, answer):
    assert equivalent(low, high, 0.01) is answer


def _centroid_hits(columns, labels, train, test):
    means = np.stack([columns[train][labels[train] == c].mean(axis=0) for c in (0, 1)])
    distances = ((columns[test][:, None] - means[None]) ** 2).sum(axis=2)
    return np.mean(distances.argmin(axis=1) == labels[test])


def _difference_on_noise(random, repeats=6, folds=5, rows=60):
    """Repeated cross-validation of two classifiers, each on a noise column of its own: their true difference is 0."""
    columns, labels = random.normal(size=(rows, 2)), random.permutation(np.arange(rows) % 2)
    found = []
    for _ in range(repeats):
        order = random.permutation(rows)
        for fold in range(folds):
            test = order[fold::folds]
            train = np.setdiff1d(order, test)
            first, second = (_centroid_hits(columns[:, [c]], labels, train, test) for c in (0, 1))
            found.append(first - second)
    return found


def test_the_correction_keeps_the_error_that_the_naive_test_does_not():
    from scipy.stats import ttest_1samp

    random = np.random.default_rng(2024)
    studies = [_difference_on_noise(random) for _ in range(150)]
    corrected = np.mean([corrected_t(study, 48, 12).p_value < 0.05 for study in studies])
    naive = np.mean([ttest_1samp(study, 0).pvalue < 0.05 for study in studies])
    assert naive > 0.25
    assert corrected < 0.1
    assert corrected < naive / 3
