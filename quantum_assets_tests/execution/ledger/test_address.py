from pathlib import Path

import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.execution.ledger.address import file_of, parse, scrubbed, shown
from quantum_assets.execution.ledger.ledger import Ledger

SECRET = "s3cr-et?/@"
QUOTED = "s3cr-et%3F%2F%40"


@pytest.mark.parametrize("name", ["ledger.db", "a b.db", "50%.db", "what?.db", "tag#1.db", "ünï.db"])
def test_any_path_is_the_file_that_is_opened(tmp_path: Path, name: str) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path / 'deep' / name}")
    ledger.prepare()
    assert file_of(parse(ledger.url)) == tmp_path / "deep" / name
    assert (tmp_path / "deep" / name).is_file()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_memory_has_no_file(url: str) -> None:
    assert file_of(parse(url)) is None


@pytest.mark.parametrize(
    "url",
    ["", "ledger.db", f"mysql://u:{QUOTED}@h/d", f"postgres://u:{QUOTED}@h/d", f"postgresql://u:{SECRET}@h:x/d"],
)
def test_what_is_no_ledger_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(PlanError) as refusal:
        Ledger(url)
    told = f"{refusal.value!r}{refusal.value.__cause__!r}"
    assert SECRET not in told
    assert QUOTED not in told
    assert "s3cr" not in told
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


def test_a_password_is_not_shown() -> None:
    ledger = Ledger(f"postgresql://ada:{QUOTED}@db.example:5433/lab?password=other&connect_timeout=3")
    for told in (repr(ledger), str(ledger), shown(parse(ledger.url)), repr(parse(ledger.url))):
        assert "s3cr" not in told
    assert repr(ledger) == "Ledger('postgresql://ada:***@db.example:5433/lab')"
    said = scrubbed(f"cannot log in with {SECRET} or other", parse(ledger.url))
    assert said == "cannot log in with *** or ***"
