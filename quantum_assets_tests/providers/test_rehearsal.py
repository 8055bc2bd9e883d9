import numpy as np
import pytest

from quantum_assets.contracts.envelope import AdmittedResult
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.providers.aer import AerProvider
from quantum_assets.providers.rehearsal import Rehearsal, ideal_twin
from quantum_assets.trust.admit import admit
from quantum_assets_tests.providers.workloads import IDEAL, NOISY, SLOW, YY, ZZ, overlaps_workload, states_workload

EXACT = ExecutionProfile(name="exact", mode="managed", providers=("remote",))


def test_sampled_circuits_are_those_of_the_ideal_twin_and_trusted():
    workload = overlaps_workload(ZZ, 3, 2)
    claim = Rehearsal().run(workload, SLOW)
    twin = AerProvider().run(workload, ideal_twin(SLOW))
    np.testing.assert_array_equal(claim.data.p_zero, twin.data.p_zero)
    assert isinstance(admit(claim, workload, SLOW), AdmittedResult)
    assert (claim.effective.mode, claim.effective.backend) == ("managed", "rehearsal")
    assert claim.effective.engine == "rehearsal:aer:statevector"
    assert (claim.effective.shots, claim.effective.seed) == (256, 7)


@pytest.mark.parametrize(("spec", "simulator"), [(ZZ, "statevector"), (YY, "aer")])
def test_states_come_from_the_simulator_that_has_them(spec, simulator):
    workload = states_workload(spec, 4, 2)
    claim = Rehearsal().run(workload, EXACT)
    assert claim.effective.engine.split(":")[1] == simulator
    assert isinstance(admit(claim, workload, EXACT), AdmittedResult)


def test_replicates_are_independent():
    workload = overlaps_workload(ZZ, 3, 2)
    first, second = (Rehearsal().run(workload, SLOW, replicate).data.p_zero for replicate in (0, 1))
    assert (first != second).any()


@pytest.mark.parametrize(
    ("workload", "profile", "reason"),
    [
        (overlaps_workload(ZZ, 3, 2), NOISY, "managed profiles"),
        (states_workload(ZZ, 3, 2), IDEAL, "managed profiles"),
        (overlaps_workload(ZZ, 3, 2), SLOW.model_copy(update={"backend": "ibm_fez"}), "ibm_fez"),
        (states_workload(ZZ, 3, 2), SLOW, "estimator circuits"),
    ],
)
def test_refuses_in_words(workload, profile, reason):
    assert reason in Rehearsal().supports(workload, profile)
    with pytest.raises(ProviderError, match=reason):
        Rehearsal().run(workload, profile)


def test_another_version_is_another_calibration():
    first, second = (Rehearsal(version=word).calibration(SLOW) for word in "12")
    assert first.digest != second.digest
    assert Rehearsal().run(states_workload(ZZ, 2, 2), EXACT).calibration_digest == first.digest
