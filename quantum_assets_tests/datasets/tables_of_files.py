"""Small files for the tests of this room: text and Parquet bytes written into a folder of the test's own."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import settings

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.study import DataSource
from quantum_assets.datasets.loading import load

some_examples = settings(deadline=None, max_examples=50)
GOOD_CSV = "a,b,y\n1,2,x\n3,4.5,z\n5,1,x\n2,7,z\n"


def write(folder: Path, content: str | bytes, name: str = "t.csv") -> Path:
    data = content.encode() if isinstance(content, str) else content
    path = folder / name
    path.write_bytes(data)
    return path


def write_parquet(folder: Path, columns: dict[str, Any], name: str = "t.parquet") -> Path:
    path = folder / name
    pq.write_table(pa.table(columns), path)
    return path


def load_csv(folder: Path, content: str | bytes, **fields: Any) -> Any:
    write(folder, content)
    return load(DataSource(**{"path": "t.csv", "label": "y", **fields}), "wine", folder)


def refusal(folder: Path, content: str | bytes, **fields: Any) -> PlanError:
    """The error that a CSV is refused with; its message is one sentence each of culprit, problem and mend."""
    with pytest.raises(PlanError) as caught:
        load_csv(folder, content, **fields)
    error = caught.value
    assert str(error) == f"{error.culprit}: {error.problem}. {error.mend}."
    assert error.mend[0].isupper()
    return error
