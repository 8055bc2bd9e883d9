"""The benchmark runs, Aer agrees with us, and its files can be read."""

import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from benchmarks.qaoa import QUICK, main


@pytest.mark.slow
def test_the_quick_benchmark_agrees_with_aer_and_writes_what_it_prints(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    # This environment has no peers: the same call shows that their absence is a line and no failure.
    rows = main(["--quick", "--out", str(tmp_path), "--peers", sys.executable])
    for n, layers, _, _ in QUICK:
        for measure in ("evaluation", "optimisation"):
            chosen = [r for r in rows if (r.n_variables, r.layers, r.measure) == (n, layers, measure)]
            values = {row.method: row.value for row in chosen if row.method != "bound"}
            assert values["aer"] == pytest.approx(values["engine"], abs=1e-8)
    assert all(row.ratio == 1 for row in rows if row.method == "engine")
    assert pq.read_table(tmp_path / "qaoa.parquet").num_rows == len(rows)
    assert (tmp_path / "qaoa.png").read_bytes()[:4] == b"\x89PNG"
    printed = capfd.readouterr()
    assert (tmp_path / "qaoa.md").read_text(encoding="utf-8") in printed.out
    assert "lightning is not here" in printed.err
    assert "Engine over the memory bound" in printed.out
