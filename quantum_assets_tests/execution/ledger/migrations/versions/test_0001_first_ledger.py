import importlib

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect

from quantum_assets.contracts.ticket import LEGAL
from quantum_assets.execution.ledger.address import parse
from quantum_assets.execution.ledger.engine import engine_for, read
from quantum_assets.execution.ledger.ledger import Ledger
from quantum_assets.execution.ledger.schema import OPEN_STATES, legal_moves, metadata

first = importlib.import_module("quantum_assets.execution.ledger.migrations.versions.0001_first_ledger")


def test_migrations_make_exactly_the_tables_that_the_code_uses(url: str) -> None:
    with engine_for(parse(url)).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
        [one_open] = [i for i in inspect(connection).get_indexes("tickets") if i["name"] == "ix_tickets_one_open"]
    assert one_open["unique"]
    assert str(first._OPEN) == OPEN_STATES


def test_checks_and_keys_are_the_tables_own(url: str) -> None:
    with engine_for(parse(url)).connect() as connection:
        seen = inspect(connection)
        for table in metadata.sorted_tables:
            checks = {check["name"] for check in seen.get_check_constraints(table.name)}
            wanted = {str(c.name) for c in table.constraints if type(c).__name__ == "CheckConstraint"}
            assert checks == wanted, table.name
            assert seen.get_pk_constraint(table.name)["constrained_columns"] == [c.name for c in table.primary_key]


def test_legal_moves_are_the_contract_s(ledger: Ledger) -> None:
    rows = read(ledger._engine, lambda connection: set(map(tuple, connection.execute(legal_moves.select()))))
    assert rows == {(before.value, after.value) for before, afters in LEGAL.items() for after in afters}
