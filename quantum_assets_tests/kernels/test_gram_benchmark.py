"""The benchmark runs, its peers agree with us, and its files can be read."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from benchmarks.gram import METHODS, QUICK, main


def test_the_quick_benchmark_compares_every_method_and_writes_what_it_prints(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = main(["--quick", "--out", str(tmp_path)])
    assert [(row.method, row.n_samples) for row in rows] == [(name, size[2]) for size in QUICK for name in METHODS]
    assert max(row.max_abs_difference for row in rows) < 1e-12
    assert all(row.cpu_seconds > 0 for row in rows)
    assert all(row.ratio == 1 for row in rows if row.method == "platform")
    assert pq.read_table(tmp_path / "gram.parquet").num_rows == len(rows)
    report = (tmp_path / "gram.md").read_text(encoding="utf-8")
    assert report in capsys.readouterr().out
    assert "BLAS threads [1]" in report
