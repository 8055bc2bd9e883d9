"""The source file inside every logged model: kernel rows in, labels out.

MLflow copies this file into a model and runs it when the model is loaded, where this package need not be installed;
nothing in this package imports it. The arrays are those of `quantum_assets.tracking.model`.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow.models import set_model  # noqa: TID253  MLflow runs this file, we never import it
from mlflow.pyfunc import PythonModel  # noqa: TID253


class KernelClassifier(PythonModel):  # type: ignore[misc]
    """Votes of one-against-one decisions on kernel rows."""

    def load_context(self, context: Any) -> None:
        """Read the arrays, refusing pickled ones."""
        with np.load(Path(context.artifacts["arrays"]) / "model.npz", allow_pickle=False) as arrays:
            self.arrays = {name: arrays[name] for name in arrays.files}

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:  # noqa: ARG002
        """Label kernel rows.

        Args:
            context: MLflow's; not used.
            model_input: Frame of shape `(n_rows, N)`: kernel values against the model's samples, in their order.
            params: Not used.

        Returns:
            Frame with the column ``label``.
        """
        kernel = np.asarray(model_input, dtype=np.float64)[:, self.arrays["rows"]]
        decisions = kernel @ self.arrays["coefficients"].T + self.arrays["intercepts"]
        pairs = self.arrays["pairs"]
        winners = np.where(decisions > 0, pairs[:, 0], pairs[:, 1])
        votes = np.stack([(winners == number).sum(axis=1) for number in range(len(self.arrays["classes"]))], axis=1)
        return pd.DataFrame({"label": self.arrays["classes"][votes.argmax(axis=1)].astype(str)})


set_model(KernelClassifier())
