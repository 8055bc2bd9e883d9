"""Preparation: equal to scikit-learn's pipeline, fitted on training rows only, of fixed sign, and re-usable."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from quantum_assets.contracts.dataset import Dataset, Split
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.study import Preparation, Protocol, Reduction, Scaling
from quantum_assets.datasets.preparation import fit, fit_full, prepare
from quantum_assets.datasets.splits import splits
from quantum_assets_tests.datasets.tables_of_files import some_examples

RNG = np.random.default_rng(7)
VALUES = RNG.normal(size=(90, 6)) @ RNG.normal(size=(6, 6)) * [1, 10, 0.1, 5, 1, 1000] + [0, 5, 1, 0, -3, 1e4]
LABELS = (VALUES[:, 0] + RNG.normal(size=90) > 0).astype(np.int64)
RECIPES = [
    Preparation(scaling=scaling, reduction=reduction, qubits=None if reduction == "none" else 3)
    for scaling in ("none", "standard", "minmax")
    for reduction in ("none", "pca", "select")
]


def dataset(values: np.ndarray = VALUES, labels: np.ndarray = LABELS) -> Dataset:
    names = tuple(f"f{i}" for i in range(values.shape[1]))
    return Dataset("s", values, labels, ("a", "b"), names, tuple(str(i) for i in range(len(values))))


def pipeline(scaling: Scaling, reduction: Reduction) -> Any:
    """The same recipe in scikit-learn's words."""
    from sklearn.decomposition import PCA
    from sklearn.feature_selection import SelectKBest, f_classif
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import MinMaxScaler, StandardScaler

    def scaler() -> Any:
        return {"standard": StandardScaler(), "minmax": MinMaxScaler((0, np.pi)), "none": "passthrough"}[scaling]

    steps = {
        "none": ["passthrough", "passthrough"],
        "pca": [PCA(3, svd_solver="full"), scaler()],
        "select": [SelectKBest(f_classif, k=3), "passthrough"],
    }[reduction]
    return Pipeline([("scale", scaler()), ("reduce", steps[0]), ("again", steps[1])])


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda r: f"{r.scaling}-{r.reduction}")
def test_agrees_with_the_pipeline_of_scikit_learn(recipe: Preparation) -> None:
    folds = splits(dataset(), Protocol(repeats=1, inner_folds=2))
    features = prepare(dataset(), folds, recipe)
    for split in folds:
        found = features.splits[split.id]
        model = pipeline(recipe.scaling, recipe.reduction).fit(VALUES[split.train], LABELS[split.train])
        wanted = model.transform(VALUES[found.rows])
        for column in range(features.n_qubits):
            same = np.allclose(found.values[:, column], wanted[:, column], rtol=1e-9, atol=1e-8)
            top = np.pi if recipe.scaling == "minmax" else 0.0  # a flipped component is mirrored in its range
            flipped = np.allclose(found.values[:, column], top - wanted[:, column], rtol=1e-9, atol=1e-8)
            assert same or (recipe.reduction == "pca" and flipped)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda r: f"{r.scaling}-{r.reduction}")
def test_test_rows_do_not_touch_the_fit(recipe: Preparation) -> None:
    folds = splits(dataset(), Protocol(repeats=1, inner_folds=2))
    before = prepare(dataset(), folds, recipe)
    for split in folds:
        if len(split.test) == 0:
            continue
        values, labels = VALUES.copy(), LABELS.copy()
        values[split.test] = 50 * values[split.test] + 1000
        labels[split.test] = 1 - labels[split.test]
        after = prepare(dataset(values, labels), (split,), recipe).splits[split.id]
        old = before.splits[split.id]
        assert after.values[after.train].tobytes() == old.values[old.train].tobytes()
        assert not np.allclose(after.values[~after.train], old.values[~old.train])


@pytest.mark.parametrize("recipe", RECIPES[3:], ids=lambda r: f"{r.scaling}-{r.reduction}")
def test_the_check_for_leaks_sees_a_changed_training_row(recipe: Preparation) -> None:
    """The same comparison with a training row changed fails: it can fail."""
    split = splits(dataset(), Protocol())[5]
    values = VALUES.copy()
    values[split.train[0]] *= 50
    before, after = (prepare(dataset(v), (split,), recipe).splits[split.id] for v in (VALUES, values))
    assert before.values[before.train][1:].tobytes() != after.values[after.train][1:].tobytes()


def test_scales_are_as_stated() -> None:
    folds = splits(dataset(), Protocol())
    for part in prepare(dataset(), folds, Preparation(qubits=4)).splits.values():
        np.testing.assert_allclose(part.values[part.train].mean(axis=0), 0, atol=1e-12)
        np.testing.assert_allclose(part.values[part.train].std(axis=0), 1)
    for part in prepare(dataset(), folds, Preparation(scaling="minmax", qubits=4)).splits.values():
        np.testing.assert_allclose(part.values[part.train].min(axis=0), 0, atol=1e-12)
        np.testing.assert_allclose(part.values[part.train].max(axis=0), np.pi)
    raw = prepare(dataset(), folds, Preparation(scaling="none", reduction="none", qubits=None))
    np.testing.assert_array_equal(raw.splits["full"].values, VALUES)


def test_rows_flags_and_order_of_the_splits() -> None:
    folds = splits(dataset(), Protocol(repeats=2))
    features = prepare(dataset(), folds, Preparation(qubits=2))
    assert list(features.splits) == [split.id for split in folds]
    assert features.n_qubits == 2
    assert features.dataset_fingerprint == dataset().fingerprint
    for split in folds:
        part = features.splits[split.id]
        np.testing.assert_array_equal(part.rows[part.train], split.train)
        np.testing.assert_array_equal(part.rows[~part.train], split.test)
        assert part.values.flags.c_contiguous
    assert len(list(features.outer())) == 10
    assert len(list(features.inner("r1f4"))) == 4


