"""A study small enough to be materialised inside a test: 40 rows, two feature columns, two folds, two rivals."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

PROFILES = {
    "ideal": {"mode": "ideal", "providers": ["statevector", "aer"]},
    "sampled": {"mode": "ideal", "estimator": "binomial", "providers": ["statevector"], "shots": 256, "seed": 5},
    "noisy": {
        "mode": "noisy",
        "estimator": "circuits",
        "providers": ["aer"],
        "shots": 64,
        "seed": 5,
        "noise": {"depolarizing_2q": 0.05, "readout": 0.02},
        "guardrails": {"max_samples": 24, "max_circuits": 1000},
    },
}
ATTRIBUTES: dict[str, Any] = {
    "source": {"path": "rows.csv", "label": "y", "sample_id": "id"},
    "preparation": {"scaling": "standard", "reduction": "pca", "qubits": 2},
    "feature_maps": [{"kind": "zz", "reps": 1, "bandwidths": [0.2, 0.5]}],
    "profiles": ["ideal", "sampled", "noisy"],
    "baselines": ["majority", "logistic"],
    "protocol": {"outer_folds": 2, "repeats": 1, "inner_folds": 2, "budget": 4, "c_grid": [1.0, 10.0]},
    "owner": "team:tests",
    "tags": {"domain": "test"},
}


def write_rows(path: Path, shift: float = 0.0) -> None:
    """Two overlapping clouds; `shift` moves every number and so makes other content."""
    rng = np.random.default_rng(3)
    labels = np.repeat([0, 1], 20)
    frame = pd.DataFrame(rng.normal(size=(40, 3)) + labels[:, None], columns=["a", "b", "c"]) + shift
    frame.insert(0, "id", [f"s{i:02d}" for i in range(40)])
    frame["y"] = np.where(labels == 1, "yes", "no")
    frame.to_csv(path, index=False)


def write_study(folder: Path, name: str = "small", **changes: Any) -> Path:
    """A defs folder with profiles and one study; returns the study's folder."""
    study = folder / name
    study.mkdir(parents=True, exist_ok=True)
    (folder / "profiles.yaml").write_text(yaml.safe_dump(PROFILES, sort_keys=False))
    document = {"type": "quantum_assets.components.KernelStudy", "attributes": ATTRIBUTES | changes}
    (study / "defs.yaml").write_text(yaml.safe_dump(document))
    write_rows(study / "rows.csv")
    return study
