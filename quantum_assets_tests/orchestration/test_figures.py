"""The pictures: small, repeatable, blind to the order of their input, and refusing what they cannot draw."""

import base64
import hashlib
import io
import subprocess
import sys
from collections.abc import Callable
from functools import cache

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.evaluation import Comparison, Family, FoldScore
from quantum_assets.orchestration import figures

MODELS: tuple[tuple[str, Family, float], ...] = (
    ("quantum", "quantum", 0.95),
    ("quantum without entanglers", "ablation", 0.96),
    ("svm_rbf", "classical", 0.97),
    ("majority", "floor", 0.5),
)


def gram(n: int = 60) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.str_], npt.NDArray[np.float64]]:
    rng = np.random.default_rng(5)
    classes = np.arange(n) % 3
    points = rng.normal(size=(n, 3)) + classes[:, None]
    distances = ((points[:, None] - points[None]) ** 2).sum(-1)
    return np.exp(-0.3 * distances), np.array([f"class_{c}" for c in classes]), points


def fold_scores(folds: int = 5) -> list[FoldScore]:
    rng = np.random.default_rng(6)
    return [
        FoldScore(
            model, family, 0, fold, float(np.clip(level + rng.normal(0, 0.02), 0, 1)), level, "{}", 9, 80, 20, 0, 0.1
        )
        for model, family, level in MODELS
        for fold in range(folds)
    ]


def comparisons() -> list[Comparison]:
    return [
        Comparison(model, family, 0.95 - level, 0.94 - level, 0.96 - level, 0.2, 0.4, False)
        for model, family, level in MODELS[1:]
    ]


def heatmap() -> bytes:
    k, classes, _ = gram()
    return figures.gram_heatmap(k, classes, "Kernel")


def spectrum() -> bytes:
    k, _, _ = gram()
    noisy = k + np.random.default_rng(7).normal(0, 0.05, k.shape)
    return figures.spectrum({"exact": np.linalg.eigvalsh(k), "noisy": np.linalg.eigvalsh((noisy + noisy.T) / 2)})


def scores() -> bytes:
    return figures.scores(fold_scores())


def comparison() -> bytes:
    return figures.comparison(comparisons(), 0.01)


def scatter() -> bytes:
    _, classes, points = gram()
    return figures.features_scatter(points, classes)


EVERY: dict[str, Callable[[], bytes]] = {f.__name__: f for f in (heatmap, spectrum, scores, comparison, scatter)}


@cache
def made(name: str) -> bytes:
    """One rendering of each picture, for the tests that only look."""
    return EVERY[name]()


def pixels(png: bytes) -> npt.NDArray[np.uint8]:
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("name", EVERY)
def test_pictures_are_small_and_readable(name: str) -> None:
    png = made(name)
    height, width, _ = pixels(png).shape
    assert 400 <= width <= 700
    assert 200 <= height <= 700
    assert len(png) < 40_000
    assert len(np.unique(pixels(png).reshape(-1, 3), axis=0)) > 20


@pytest.mark.parametrize("name", EVERY)
def test_the_same_value_gives_the_same_bytes(name: str) -> None:
    assert EVERY[name]() == made(name)


def test_pictures_are_the_same_in_another_process_and_leave_pyplot_alone() -> None:
    code = (
        "import hashlib, sys\n"
        "from quantum_assets_tests.orchestration.test_figures import EVERY\n"
        "print(*(hashlib.sha256(make()).hexdigest() for make in EVERY.values()))\n"
        "print('matplotlib.pyplot' in sys.modules)\n"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert told == [*(hashlib.sha256(made(name)).hexdigest() for name in EVERY), "False"]


def test_pictures_carry_no_date_and_no_version() -> None:
    for name in EVERY:
        with Image.open(io.BytesIO(made(name))) as image:
            assert not {"Software", "Creation Time", "date"} & set(image.info)


def test_a_heatmap_sorts_its_samples_by_class() -> None:
    k, classes, _ = gram()
    order = np.argsort(classes, kind="stable")
    assert figures.gram_heatmap(k[np.ix_(order, order)], classes[order], "Kernel") == made("heatmap")
    backwards = np.array([{"class_0": "c", "class_1": "b", "class_2": "a"}[name] for name in classes])
    assert figures.gram_heatmap(k, backwards, "Kernel") != made("heatmap")


def test_a_large_matrix_stays_a_small_picture() -> None:
    k = np.random.default_rng(8).binomial(64, 0.5, (1001, 1001)) / 64
    assert len(figures.gram_heatmap(k, np.zeros(1001, dtype=int), "Large")) < 90_000


@pytest.mark.parametrize("value", [0.0, 1.0, -3.0])
def test_a_constant_matrix_and_a_single_sample_are_drawn(value: float) -> None:
    assert figures.gram_heatmap(np.full((4, 4), value), list("abab"), "Flat").startswith(b"\x89PNG")
    assert figures.gram_heatmap([[value]], ["a"], "One").startswith(b"\x89PNG")


def test_block_means_keep_the_mean_of_a_matrix() -> None:
    k = np.random.default_rng(9).random((480, 480))
    blocks = figures._blocks(k)
    assert blocks.shape == (160, 160)
    np.testing.assert_allclose(blocks[0, 0], k[:3, :3].mean())
    np.testing.assert_allclose(blocks[-1, 5], k[-3:, 15:18].mean())
    np.testing.assert_array_equal(figures._blocks(k[:160, :160]), k[:160, :160])


def test_the_order_of_eigenvalues_does_not_matter_and_their_sign_does() -> None:
    values = np.array([0.5, 0.3, 0.15, -0.05])
    assert figures.spectrum({"k": values}) == figures.spectrum({"k": values[::-1]})
    assert figures.spectrum({"k": values}) != figures.spectrum({"k": np.abs(values)})


def test_a_spectrum_of_zeros_and_one_below_the_noise_are_drawn() -> None:
    assert figures.spectrum({"zeros": np.zeros(5)}).startswith(b"\x89PNG")
    assert figures.spectrum({"rank one": [1.0, 1e-15, -1e-15]}).startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["scores", "comparison"])
