"""The whole walk of a kernel, as the components compose it: plan, execute, admit, reconstruct."""

from collections.abc import Mapping, Sequence

from quantum_assets.contracts.envelope import ResultEnvelope
from quantum_assets.contracts.jobs import Order
from quantum_assets.contracts.kernel import KernelMatrix
from quantum_assets.contracts.profile import ExecutionProfile, NoiseSpec
from quantum_assets.contracts.study import FeatureMapSpec
from quantum_assets.contracts.workload import FloatArray
from quantum_assets.kernels.plan import plan
from quantum_assets.kernels.reconstruct import gram
from quantum_assets.providers import PROVIDERS
from quantum_assets.trust.admit import require

IDEAL = ExecutionProfile(name="ideal", mode="ideal", providers=("statevector", "aer"))
AER = ExecutionProfile(name="aer", mode="ideal", providers=("aer",))
SAMPLED = ExecutionProfile(
    name="sampled", mode="ideal", estimator="binomial", shots=1024, seed=11, providers=("statevector", "aer")
)
CIRCUITS = ExecutionProfile(
    name="circuits", mode="ideal", estimator="circuits", shots=2000, seed=12, providers=("aer",)
)
DEPOLARISED = ExecutionProfile(
    name="depolarised",
    mode="noisy",
    estimator="circuits",
    shots=20_000,
    seed=13,
    providers=("aer",),
    noise=NoiseSpec(depolarizing_1q=0.02),
)


def kernel(
    spec: FeatureMapSpec,
    bandwidth: float,
    values: FloatArray,
    profile: ExecutionProfile = IDEAL,
    ids: Sequence[str] | None = None,
    parameters: Mapping[str, float] | None = None,
) -> KernelMatrix:
    """The Gram matrix of prepared values under a profile, by whichever provider of ours supports it."""
    workload = plan(spec, bandwidth, values, profile)
    order = Order("0" * 64, (workload,), profile)
    provider = next(
        made for made in (PROVIDERS[name]() for name in profile.providers) if made.supports(workload, profile) is None
    )
    (envelope,) = provider.fetch(provider.submit(order), order)
    assert isinstance(envelope, ResultEnvelope)
    admitted = require(envelope, workload, profile)
    return gram(admitted, workload, profile, ids or [f"s{i}" for i in range(len(values))], parameters)
