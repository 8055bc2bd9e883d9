"""Figures that a test measured (kills, torn files, detected flips) are printed at the end of a run."""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings

FIGURES = "figures"

# A busy machine may hold any example up, and a fresh draw in CI would fail a change that is innocent of it
settings.register_profile("house", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


@pytest.fixture
def report_figures(record_property: Any) -> Any:
    """Call it with a line of figures; the line stands in the summary of the run."""
    return lambda line: record_property(FIGURES, str(line))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print every figure that a finished test reported."""
    reports = [r for outcome in ("passed", "failed") for r in terminalreporter.stats.get(outcome, [])]
    lines = [
        f"{report.nodeid.rsplit('::', 1)[-1]}: {value}"
        for report in reports
        for name, value in getattr(report, "user_properties", [])
        if name == FIGURES
    ]
    if lines:
        terminalreporter.section("figures measured")
        for line in sorted(lines):
            terminalreporter.write_line(line)
