"""How to run: the execution profile, kept apart from the circuit from the first day.

A profile is data (YAML), never code. The same circuit moves from ideal to sampled to noisy by naming another profile;
nothing in the circuit, the kernel or the study changes. What a provider says it really did comes back as an
`EffectiveProfile`, and the trust boundary compares the two.
"""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from quantum_assets.contracts.fingerprint import fingerprint

Mode = Literal["ideal", "noisy", "managed", "hardware"]
Estimator = Literal["exact", "binomial", "circuits"]


class Frozen(BaseModel):
    """The base of every configuration value: immutable, and an unknown field is an error that names it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class NoiseSpec(Frozen):
    """A simulated noise model as data: depolarising gates, amplitude damping and readout flips.

    Probabilities in [0, 1]. It is a *simulated* model, never to be presented as a device.
    """

    depolarizing_1q: float = Field(0.0, ge=0, le=1, description="Depolarising probability after each one-qubit gate.")
    depolarizing_2q: float = Field(0.0, ge=0, le=1, description="Depolarising probability after each two-qubit gate.")
    amplitude_damping: float = Field(0.0, ge=0, le=1, description="Amplitude damping after each gate, per qubit.")
    readout: float = Field(0.0, ge=0, le=0.5, description="Symmetric readout flip probability, per qubit.")


class Transpilation(Frozen):
    """What the compiler is allowed to do; both halves of an overlap are compiled apart, with a barrier between."""

    optimization_level: int = Field(1, ge=0, le=3)
    basis_gates: tuple[str, ...] = ("rz", "sx", "x", "cx")
    seed: int = Field(7, ge=0, description="The transpiler's own seed.")


class Guardrails(Frozen):
    """Limits checked before anything runs; a workload past one of them is refused with the figure that broke it."""

    max_qubits: int = Field(16, ge=1, le=30)
    max_memory_bytes: int = Field(4_000_000_000, ge=1_000_000, description="Estimated peak, states and matrix.")
    max_circuits: int = Field(200_000, ge=1, description="Circuits that may really be run for one workload.")
    max_samples: int | None = Field(
        None, ge=10, description="Rows that an evaluation may use under this profile (stratified, seeded); null: all."
    )
    crosscheck_rows: int = Field(4, ge=2, le=32, description="Rows of the tile that is recomputed independently.")


class ExecutionProfile(Frozen):
    """One way to run any workload: partition key of every quantum asset.

    `estimator` says where a kernel entry comes from: `exact` (a matrix product of states), `binomial` (statistically
    exact sampling of an ideal device: no circuits are run) or `circuits` (overlap circuits through a sampler).
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$", description="Partition key.")
    description: str = Field("", json_schema_extra={"identity": False})
    mode: Mode
    estimator: Estimator = "exact"
    providers: tuple[str, ...] = Field(min_length=1, description="Tried in order; the first that supports a workload.")
    shots: int | None = Field(None, ge=1, le=10_000_000)
    seed: int = Field(0, ge=0, lt=2**63)
    noise: NoiseSpec | None = None
    transpilation: Transpilation = Transpilation()
    guardrails: Guardrails = Guardrails()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.estimator == "exact" and self.shots is not None:
            raise ValueError("estimator 'exact' takes no shots; remove shots or choose 'binomial' or 'circuits'")
        if self.estimator != "exact" and self.shots is None:
            raise ValueError(f"estimator '{self.estimator}' needs shots, for example shots: 1024")
        if (self.mode == "noisy") != (self.noise is not None):
            raise ValueError("mode 'noisy' and a noise section belong together; give both or neither")
        if self.estimator == "binomial" and self.mode != "ideal":
            raise ValueError("binomial sampling is exact for an ideal device only; use estimator 'circuits'")
        return self

    @property
    def fingerprint(self) -> str:
        """Hash of what the profile asks for; its description is not part of it."""
        return fingerprint("profile/v1", self)

    @property
    def pair_priced(self) -> bool:
        """Whether cost grows with the number of pairs, so that only chosen configurations are run under it."""
        return self.estimator == "circuits"


class EffectiveProfile(Frozen):
    """What a provider says it really did, read back from the run and not copied from the request."""

    mode: Mode
    estimator: Estimator
    provider: str
    engine: str = Field(
        description="The method inside the provider, for example 'diagonal-states' or 'density_matrix'."
    )
    shots: int | None
    seed: int | None
    noise: NoiseSpec | None
    transpilation: Transpilation | None = Field(description="None where nothing was compiled.")
    versions: dict[str, str] = Field(default_factory=dict, description="SDK name to version.")

    def differences(self, requested: ExecutionProfile) -> tuple[str, ...]:
        """Every respect in which what ran is not what was asked, one sentence each; empty when honoured."""
        found: list[str] = []

        def compare(what: str, asked: Any, ran: Any) -> None:
            if asked != ran:
                found.append(f"{what}: asked for {asked}, ran with {ran}")

        compare("mode", requested.mode, self.mode)
        compare("shots", requested.shots, self.shots)
        compare("noise", requested.noise, self.noise)
        compare("estimator", requested.estimator, self.estimator)
        if requested.estimator != "exact":
            compare("seed", requested.seed, self.seed)
        if self.transpilation is not None:
            compare("transpilation", requested.transpilation, self.transpilation)
        if self.provider not in requested.providers:
            found.append(f"provider: asked for one of {', '.join(requested.providers)}, ran on {self.provider}")
        return tuple(found)
