import csv
import io
import json
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Incumbent, Ising
from quantum_assets.models.qoblib import (
    COLUMNS_27,
    COLUMNS_30,
    NOT_GIVEN,
    Particulars,
    Run,
    as_csv,
    run_of,
    summary,
    time_series,
)
from quantum_assets.problems.graphs import named
from quantum_assets.problems.independent_set import IndependentSet
from quantum_assets.problems.polynomial import to_bits
from quantum_assets_tests.recorded import IndependentSet as Recorded

#: The library's template, misc/submission_template.csv.
TEMPLATE = (
    "Problem,Submitter,Date,Reference,Best Objective Value,Optimality Bound,Modeling Approach,# Decision Variables,"
    "# Binary Variables,# Integer Variables,# Continuous Variables,# Non-Zero Coefficients,Coefficients Type,"
    "Coefficients Range,Workflow,Algorithm Type,# Runs,# Feasible Runs,# Successful Runs,Success Threshold,"
    "Hardware Specifications,Total Runtime,CPU Runtime,GPU Runtime,QPU Runtime,Other HW Runtime,Remarks"
)
PEOPLE = Particulars(
    submitters=("Jane Doe", "John Roe"),
    affiliations=("University A", "Company B"),
    day=date(2026, 11, 22),
    reference="https://example.org/study",
    workflow='QAOA, depth 1; repair, "greedy"',
    hardware="a simulator",
    paradigm="Quantum Simulator",
)
PATH = Recorded(np.eye(4, k=1, dtype=np.int64) + np.eye(4, k=-1, dtype=np.int64), name="path4")
MAX = (PATH.sense, PATH.encode().ising)
SPINS = Ising(3, ((0,), (0, 1, 2)), np.array([1.5, -2.0]))
RUNS = (
    Run(2.0, 4.0, ((0.5, None), (1.0, 2.0)), cpu_seconds=3.0, qpu_seconds=1.0),
    Run(1.0, 2.0, ((1.5, 1.0),), cpu_seconds=2.0),
    Run(None, 6.0, ((0.2, None),), cpu_seconds=6.0),
)


def read(text: str) -> dict[str, str]:
    (row,) = csv.DictReader(io.StringIO(text))
    return row


def test_both_headers_are_the_librarys():
    row = summary("path4", *MAX, RUNS, PEOPLE)
    assert as_csv([row]).splitlines()[0] == TEMPLATE
    assert len(COLUMNS_27) == 27
    assert len(COLUMNS_30) == 30
    assert tuple(row) == COLUMNS_30
    assert read(as_csv([row], COLUMNS_30)) == row


def test_the_row_says_what_the_runs_say():
    row = read(as_csv([summary("karate", *MAX, RUNS, PEOPLE, bound=2.0)], COLUMNS_30))
    expected = {
        "Problem": "karate",
        "Submitter": "Jane Doe, John Roe",
        "Affiliation": "University A, Company B",
        "Date": "2026-11-22",
        "Best Objective Value": "2",
        "Optimality Bound": "2",
        "Modeling Approach": "QUBO",
        "# Decision Variables": "4",
        "# Integer Variables": "0",
        "Coefficients Type": "Integer",
        "Coefficients Range": "-1 - 2",  # of bits: a node gains 1, an edge inside costs 2
        "# Runs": "3",
        "# Feasible Runs": "2",
        "# Successful Runs": "1",
        "Success Threshold": "0",
        "Total Runtime": "4",
        "Time to Solution": "0.9",
        "QPU Runtime": "N/A",
        "GPU Runtime": "N/A",
        "Workflow": PEOPLE.workflow,
    }
    assert expected.items() <= row.items()
    assert float(row["CPU Runtime"]) == pytest.approx(11 / 3)
    assert row["# Non-Zero Coefficients"] == "7"  # 4 nodes + 3 edges


def test_the_template_has_no_affiliation_and_wants_it_beside_the_names():
    row = summary("path4", *MAX, RUNS, PEOPLE)
    assert read(as_csv([row]))["Submitter"] == "Jane Doe, John Roe (University A, Company B)"
    assert read(as_csv([row], COLUMNS_30))["Submitter"] == "Jane Doe, John Roe"
    unknown = summary("path4", *MAX, RUNS, replace(PEOPLE, affiliations=(NOT_GIVEN, NOT_GIVEN)))
    assert read(as_csv([unknown]))["Submitter"] == "Jane Doe, John Roe"