def test_the_order_of_models_does_not_matter(name: str) -> None:
    shuffled = {
        "scores": lambda: figures.scores(fold_scores()[::-1]),
        "comparison": lambda: figures.comparison(comparisons()[::-1], 0.01),
    }
    assert shuffled[name]() == made(name)


def test_the_quantum_model_stands_out() -> None:
    tint = np.array([0xFB, 0xEF, 0xE6])
    assert (np.abs(pixels(made("scores")).astype(int) - tint).max(axis=2) <= 2).sum() > 3_000
    classical = [s for s in fold_scores() if s.family != "quantum"]
    assert not (np.abs(pixels(figures.scores(classical)).astype(int) - tint).max(axis=2) <= 2).any()


def test_the_band_is_shaded_in_proportion() -> None:
    shade = np.array([0xE8, 0xEE, 0xF2])

    def shaded(band: float) -> int:
        return int((np.abs(pixels(figures.comparison(comparisons(), band)).astype(int) - shade).max(axis=2) <= 2).sum())

    assert 1.6 < shaded(0.01) / shaded(0.005) < 2.4


def test_the_floor_does_not_set_the_scale() -> None:
    lower = [FoldScore(**{**vars(s), "score": 0.1}) if s.family == "floor" else s for s in fold_scores()]
    bands = [pixels(png)[:, 150:480] for png in (made("scores"), figures.scores(lower))]
    np.testing.assert_array_equal(bands[0][: bands[0].shape[0] // 2], bands[1][: bands[1].shape[0] // 2])


def test_only_a_floor_and_a_single_fold_are_drawn() -> None:
    assert figures.scores([s for s in fold_scores(1) if s.family == "floor"]).startswith(b"\x89PNG")
    assert figures.comparison([c for c in comparisons() if c.family == "floor"], 0.01).startswith(b"\x89PNG")


def test_a_scatter_takes_one_column_and_many_rows() -> None:
    _, classes, points = gram()
    assert figures.features_scatter(points[:, :1], classes) != made("scatter")
    rng = np.random.default_rng(10)
    many = figures.features_scatter(rng.normal(size=(50_000, 2)), rng.integers(0, 12, 50_000))
    assert len(many) < 90_000


@pytest.mark.parametrize(
    "draw",
    [
        lambda: figures.gram_heatmap(np.ones((2, 3)), ["a", "b"], "x"),
        lambda: figures.gram_heatmap(np.ones((2, 2)), ["a"], "x"),
        lambda: figures.gram_heatmap([[1.0, np.nan], [0.0, 1.0]], ["a", "b"], "x"),
        lambda: figures.spectrum({}),
        lambda: figures.spectrum({"k": []}),
        lambda: figures.spectrum({"k": [np.inf]}),
        lambda: figures.scores([]),
        lambda: figures.comparison([], 0.01),
        lambda: figures.features_scatter(np.ones(3), ["a"] * 3),
        lambda: figures.features_scatter(np.ones((3, 2)), ["a"]),
        lambda: figures.features_scatter(np.ones((0, 2)), []),
    ],
)
def test_what_cannot_be_drawn_is_refused_by_name(draw: Callable[[], bytes]) -> None:
    with pytest.raises(PlanError, match="figure"):
        draw()


def test_markdown_carries_the_picture_whole() -> None:
    text = figures.as_markdown(heatmap(), "kernel [ideal]\nwine")
    assert text.startswith("![kernel (ideal) wine](data:image/png;base64,")
    assert base64.b64decode(text.split("base64,")[1].removesuffix(")")) == made("heatmap")
