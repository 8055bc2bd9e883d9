"""Where planning, execution, trust and reconstruction meet: Gram matrices of a study's splits under one profile.

For state-priced profiles (exact, binomial) the states of many splits are one workload a configuration, run once and
kept: every matrix after that is a product. For pair-priced profiles (circuits) each asked-for matrix is a workload of
its own, which is why the learner asks for the chosen configuration only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from quantum_assets.components.evidence import Evidence, sum_up
from quantum_assets.contracts.answer import Answer
from quantum_assets.contracts.dataset import Features, PreparedSplit
from quantum_assets.contracts.envelope import AdmittedResult, ComplexArray, States
from quantum_assets.contracts.errors import UnderWay
from quantum_assets.contracts.kernel import KernelMatrix
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.study import FeatureMapSpec
from quantum_assets.contracts.workload import FloatArray, Workload
from quantum_assets.execution.session import Session
from quantum_assets.kernels.draws import KeyArray
from quantum_assets.kernels.fidelity import fidelities
from quantum_assets.kernels.plan import check_size, plan, plan_states
from quantum_assets.kernels.reconstruct import gram, mean
from quantum_assets.kernels.sampling import binomial, sample_keys
from quantum_assets.trust.admit import require

_KEPT_BYTES = 1_000_000_000


@dataclass
class QuantumGram:
    """Gram matrices of one study's splits, made on demand under one profile; a `GramSource`.

    A small cache with a clear life: it is made in an asset's step and dies with it.

    Attributes:
        study: For labels.
        features: The splits whose states may be asked for.
        sample_ids: One a dataset row; keys shot noise by sample and not by position.
        profile: How to run.
        session: The way into the execution room, in the study's name.
    """

    study: str
    features: Features
    sample_ids: tuple[str, ...]
    profile: ExecutionProfile
    session: Session
    _states: dict[tuple[str, float], dict[str, "_SplitStates"]] = field(default_factory=dict, repr=False)
    _group: str = field(default="", repr=False)
    _answers: list[tuple[Answer, AdmittedResult]] = field(default_factory=list, repr=False)

    def __call__(self, split: PreparedSplit, spec: FeatureMapSpec, bandwidth: float) -> FloatArray:
        """The entries alone, in the order of `split.rows`, shape `(n_rows, n_rows)`."""
        return self.matrix(split, spec, bandwidth).values

    def matrix(self, split: PreparedSplit, spec: FeatureMapSpec, bandwidth: float) -> KernelMatrix:
        """The labelled matrix of one split at one configuration.

        Raises:
            PlanError: If the profile's guardrails forbid it.
            ProviderError: If no provider can run it.
            RejectedError: If the trust boundary refuses the answer.
            UnderWay: If it was submitted for and is not there yet.
        """
        ids = tuple(self.sample_ids[row] for row in split.rows)
        check_size(len(ids), self.features.n_qubits, self.profile, label=f"{self.study}/{split.split_id}")
        if self.profile.pair_priced:
            return self._from_circuits(split, spec, bandwidth, ids)
        states = self._states_of(split, spec, bandwidth)
        needed = len(ids) * (len(ids) - 1) // 2
        exact = KernelMatrix(
            fidelities(states.amplitudes), ids, ids, spec.name, {"bandwidth": bandwidth}, circuits_needed=needed
        )
        if self.profile.shots is None or states.keys is None:
            return exact
        return binomial(exact, states.keys, shots=self.profile.shots, seed=self.profile.seed)

    def workload(self, split: PreparedSplit, spec: FeatureMapSpec, bandwidth: float) -> Workload:
        """The workload behind the matrix of one split, for profiles priced by the pair.

        Raises:
            PlanError: If the profile's guardrails forbid it.
        """
        label = f"{self.study}/{split.split_id}"
        check_size(len(split.rows), self.features.n_qubits, self.profile, label=label)
        return plan(spec, bandwidth, split.values, self.profile, label=label)

    @property
    def evidence(self) -> Evidence:
        """What was run so far; asks for at least one matrix first."""
        return sum_up(self._answers)

    def _states_of(self, split: PreparedSplit, spec: FeatureMapSpec, bandwidth: float) -> "_SplitStates":
        group = self._group_of(split)
        if group != self._group:
            self._states.clear()
            self._group = group
        key = (spec.name, bandwidth)
        if key not in self._states:
            self._states[key] = self._run_states(self._members(group), spec, bandwidth)
        return self._states[key][split.split_id]

    def _run_states(
        self, members: Mapping[str, PreparedSplit], spec: FeatureMapSpec, bandwidth: float
    ) -> dict[str, "_SplitStates"]:
        """One workload for every row of every member split, cut up again by split."""
        values = np.vstack([split.values for split in members.values()])
        workload = plan_states(spec, bandwidth, values, label=self.study)
        data = self._admitted(workload)[1].envelope.data
        assert isinstance(data, States)
        ids = [self.sample_ids[row] for split in members.values() for row in split.rows]
        keys = sample_keys(workload.circuit.fingerprint, ids, workload.bindings) if self.profile.shots else None
        bounds = np.cumsum([0, *(len(split.rows) for split in members.values())])
        return {
            split_id: _SplitStates(data.amplitudes[start:stop], None if keys is None else keys[start:stop])
            for split_id, start, stop in zip(members, bounds[:-1], bounds[1:], strict=True)
        }

    def _from_circuits(
        self, split: PreparedSplit, spec: FeatureMapSpec, bandwidth: float, ids: tuple[str, ...]
    ) -> KernelMatrix:
        workload = self.workload(split, spec, bandwidth)
        answer, admitted = self._admitted(workload)
        matrix = gram(admitted, workload, answer.profile, ids, {"bandwidth": bandwidth})
        if answer.classical is None or answer.classical_profile is None:
            return matrix
        other = require(answer.classical, workload, answer.classical_profile)
        return mean([matrix, gram(other, workload, answer.classical_profile, ids, {"bandwidth": bandwidth})])

    def _admitted(self, workload: Workload) -> tuple[Answer, AdmittedResult]:
        """Ask, or collect what was asked before, and let the trust boundary judge it once more in this process."""
        ask = self.session.obtain if self.profile.pair_priced else self.session.answer
        answer = ask(workload, self.profile)
        if answer is None:
            raise UnderWay(
                workload.label, "is still on its way at the provider", "Wait for the sensor, which collects it", True
            )
        admitted = require(answer.envelope, workload, answer.profile)
        self._answers.append((answer, admitted))
        return answer, admitted

    def _group_of(self, split: PreparedSplit) -> str:
        """All splits together while every configuration's states fit in memory; else one outer fold at a time."""
        rows = sum(len(member.rows) for member in self.features.splits.values())
        configurations = 16
        if rows * 2**self.features.n_qubits * 16 * configurations <= _KEPT_BYTES:
            return "all"
        return split.split_id.split("/", 1)[0]

    def _members(self, group: str) -> dict[str, PreparedSplit]:
        return (self.features if group == "all" else self.features.family(group)).splits


@dataclass(frozen=True, eq=False)
class _SplitStates:
    """States of one split's rows, and the keys that shot noise is drawn by (None without shots)."""

    amplitudes: ComplexArray
    keys: KeyArray | None