def test_the_coefficients_are_those_of_the_model_that_is_named():
    model = IndependentSet(named("karate"), "all").encode().ising
    row = summary("karate", "maximise", model, [Run(20.0)], PEOPLE)
    written = {part: weight for part, weight in to_bits(model).items() if part and abs(weight) > 1e-12}
    assert row["Modeling Approach"] == "QUBO"
    assert row["# Non-Zero Coefficients"] == str(len(written)) == "112"
    assert row["Coefficients Range"] == f"{min(written.values()):g} - {max(written.values()):g}" == "-1 - 1.5"


@pytest.mark.parametrize("times", [1e-10, 1.0, 1e10])
def test_runs_are_judged_on_the_scale_of_the_instance(times):
    ising = Ising(3, SPINS.terms, SPINS.coefficients * times)
    runs = [Run(-3.5 * times), Run(-3.4 * times), Run(-0.5 * times)]
    assert summary("spins", "minimise", ising, runs, PEOPLE)["# Successful Runs"] == "1"
    assert summary("spins", "minimise", ising, runs, PEOPLE, bound=-3.5 * times)["# Runs"] == "3"
    with pytest.raises(PlanError, match="bound"):
        summary("spins", "minimise", ising, runs, PEOPLE, bound=-3.4 * times)


def test_minimised_problems_of_higher_order():
    runs = [Run(-3.5, 1.0), Run(-3.4, 1.0), Run(0.5, 1.0)]
    row = summary("spins", "minimise", SPINS, runs, PEOPLE, epsilon=0.05)
    assert (row["Best Objective Value"], row["# Successful Runs"], row["Modeling Approach"]) == ("-3.5", "2", "HUBO")
    assert row["Coefficients Range"] == "-8 - 16"  # 1.5 z0 - 2 z0 z1 z2 in bits: pairs -8, the triple 16
    assert row["# Non-Zero Coefficients"] == "7"
    assert row["Time to Solution"] == row["Optimality Bound"] == "N/A"


def test_nothing_feasible_is_said_so():
    row = summary("path4", *MAX, [Run(None, 1.0)], PEOPLE)
    assert (row["Best Objective Value"], row["# Feasible Runs"], row["# Successful Runs"]) == ("N/A", "0", "0")


def test_time_series_ends_with_the_run():
    written = json.loads(time_series(RUNS[:2]))
    assert written[0] == [
        {"Time": 0.5, "Incumbent": None},
        {"Time": 1.0, "Incumbent": 2.0},
        {"Time": 4.0, "Incumbent": 2.0},
    ]
    assert [len(run) for run in written] == [3, 2]


@pytest.mark.parametrize(
    "incumbents", [((1.0, 2.0), (0.5, 3.0)), ((0.1, 2.0), (0.2, 3.0), (0.3, 1.0)), ((0.1, 2.0), (0.2, None))]
)
def test_incumbents_that_go_back_are_refused(incumbents):
    with pytest.raises(PlanError, match="incumbents of run 0"):
        time_series([Run(1.0, 9.0, incumbents)])


def steps(*energies: float) -> tuple[Incumbent, ...]:
    return tuple(Incumbent(float(i), energy) for i, energy in enumerate(energies))


def test_a_solvers_answer_as_a_run():
    free = run_of(3.5, 7.0, steps(3.0, -3.5), lambda energy: -energy)
    assert free.incumbents == ((0.0, -3.0), (1.0, 3.5))
    assert (free.objective, free.seconds, free.cpu_seconds) == (3.5, 7.0, 7.0)
    bound = run_of(2.0, 7.0, steps(0.0, -2.0), None)
    assert bound.incumbents == ((0.0, None), (1.0, 2.0))  # under penalties an energy alone is no objective
    broken = run_of(None, 7.0, steps(0.0, -1.0), lambda energy: -energy)
    assert (broken.objective, broken.incumbents) == (None, ((0.0, None), (1.0, None)))


def test_rounding_cannot_make_a_series_go_back():
    run = run_of(2764.0, 1.0, steps(2763.9999999999986, 2763.9999999999982), lambda energy: energy)
    assert json.loads(time_series([run]))[0][0]["Incumbent"] == 2764.0


def test_refuses_what_cannot_be_submitted():
    with pytest.raises(PlanError, match="0 runs"):
        summary("path4", *MAX, [], PEOPLE)
    with pytest.raises(PlanError, match="bound"):
        summary("path4", *MAX, RUNS, PEOPLE, bound=1.0)
    with pytest.raises(PlanError, match="affiliations"):
        Particulars(("A", "B"), ("X",), date(2026, 1, 1), "r", "w", "h", "Classical")
    with pytest.raises(PlanError, match="no values"):
        as_csv([{"Problem": "x"}])
