"""How to run: the execution profile, kept apart from the circuit from the first day.

A profile is data (YAML), never code. The same circuit moves from ideal to sampled to noisy by naming another profile;
nothing in the circuit, the kernel or the study changes. What a provider says it really did comes back as an
`EffectiveProfile`, and the trust boundary compares the two.
"""

from functools import lru_cache
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from quantum_assets.contracts.fingerprint import fingerprint

Mode = Literal["ideal", "noisy", "managed", "hardware"]
Estimator = Literal["exact", "binomial", "circuits"]


class Frozen(BaseModel):
    """The base of every configuration value: immutable, and an unknown field is an error that names it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class NoiseSpec(Frozen):
    """A simulated noise model as data: depolarising gates, amplitude damping and readout flips, or a backend's own.

    Probabilities in [0, 1]. It is a *simulated* model, never to be presented as a device.
    """

    depolarizing_1q: float = Field(0.0, ge=0, le=1, description="Depolarising probability after each one-qubit gate.")
    depolarizing_2q: float = Field(0.0, ge=0, le=1, description="Depolarising probability after each two-qubit gate.")
    amplitude_damping: float = Field(0.0, ge=0, le=1, description="Amplitude damping after each gate, per qubit.")
    readout: float = Field(0.0, ge=0, le=0.5, description="Symmetric readout flip probability, per qubit.")
    backend: str | None = Field(
        None,
        pattern=r"^[A-Za-z][A-Za-z0-9_]{0,63}$",
        description="Take the errors from the properties of this backend instead; no other field is given.",
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.backend is not None and any(
            (self.depolarizing_1q, self.depolarizing_2q, self.amplitude_damping, self.readout)
        ):
            raise ValueError("noise comes from a backend or from probabilities; give one of them")
        return self


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
    max_depth: int = Field(10_000, ge=1, description="Depth of one circuit, in one- and two-qubit gates.")
    max_two_qubit_gates: int = Field(10_000, ge=1, description="Two-qubit gates of one circuit.")
    allow_mid_circuit: bool = Field(False, description="Whether measurements and resets inside a circuit are allowed.")


class Batching(Frozen):
    """How workloads that wait for one backend are packed into orders; the provider's own limits always hold."""

    max_workloads: int = Field(20, ge=1, description="Workloads in one order; 1 submits each by itself.")
    max_wait_seconds: float = Field(0.0, ge=0, description="How long a workload may wait for others to fill an order.")
    stale_seconds: float = Field(
        3600.0, gt=0, description="A workload that waited this long unsubmitted is dropped to the fallback."
    )

    @model_validator(mode="after")
    def _sent_before_stale(self) -> Self:
        if self.max_wait_seconds >= self.stale_seconds:
            raise ValueError(
                f"max_wait_seconds ({self.max_wait_seconds:g}) is not below stale_seconds ({self.stale_seconds:g}): "
                "a workload that waits for others would be dropped as stale; lower the one or raise the other"
            )
        return self


class Routing(Frozen):
    """Which path answers, as data.

    `quantum`: the profile's providers; where they cannot, the fallback. `classical`: the fallback at once. `ensemble`:
    both, and the consumer combines them; where the quantum path cannot, the classical one alone.
    """

    prefer: Literal["quantum", "classical", "ensemble"] = "quantum"
    fallback: str | None = Field(None, description="Name of the classical profile; null: the failure is the answer.")
    flag: bool = Field(True, description="Off: the quantum path is not taken, and the reason says so.")
    choose: Literal["first", "suitable"] = Field(
        "first",
        description="Which backend a request goes to. `first`: the profile's own. `suitable`: of it and its "
        "alternatives, the one that is wide enough and has the best place by queue and two-qubit error, as they are "
        "when the request is asked.",
    )


