"""What `quantum-assets profiles` prints."""

from pathlib import Path

from click.testing import CliRunner

from quantum_assets.cli.main import main
from quantum_assets.cli.profiles import described
from quantum_assets.contracts.profile import ExecutionProfile, NoiseSpec, Routing


def test_the_shipped_profiles_are_printed_with_their_limits() -> None:
    answer = CliRunner().invoke(main, ["profiles"])
    assert answer.exit_code == 0
    names = [line for line in answer.output.splitlines() if not line.startswith(" ")]
    assert names[:3] == ["ideal", "sampled", "noisy"]
    assert "1024 shots an entry" in answer.output


def test_a_file_that_contradicts_itself_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "profiles.yaml"
    file.write_text("ideal: {mode: ideal, providers: [statevector], shots: 7}\n")
    answer = CliRunner().invoke(main, ["profiles", "--file", str(file)])
    assert answer.exit_code == 2
    assert answer.stderr.startswith("error: profiles.yaml: ideal")
    assert answer.stderr.count("\n") == 1


def test_noise_is_called_simulated() -> None:
    noisy = ExecutionProfile(
        name="noisy", mode="noisy", estimator="circuits", providers=("aer",), shots=8, noise=NoiseSpec(readout=0.01)
    )
    assert described(noisy)[-1].startswith("simulated noise: ")
    assert "readout 0.01" in described(noisy)[-1]
    plain = ExecutionProfile(name="ideal", mode="ideal", providers=("aer",))
    assert described(plain)[1:] == [
        "no shots",
        "at most 16 qubits, all samples, 200,000 circuits, 4.0 GB",
        "waits for its answer; project default pays",
        "no fallback: a failure is the answer",
    ]
    borrowed = noisy.model_copy(update={"noise": NoiseSpec(backend="fake_manila")})
    assert described(borrowed)[-1] == "simulated noise: as fake_manila has it"


def test_where_it_runs_who_waits_who_pays_and_what_stands_in() -> None:
    managed = ExecutionProfile(
        name="managed",
        mode="managed",
        estimator="circuits",
        providers=("remote",),
        shots=8,
        backend="rehearsal",
        alternatives=("spare", "other"),
        asynchronous=True,
        deadline_seconds=3600,
        project="night-run",
        routing=Routing(fallback="ideal"),
    )
    lines = described(managed)
    assert "backend rehearsal, or spare, or other" in lines
    assert "asynchronous: submits, and the sensor collects, within 3600 s; project night-run pays" in lines
    assert "falls back to ideal" in lines
    both = managed.model_copy(update={"routing": Routing(prefer="ensemble", fallback="ideal", flag=False)})
    assert "prefers the ensemble path, with ideal; the quantum path is switched off" in described(both)
    suited = managed.model_copy(update={"routing": Routing(choose="suitable")})
    assert "backend rehearsal, or spare, or other: whichever is wide enough and best by queue and two-qubit error" in (
        described(suited)
    )