def test_sign_of_a_component_is_fixed() -> None:
    for values in (VALUES, -VALUES, VALUES[::-1]):
        fitted = fit(values, LABELS, Preparation(qubits=3), "s")
        leading = np.abs(fitted.components).argmax(axis=0)
        assert (fitted.components[leading, range(3)] > 0).all()


@some_examples
@given(st.integers(0, 10_000))
def test_equal_loadings_take_the_sign_of_the_first(seed: int) -> None:
    """Two standardised columns always have loadings ±1/√2: rounding must not choose the sign."""
    values = np.random.default_rng(seed).normal(size=(20, 2)) @ [[1, -0.4], [0, 1]]
    components = fit(values, np.arange(20) % 2, Preparation(qubits=2), "s").components
    np.testing.assert_allclose(components[0], [0.5**0.5, 0.5**0.5])


def test_selection_breaks_ties_by_column_order() -> None:
    values = np.column_stack([VALUES[:, 1], VALUES[:, 0], VALUES[:, 0] * 3 + 1, VALUES[:, 0]])
    for scaling in ("none", "standard", "minmax"):
        fitted = fit(values, LABELS, Preparation(scaling=scaling, reduction="select", qubits=2), "s")
        assert fitted.components.argmax(axis=0).tolist() == [1, 2]


def test_selection_ranks_perfect_columns_first_and_constant_ones_last() -> None:
    values = np.column_stack([np.ones(90), VALUES[:, 1], LABELS.astype(float)])
    with np.errstate(all="raise"):
        fitted = fit(values, LABELS, Preparation(scaling="none", reduction="select", qubits=2), "s")
    assert fitted.components.argmax(axis=0).tolist() == [1, 2]


@pytest.mark.parametrize("scaling", ["standard", "minmax"])
def test_a_column_constant_in_training_is_zero_everywhere(scaling: Scaling) -> None:
    values = VALUES.copy()
    values[:60, 5] = 0.1
    recipe = Preparation(scaling=scaling, reduction="none", qubits=None)
    fold = Split("r0f0", np.arange(60), np.arange(60, 90))
    assert not prepare(dataset(values), (fold,), recipe).splits["r0f0"].values[:, 5].any()


@pytest.mark.parametrize("scaling", ["none", "standard", "minmax"])
def test_a_component_without_variance_is_zero_and_not_noise(scaling: Scaling) -> None:
    values = np.column_stack([VALUES[:, 0], VALUES[:, 1], VALUES[:, 0] + VALUES[:, 1]])
    fold = Split("r0f0", np.arange(60), np.arange(60, 90))
    prepared = prepare(dataset(values), (fold,), Preparation(scaling=scaling, qubits=3)).splits["r0f0"].values
    assert not prepared[:, 2].any()
    assert prepared[:, :2].std() > 0.1


def test_fitted_full_split_is_what_prepare_made_and_serves_new_rows() -> None:
    recipe = Preparation(qubits=3)
    features = prepare(dataset(), splits(dataset(), Protocol()), recipe)
    fitted = fit_full(dataset(), recipe)
    assert fitted.transform(VALUES).tobytes() == features.splits["full"].values.tobytes()
    np.testing.assert_allclose(fitted.transform(VALUES[5:6]), features.splits["full"].values[5:6], atol=1e-12)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.ones((2, 5)), r"rows to prepare: have shape \(2, 5\)\. Give 6 columns in the fitted order\."),
        (np.ones(6), r"have shape \(6,\)"),
        (np.full((1, 6), np.nan), "hold NaN or infinite values. Clean or impute them first"),
    ],
)
def test_new_rows_are_checked(rows: np.ndarray, message: str) -> None:
    with pytest.raises(PlanError, match=message):
        fit_full(dataset(), Preparation(qubits=3)).transform(rows)


def test_more_qubits_than_columns_or_training_rows() -> None:
    with pytest.raises(PlanError, match=r"s: preparation\.qubits: pca cannot make 7 columns from 6 features"):
        prepare(dataset(), (), Preparation(qubits=7))
    fold = Split("r0f0", np.arange(4), np.arange(4, 90))
    with pytest.raises(PlanError, match="s: split r0f0: pca cannot make 5 columns from 4 training rows"):
        prepare(dataset(), (fold,), Preparation(qubits=5))


@pytest.mark.parametrize("scale", [1e308, 1e-320])
def test_values_that_overflow_are_refused(scale: float) -> None:
    values = np.sign(VALUES) * scale
    with pytest.raises(PlanError, match="s: split full: a column is too large or too small to be scaled in doubles"):
        fit_full(dataset(values), Preparation(qubits=2))


# Columns that only move by less than this are refused, as the test above holds: their variance is no double any more.
SCALABLE = st.just(0.0) | st.floats(1e-100, 1e6) | st.floats(-1e6, -1e-100)


@some_examples
@given(
    arrays(np.float64, (12, 3), elements=SCALABLE),
    st.sampled_from(RECIPES),
)
def test_whatever_the_values_the_result_is_finite(values: np.ndarray, recipe: Preparation) -> None:
    fold = Split("r0f0", np.arange(8), np.arange(8, 12))
    small = Preparation(
        scaling=recipe.scaling, reduction=recipe.reduction, qubits=None if recipe.reduction == "none" else 2
    )
    prepared = prepare(dataset(values, np.arange(12) % 2), (fold,), small).splits["r0f0"]
    assert np.isfinite(prepared.values).all()
