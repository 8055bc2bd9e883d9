"""Forest, gradient boosting and a small network for the sizes of kernel studies: tens of columns, hundreds of rows.

At 100 rows the work of a tree is some 0.1 ms and scikit-learn's per-estimator overhead is many times that: a tuned
study fits each rival some 300 times, and its forest and boosting alone would cost more than everything else together.
These three assemble the same models from the same trees (and SciPy's optimiser) at a fraction of it; the tests hold
them to the scores of scikit-learn's own.

All take `Columns` and return the predicted class index of each test row.
"""

from dataclasses import dataclass

import numpy as np

from quantum_assets.contracts.workload import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Columns:
    """What a rival learns from: training columns and classes, and the test columns to answer for.

    Attributes:
        train: Shape `(n_train, n_columns)`, scaled.
        labels: Class index a training row.
        test: Shape `(n_test, n_columns)`, scaled as the training rows were.
        n_classes: Classes of the data set; not all need occur in `labels`.
        seed: Of whatever is random in the learner.
    """

    train: FloatArray
    labels: IntArray
    test: FloatArray
    n_classes: int
    seed: int

    @property
    def one_hot(self) -> FloatArray:
        """Labels as indicator columns, shape `(n_train, n_classes)`."""
        return np.eye(self.n_classes)[self.labels]


def forest(data: Columns, trees: int, max_features: float, max_depth: int | None, min_leaf: int) -> IntArray:
    """Random forest (Breiman 2001, "Random Forests"): bootstrapped trees, averaged class shares.

    A regression tree on indicator columns splits by the summed variance of the indicators, which is the Gini impurity.

    Args:
        data: Columns.
        trees: Their number.
        max_features: Share of the columns looked at for a split; 0 for the square root of their number.
        max_depth: Of each tree; None to grow until pure.
        min_leaf: Smallest number of rows in a leaf.

    Returns:
        Class index a test row.
    """
    from sklearn.tree import DecisionTreeRegressor

    random = _random(data.seed)
    rows, columns = data.train.shape
    looked_at = max(1, round(max_features * columns) if max_features else int(np.sqrt(columns)))
    train, test, target = data.train.astype(np.float32), data.test.astype(np.float32), data.one_hot
    shares = np.zeros((len(test), data.n_classes))
    for _ in range(trees):
        sample = random.randint(0, rows, rows)
        tree = DecisionTreeRegressor(
            max_features=looked_at, max_depth=max_depth, min_samples_leaf=min_leaf, random_state=random
        )
        shares += tree.fit(train[sample], target[sample], check_input=False).predict(test, check_input=False)
    answer: IntArray = shares.argmax(axis=1)
    return answer


def boosting(data: Columns, stages: int, rate: float, max_depth: int) -> IntArray:
    """Gradient boosting of the multinomial deviance (Friedman 2001, "Greedy function approximation", algorithm 6).

    One tree a stage serves all classes: it is grown on the vector of residuals, each leaf then takes a Newton step for
    each class. Classes without a training row start, and stay, at a vanishing probability.

    Args:
        data: Columns.
        stages: Trees.
        rate: Shrinkage of each step, in (0, 1].
        max_depth: Of each tree.

    Returns:
        Class index a test row.
    """
    from sklearn.tree import DecisionTreeRegressor

    random = _random(data.seed)
    train, test, target = data.train.astype(np.float32), data.test.astype(np.float32), data.one_hot
    prior = np.log(np.maximum(target.mean(axis=0), 1e-12))
    fitted, answer = np.tile(prior, (len(train), 1)), np.tile(prior, (len(test), 1))
    for _ in range(stages):
        residual = target - softmax(fitted)
        tree = DecisionTreeRegressor(max_depth=max_depth, random_state=random)
        structure = tree.fit(train, residual, check_input=False).tree_
        leaves = structure.apply(train)
        step = rate * _newton_steps(residual, leaves, structure.node_count)
        fitted += step[leaves]
        answer += step[structure.apply(test)]
    predicted: IntArray = answer.argmax(axis=1)
    return predicted


