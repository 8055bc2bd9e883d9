"""The command as a whole: help, errors in one line, and that it says the same as the README."""

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from quantum_assets import __version__
from quantum_assets.cli.main import Commands, main
from quantum_assets.contracts.errors import PlanError, RejectedError, StoreError

ROOT = Path(__file__).parents[2]
HEAVY = ("dagster", "mlflow", "qiskit", "sklearn", "matplotlib", "pandas", "pyarrow")


def test_the_version_is_the_package_s() -> None:
    answer = CliRunner().invoke(main, ["--version"])
    assert answer.output.strip() == f"quantum-assets, version {__version__}"


def test_the_commands_are_these() -> None:
    assert " ".join(sorted(main.commands)) == (
        "alerts approvals approve backfill breakers budget cache cancel check doctor export gc history poll profiles "
        "rehearse rehearse-backfill run sandbox sync tickets ui verify"
    )


@pytest.mark.parametrize("name", sorted(main.commands))
def test_every_command_explains_itself_with_an_example(name: str) -> None:
    answer = CliRunner().invoke(main, [name, "--help"], terminal_width=110)
    assert answer.exit_code == 0
    assert main.commands[name].help
    assert f"Example: quantum-assets {name}" in answer.output
    assert all(param.help for param in main.commands[name].params if isinstance(param, click.Option))


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"]])
def test_help_speaks_of_both_kinds_of_study(words: list[str]) -> None:
    told = CliRunner().invoke(main, words, terminal_width=110).output
    assert "optimisation" in told
    assert "kernel" in told


@pytest.mark.parametrize("name", sorted(main.commands))
def test_every_example_parses(name: str) -> None:
    epilog = main.commands[name].epilog or ""
    words = epilog.removeprefix("Example: quantum-assets ").split()
    assert words[0] == name
    main.commands[name].make_context(name, words[1:]).close()


def test_commands_that_the_readme_lists_exist() -> None:
    listed = set(re.findall(r"`quantum-assets ([a-z]+)", (ROOT / "README.md").read_text()))
    assert listed
    assert listed <= set(main.commands)


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom quantum_assets.cli.main import main\n"
        "main(['--help'], standalone_mode=False)\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert told.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (PlanError("wine/defs.yaml", "is\nempty", "Write it"), "error: wine/defs.yaml: is empty. Write it."),
        (StoreError("disk", "is full", "Make room"), "error: disk: is full. Make room."),
    ],
)
def test_an_error_of_ours_is_one_line_without_a_traceback(error: Exception, line: str) -> None:
    answer = CliRunner().invoke(_raising(error), ["fail"])
    assert answer.exit_code == 2
    assert answer.stderr == f"{line}\n"
    assert answer.stdout == ""


def test_an_error_with_several_reasons_is_still_one_line() -> None:
    answer = CliRunner().invoke(_raising(RejectedError("aer", ["one", "two"])), ["fail"])
    assert answer.stderr.count("\n") == 1
    assert "one; two" in answer.stderr


def test_a_mistake_of_ours_is_not_dressed_up() -> None:
    answer = CliRunner().invoke(_raising(ZeroDivisionError("bug")), ["fail"])
    assert isinstance(answer.exception, ZeroDivisionError)


def test_a_wrong_option_and_an_unknown_command_are_usage_errors() -> None:
    assert CliRunner().invoke(main, ["gc", "--keep", "0"]).exit_code == 2
    assert "No such command 'frobnicate'" in CliRunner().invoke(main, ["frobnicate"]).stderr


def _raising(error: Exception) -> click.Group:
    @click.group(cls=Commands)
    def group() -> None:
        """A group."""

    @group.command()
    def fail() -> None:
        """Fails."""
        raise error

    return group
