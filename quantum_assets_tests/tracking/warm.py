"""Imported by the server of this room's children: MLflow, without which each of them would take seconds to begin."""

import os
import warnings

os.environ |= {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what MLflow warns of while it is imported is its own affair
    import mlflow.pyfunc
    import mlflow.store.model_registry.sqlalchemy_store
    import mlflow.store.tracking.sqlalchemy_store  # noqa: F401
