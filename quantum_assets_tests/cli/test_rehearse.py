"""The rehearsal on small studies of both kinds: everything on our side is killed, and nothing is lost or paid twice."""

import re
import urllib.error
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from quantum_assets.cli.main import main
from quantum_assets.cli.rehearse import provider, told_of_decision, witness
from quantum_assets.contracts.ticket import State
from quantum_assets.execution.ledger.ledger import Ledger


@pytest.mark.slow
@pytest.mark.parametrize("study", ["ad_hoc", "karate_independent_set"])
def test_a_killed_platform_loses_nothing_and_submits_nothing_twice(
    tmp_path: Path, report_figures: Any, study: str
) -> None:
    answer = CliRunner().invoke(main, ["rehearse", study, "--queue-seconds", "4", "--home", str(tmp_path)])
    assert answer.exit_code == 0, answer.output
    told = answer.output.splitlines()
    assert [line[:2] for line in told if line[:1].isdigit()] == ["1.", "2.", "3.", "4.", "5."]
    killed = re.search(r"3\. Killed .* SIGKILL; the provider has (\d+) jobs", answer.output)
    assert killed is not None
    assert int(killed[1]) >= 1
    counts = re.search(
        r"accepted by the provider: (\d+) jobs, 0 of them twice; orders in the ledger: (\d+)", answer.output
    )
    assert counts is not None
    assert counts[1] == counts[2]
    billed = re.search(r"billed: ([0-9.]+) USD by the provider's account, ([0-9.]+) USD by the ledger's", answer.output)
    assert billed is not None
    assert billed[1] == billed[2]
    assert float(billed[1]) > 0
    assert "WRONG" not in answer.output
    ledger = Ledger.in_home(tmp_path)
    tickets = ledger.tickets(study=study, partition="slow", asynchronous=True)
    assert tickets
    assert {ticket.state for ticket in tickets} == {State.ACCEPTED}
    assert ledger.check() == ()
    report_figures(f"{study}: {counts[0]}")
    report_figures(f"{study}: {billed[0]}")


def test_a_decision_is_told_with_its_path_and_its_rules() -> None:
    passed_over = {"published": False, "path": "quantum", "objective": 19.0, "violations": 0.0}
    published = {"published": True, "path": "classical", "objective": 20.0, "violations": 0.0}
    assert told_of_decision([passed_over, published]) == "classical path published, objective 20, every rule kept"
    assert told_of_decision([{**published, "violations": 2.0}]).endswith("rules broken by 2")


@pytest.mark.slow
def test_an_unknown_study_ends_at_once_and_leaves_no_process(tmp_path: Path) -> None:
    answer = CliRunner().invoke(main, ["rehearse", "no_such_study", "--home", str(tmp_path)])
    assert answer.exit_code != 0
    assert "no_such_study" in answer.output
    with pytest.raises(urllib.error.URLError):  # it was killed, and could not take its address back
        witness((tmp_path / "sandbox" / "service.url").read_text().strip())


def test_the_provider_is_a_process_of_its_own_and_ends_with_the_block(tmp_path: Path) -> None:
    with provider(tmp_path / "sandbox", 0.0) as url:
        assert witness(url) == []
    with pytest.raises(urllib.error.URLError):
        witness(url)