class ExecutionProfile(Frozen):
    """One way to run any workload: partition key of every quantum asset.

    `estimator` says where a kernel entry comes from: `exact` (a matrix product of states), `binomial` (statistically
    exact sampling of an ideal device: no circuits are run) or `circuits` (measured circuits through a sampler).
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
    backend: str | None = Field(
        None, max_length=200, description="Device or simulator of the provider; null: the provider's only one."
    )
    alternatives: tuple[str, ...] = Field(
        (), description="Backends that a retry may move to, in order; and the choice, where routing.choose is suitable."
    )
    reproducible: bool = Field(
        True, description="Whether the seed must be honoured. Devices, and some services, cannot."
    )
    asynchronous: bool = Field(
        False,
        description="Submit and let the sensor collect, instead of waiting inside the run.",
        json_schema_extra={"identity": False},
    )
    deadline_seconds: float | None = Field(
        None,
        gt=0,
        description="From request to answer (SLA); past it the fallback answers. Null: no limit.",
        json_schema_extra={"identity": False},
    )
    cache: bool | None = Field(
        None,
        description="Null: what circuits returned is kept, what is cheaper to redo is not.",
        json_schema_extra={"identity": False},
    )
    project: str = Field(
        "default",
        pattern=r"^[a-z][a-z0-9_-]{0,63}$",
        description="Whose budget pays.",
        json_schema_extra={"identity": False},
    )
    priority: int = Field(0, ge=-100, le=100, description="Larger goes first.", json_schema_extra={"identity": False})
    batching: Batching = Field(Batching(), json_schema_extra={"identity": False})
    routing: Routing = Field(Routing(), json_schema_extra={"identity": False})

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
        if self.mode == "hardware" and self.reproducible:
            raise ValueError("no device honours a seed; say reproducible: false for mode 'hardware'")
        if self.routing.prefer != "quantum" and self.routing.fallback is None:
            raise ValueError(f"routing.prefer '{self.routing.prefer}' needs routing.fallback, a classical profile")
        if self.routing.fallback == self.name:
            raise ValueError("routing.fallback names the profile itself")
        if self.routing.choose == "suitable" and not (self.backend and set(self.alternatives) - {self.backend}):
            raise ValueError("routing.choose 'suitable' needs a backend and alternatives to choose among")
        return self

    @property
    def fingerprint(self) -> str:
        """Hash of what the profile asks for; its description, and who waits or pays for it, are not part of it."""
        return _fingerprint_of(self)

    @property
    def cached(self) -> bool:
        """Whether answers are kept for the next who asks: by default those that circuits gave."""
        return self.pair_priced if self.cache is None else self.cache

    @property
    def pair_priced(self) -> bool:
        """Whether cost grows with the number of pairs, so that only chosen configurations are run under it."""
        return self.estimator == "circuits"


@lru_cache(maxsize=1024)  # asked for several times a ticket, of few profiles
def _fingerprint_of(profile: ExecutionProfile) -> str:
    return fingerprint("profile/v2", profile)


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
    backend: str | None = Field(None, description="The device or simulator, in the provider's own words.")
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
        if requested.estimator != "exact" and requested.reproducible:
            compare("seed", requested.seed, self.seed)
        if requested.backend is not None:
            compare("backend", requested.backend, self.backend)
        if self.transpilation is not None:
            found.extend(_compiled_otherwise(requested, self.transpilation))
        if self.provider not in requested.providers:
            found.append(f"provider: asked for one of {', '.join(requested.providers)}, ran on {self.provider}")
        return tuple(found)


def _compiled_otherwise(requested: ExecutionProfile, ran: Transpilation) -> list[str]:
    """Compilation for a named backend uses that backend's own gates; everything else must be as asked."""
    asked = requested.transpilation
    if requested.backend is not None or (requested.noise is not None and requested.noise.backend is not None):
        asked = asked.model_copy(update={"basis_gates": ran.basis_gates})
    return [] if asked == ran else [f"transpilation: asked for {asked}, ran with {ran}"]
