"""One forged envelope per check: the forger is caught by name, and the honest envelope passes."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from quantum_assets.contracts.envelope import ComplexArray, Overlaps, ResultEnvelope, Samples, States, Timings
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.workload import Workload
from quantum_assets.trust.checks import CHECKS, Claim
from quantum_assets_tests.trust.honest import (
    BINOMIAL,
    CIRCUITS,
    DEVICE,
    EXACT,
    NOISY,
    envelope_for,
    overlaps_workload,
    random_states,
    samples_workload,
    states_workload,
)

Forge = Callable[[ResultEnvelope], ResultEnvelope]
STATES, PAIRS, SHOTS = states_workload(), overlaps_workload(), samples_workload()
WIDE = samples_workload(n_qubits=9)


def failing(envelope: ResultEnvelope, workload: Workload, profile: ExecutionProfile) -> dict[str, list[str]]:
    claim = Claim(envelope, workload, profile)
    found = {check.__name__: list(check(claim)) for check in CHECKS}
    return {name: reasons for name, reasons in found.items() if reasons}


def change(**fields: object) -> Forge:
    return lambda envelope: dataclasses.replace(envelope, **fields)  # type: ignore[arg-type]


def change_effective(**fields: object) -> Forge:
    return lambda e: dataclasses.replace(e, effective=e.effective.model_copy(update=fields))


def change_amplitude(value: complex) -> Forge:
    def forge(envelope: ResultEnvelope) -> ResultEnvelope:
        assert isinstance(envelope.data, States)
        amplitudes = envelope.data.amplitudes.copy()
        amplitudes[1, 2] = value
        return dataclasses.replace(envelope, data=States(amplitudes))

    return forge


def change_probability(value: float, pair: int = 1) -> Forge:
    def forge(envelope: ResultEnvelope) -> ResultEnvelope:
        assert isinstance(envelope.data, Overlaps)
        p_zero = envelope.data.p_zero.copy()
        p_zero[pair] = value
        return dataclasses.replace(envelope, data=dataclasses.replace(envelope.data, p_zero=p_zero))

    return forge


def change_overlaps(**fields: object) -> Forge:
    return lambda e: dataclasses.replace(e, data=dataclasses.replace(e.data, **fields))  # type: ignore[type-var]


def change_packed(edit: Callable[[Any], Any]) -> Forge:
    def forge(envelope: ResultEnvelope) -> ResultEnvelope:
        assert isinstance(envelope.data, Samples)
        return dataclasses.replace(envelope, data=Samples(edit(envelope.data.packed), envelope.data.shots))

    return forge


def high_bit_of_the_last_byte(bits: Any) -> Any:
    forged = bits.copy()
    forged[1, 5, 1] |= 128
    return forged


def all_ones(envelope: ResultEnvelope) -> ResultEnvelope:
    assert isinstance(envelope.data, Overlaps)
    return dataclasses.replace(envelope, data=Overlaps(np.ones_like(envelope.data.p_zero), envelope.data.shots))


FORGERIES = [
    ("answers_this_workload", STATES, EXACT, change(workload_fingerprint="0" * 64), "asked was"),
    ("ran_this_profile", STATES, EXACT, change(profile_fingerprint=CIRCUITS.fingerprint), "asked was"),
    ("honours_profile", STATES, BINOMIAL, change_effective(seed=6), "seed: asked for 5, ran with 6"),
    ("honours_profile", PAIRS, NOISY, change_effective(noise=None), "noise"),
    ("honours_profile", PAIRS, NOISY, change_effective(mode="ideal"), "mode: asked for noisy, ran with ideal"),
    ("honours_profile", STATES, EXACT, change_effective(provider="other"), "ran on other"),
    ("kind", STATES, EXACT, change(data=Overlaps(np.ones(4), None)), "asked for States, got Overlaps"),
    ("kind", PAIRS, CIRCUITS, change(data=random_states(3, 2)), "asked for Overlaps, got States"),
    ("kind", STATES, EXACT, change(data=States([[1.0]])), "no array"),  # type: ignore[arg-type]
    ("kind", STATES, EXACT, change(data=States(np.full((4, 4), 0.5))), "dtype float64"),  # type: ignore[arg-type]
    ("shapes", STATES, EXACT, change(data=random_states(3, 2)), "shape (3, 4), expected (4, 4)"),
    ("shapes", PAIRS, CIRCUITS, change_overlaps(p_zero=np.ones(8)), "shape (8,), expected (9,)"),
    ("kind", SHOTS, CIRCUITS, change(data=Overlaps(np.ones(3), 100)), "asked for Samples, got Overlaps"),
    ("kind", PAIRS, CIRCUITS, change(data=Samples(np.zeros((3, 100, 1), np.uint8), 100)), "got Samples"),
    ("kind", SHOTS, CIRCUITS, change_packed(lambda bits: bits.astype(float)), "no array of unsigned integers"),
    ("kind", SHOTS, CIRCUITS, change_packed(lambda bits: bits.astype(np.uint16)), "dtype uint16, not uint8"),
    ("shapes", SHOTS, CIRCUITS, change_packed(lambda bits: bits[:2]), "shape (2, 100, 1), expected (3, 100, 1)"),
    ("shapes", SHOTS, NOISY, change_packed(lambda bits: bits[:, 1:]), "shape (3, 99, 1), expected (3, 100, 1)"),
    ("padding", SHOTS, CIRCUITS, change_packed(lambda bits: bits | 4), "300 shots have bits set past the last of 2"),
    ("padding", WIDE, CIRCUITS, change_packed(high_bit_of_the_last_byte), "1 shots have bits set past the last of 9"),
    ("finite", STATES, EXACT, change_amplitude(complex("nan")), "1 of 16"),
    ("finite", PAIRS, CIRCUITS, change_probability(np.inf), "1 of 9"),
    ("normalised", STATES, EXACT, change_amplitude(2.0), "state 1 has a squared norm off by"),
    ("probabilities", PAIRS, CIRCUITS, change_probability(1.01), "[0.37, 1.01]"),
    ("probabilities", PAIRS, CIRCUITS, change_probability(-0.01), "[-0.01, 1]"),
    ("shot_counts", PAIRS, CIRCUITS, change_probability(0.375), "miss whole counts by up to 0.5"),
    ("shot_counts", PAIRS, CIRCUITS, change_overlaps(shots=50, p_zero=np.ones(9)), "from 50"),
    ("shot_counts", SHOTS, CIRCUITS, change_overlaps(shots=99), "asks for 100 shots, the outcomes were estimated from"),
    ("shot_counts", SHOTS, DEVICE, change_overlaps(shots=None), "estimated from None"),
    ("crosschecked", SHOTS, NOISY, change(crosscheck_zscore=None, crosscheck_difference=0.0), "z-score is missing"),
    ("crosschecked", SHOTS, CIRCUITS, change(crosscheck_zscore=6.1), "6.1"),
    ("crosschecked", SHOTS, DEVICE, change(metrics={}), "of the compiled circuit is missing"),
    ("accounts", SHOTS, CIRCUITS, change(circuits_run=0), "asks for circuits, and 0 were run"),
    ("crosschecked", STATES, EXACT, change(crosscheck_difference=None), "difference is missing"),
    ("crosschecked", STATES, EXACT, change(crosscheck_difference=2e-8), "2e-08"),
    ("crosschecked", STATES, EXACT, change(crosscheck_difference=float("nan")), "nan"),
    ("crosschecked", STATES, BINOMIAL, change(crosscheck_difference=-1.0), "-1"),
    ("crosschecked", PAIRS, CIRCUITS, change(crosscheck_zscore=None), "z-score is missing"),
    ("crosschecked", PAIRS, CIRCUITS, change(crosscheck_zscore=6.5), "6.5"),
    ("crosschecked", PAIRS, DEVICE, change(metrics={}), "of the compiled circuit is missing"),
    ("crosschecked", PAIRS, DEVICE, change(metrics={"compiled_difference": 1e-3}), "0.001"),
    ("really_ran", PAIRS, CIRCUITS, change(mocked=True), "made up"),
    ("diagonal", PAIRS, CIRCUITS, change_probability(0.99, pair=0), "off 1 by 0.01 on a noiseless profile"),
    ("diagonal", PAIRS, NOISY, all_ones, "compiler cancelled"),
    ("accounts", STATES, EXACT, change(circuits_needed=-1), "circuits_needed is -1"),
    ("accounts", STATES, EXACT, change(cost=float("inf")), "cost is inf"),
    ("accounts", STATES, EXACT, change(timings=Timings(run=-0.1)), "run seconds is -0.1"),
    ("accounts", STATES, EXACT, change(metrics={"speed": float("nan")}), "metric speed is nan"),
    ("accounts", PAIRS, CIRCUITS, change(circuits_run=0), "asks for circuits, and 0 were run"),
]


@pytest.mark.parametrize(("check", "workload", "profile", "forge", "words"), FORGERIES)
def test_a_forged_envelope_is_caught_by_its_own_check_and_no_other(
    check: str, workload: Workload, profile: ExecutionProfile, forge: Forge, words: str
) -> None:
    honest = envelope_for(workload, profile)
    assert failing(honest, workload, profile) == {}
    found = failing(forge(honest), workload, profile)
    assert list(found) == [check]
    assert words in " ".join(found[check])


def test_every_check_has_a_forgery() -> None:
    assert {check.__name__ for check in CHECKS} == {case[0] for case in FORGERIES}


@pytest.mark.parametrize(
    ("workload", "profile"),
    [(STATES, EXACT), (STATES, BINOMIAL), (PAIRS, CIRCUITS), (SHOTS, CIRCUITS), (SHOTS, DEVICE), (WIDE, NOISY)],
)
def test_an_honest_envelope_passes(workload: Workload, profile: ExecutionProfile) -> None:
    assert failing(envelope_for(workload, profile), workload, profile) == {}


def test_samples_under_a_profile_without_shots_are_refused() -> None:
    forged = envelope_for(SHOTS, CIRCUITS)
    found = failing(forged, SHOTS, EXACT)
    assert {"shapes", "shot_counts", "honours_profile"} <= set(found)


def test_a_full_diagonal_is_believed_where_noise_is_too_small_to_show() -> None:
    assert NOISY.noise is not None
    faint = NOISY.noise.model_copy(update={"depolarizing_2q": 1e-6, "readout": 1e-6})
    profile = NOISY.model_copy(update={"noise": faint})
    assert failing(all_ones(envelope_for(PAIRS, profile)), PAIRS, profile) == {}


def with_amplitudes(amplitudes: ComplexArray) -> ResultEnvelope:
    return dataclasses.replace(envelope_for(STATES, EXACT), data=States(amplitudes))


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("value", [complex("nan"), complex(0, np.inf), complex(-np.inf, np.nan), complex(1, np.nan)])
def test_one_amplitude_that_is_no_number_is_found_and_counted_wherever_it_stands(value: complex, order: str) -> None:
    honest = random_states(4, 2).amplitudes
    for place in np.ndindex(honest.shape):
        forged = np.array(honest, order=order)  # type: ignore[call-overload]
        forged[place] = value
        found = failing(with_amplitudes(forged), STATES, EXACT)
        assert found == {"finite": ["1 of 16 outcomes are NaN or infinite"]}


def test_amplitudes_too_large_to_be_squared_are_finite_and_not_normalised() -> None:
    forged = random_states(4, 2).amplitudes.copy()
    forged[3, 1] = 1e200
    found = failing(with_amplitudes(forged), STATES, EXACT)
    assert found == {"normalised": ["state 3 has a squared norm off by inf, allowed is 1e-09"]}


def test_a_matrix_of_another_shape_or_precision_is_still_searched_for_what_is_no_number() -> None:
    wide = np.full((3, 5), np.nan + 0j)
    found = failing(with_amplitudes(wide), STATES, EXACT)
    assert list(found) == ["shapes", "finite"]
    assert found["finite"] == ["15 of 15 outcomes are NaN or infinite"]
    single = np.full((4, 4), np.inf, dtype=np.complex64)
    assert list(failing(with_amplitudes(single), STATES, EXACT)) == ["kind", "finite"]
    empty = np.zeros((0, 4), dtype=complex)
    assert list(failing(with_amplitudes(empty), STATES, EXACT)) == ["shapes"]