def _newton_steps(residual: FloatArray, leaves: IntArray, nodes: int) -> FloatArray:
    """Friedman's equation 36: (K-1)/K · Σr / Σ|r|(1-|r|), one leaf and class; 0 where a leaf has nothing left."""
    classes = residual.shape[1]
    gradient, curvature = np.zeros((nodes, classes)), np.zeros((nodes, classes))
    np.add.at(gradient, leaves, residual)
    np.add.at(curvature, leaves, np.abs(residual) * (1 - np.abs(residual)))
    steps = np.divide(gradient, curvature, out=np.zeros_like(gradient), where=curvature > 1e-12)
    # A leaf of rows that are wrong with certainty would step to infinity; four units of log-odds turn it round as well.
    result: FloatArray = (classes - 1) / classes * np.clip(steps, -4.0, 4.0)
    return result


def network(data: Columns, hidden: int, decay: float, steps: int) -> IntArray:
    """Multi-layer perceptron of one tanh layer, cross-entropy and L2 decay, trained by L-BFGS.

    Stopping after `steps` is a hyper-parameter (early stopping), not a failure to converge.

    Args:
        data: Columns.
        hidden: Units of the hidden layer.
        decay: Weight of the squared weights, relative to one training row, as scikit-learn's `alpha`.
        steps: L-BFGS iterations at most.

    Returns:
        Class index a test row.
    """
    from scipy.optimize import minimize

    shapes = [(data.train.shape[1], hidden), (1, hidden), (hidden, data.n_classes), (1, data.n_classes)]
    target = data.one_hot
    random = _random(data.seed)
    start = np.concatenate([_start(shape, random, bias=layer % 2 == 1) for layer, shape in enumerate(shapes)])
    found = minimize(
        lambda flat: network_loss(_layers(flat, shapes), data.train, target, decay),
        start,
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": steps},
    )
    inner, inner_bias, outer, outer_bias = _layers(found.x, shapes)
    answer: IntArray = (np.tanh(data.test @ inner + inner_bias) @ outer + outer_bias).argmax(axis=1)
    return answer


def network_loss(
    layers: list[FloatArray], columns: FloatArray, target: FloatArray, decay: float
) -> tuple[float, FloatArray]:
    """Mean cross-entropy plus decay, and its gradient by back-propagation.

    Args:
        layers: Weights and bias of the hidden layer, then of the output layer.
        columns: Shape `(n, n_columns)`.
        target: Indicator columns, shape `(n, n_classes)`.
        decay: Weight of the squared weights; biases are free.

    Returns:
        The loss and its gradient, flat, in the order of `layers`.
    """
    inner, inner_bias, outer, outer_bias = layers
    rows = len(columns)
    active = np.tanh(columns @ inner + inner_bias)
    chances = softmax(active @ outer + outer_bias)
    weights = float((inner * inner).sum() + (outer * outer).sum())
    loss = -float(np.log(np.maximum((chances * target).sum(axis=1), 1e-300)).mean()) + decay / (2 * rows) * weights
    error = (chances - target) / rows
    back = (error @ outer.T) * (1 - active * active)
    parts = [columns.T @ back + decay / rows * inner, back.sum(axis=0)]
    parts += [active.T @ error + decay / rows * outer, error.sum(axis=0)]
    return loss, np.concatenate([part.ravel() for part in parts])


def softmax(scores: FloatArray) -> FloatArray:
    """Rows of scores as rows of probabilities."""
    shares: FloatArray = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    return shares


def _layers(flat: FloatArray, shapes: list[tuple[int, int]]) -> list[FloatArray]:
    """Views of one flat vector as weights and biases; plain slices, because every step of the optimiser comes here."""
    layers, begin = [], 0
    for rows, columns in shapes:
        layers.append(flat[begin : begin + rows * columns].reshape(rows, columns))
        begin += rows * columns
    return layers


def _start(shape: tuple[int, int], random: np.random.RandomState, bias: bool) -> FloatArray:
    """Starting weights after Glorot and Bengio (2010); biases start at 0."""
    bound = 0.0 if bias else float(np.sqrt(6 / sum(shape)))
    return random.uniform(-bound, bound, shape[0] * shape[1])


def _random(seed: int) -> np.random.RandomState:
    """The generator scikit-learn's trees take; one a fit, because seeding one a tree costs more than the tree."""
    return np.random.RandomState(seed % 2**32)
