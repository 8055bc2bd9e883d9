"""Every provider keeps the contract of `providers.base.Provider`."""

import os
import subprocess
import sys

import pytest

from quantum_assets.providers import PROVIDERS
from quantum_assets_tests.providers import conformance
from quantum_assets_tests.providers.conformance import LAWS, MADE, make

SUPPORTED = [(name, i) for name, cases in conformance.SUPPORTED.items() for i in range(len(cases()))]
REFUSED = [(name, i) for name, cases in conformance.REFUSED.items() for i in range(len(cases()))]
#: Their SDKs take seconds for what aer does in milliseconds: ordinarily one case of each is held to every law but the
#: statistical one, and `make test-slow` does the rest.
VENDORS = ("ibm", "braket")
SCRIPT = """
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets_tests.providers.conformance import SUPPORTED, claim, make
for name in NAMES:
    for workload, profile in SUPPORTED[name]():
        if profile.reproducible:
            print(name, fingerprint(workload), fingerprint(claim(make(name), workload, profile).data))
"""
SDKS = {"qiskit", "qiskit_aer", "qiskit_ibm_runtime", "qiskit_braket_provider", "braket", "scipy"}


def law_of_case(name, case, law):
    """One law over one case; slow where it takes seconds."""
    _, profile = conformance.SUPPORTED[name]()[case]
    of_a_device = profile.noise is not None and profile.noise.backend is not None
    of_a_vendor = name.split("@")[0] in VENDORS and (case > 0 or law is conformance.equal_circuits_are_drawn_apart)
    marks = [pytest.mark.slow] if of_a_device or of_a_vendor else []
    return pytest.param(name, case, law, marks=marks, id=f"{name}-{case}-{law.__name__}")


def in_another_process(code, **environment):
    env = {**os.environ, **environment}
    return subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stdout


def test_every_registered_provider_is_held_to_the_contract():
    assert set(conformance.SUPPORTED) == set(conformance.REFUSED)
    assert set(MADE) <= set(conformance.SUPPORTED)
    assert {name.split("@")[0] for name in conformance.SUPPORTED} == set(PROVIDERS)


@pytest.mark.parametrize("name", PROVIDERS)
def test_names_agree_with_the_registry(name):
    assert PROVIDERS[name]().name == name


@pytest.mark.parametrize(
    ("name", "case", "law"), [law_of_case(name, case, law) for name, case in SUPPORTED for law in LAWS]
)
def test_keeps_the_law(name, case, law):
    law(make(name), *conformance.SUPPORTED[name]()[case])


@pytest.mark.parametrize(("name", "case"), [one for one in SUPPORTED if one[0] in conformance.CUT])
def test_what_a_submission_that_was_cut_off_left_can_be_ended(name, case):
    law = conformance.cut_off_it_leaves_nothing_that_cannot_be_ended
    law(conformance.CUT[name](), *conformance.SUPPORTED[name]()[case])


def test_every_provider_whose_jobs_are_a_vendors_is_cut_off():
    durable = {name for name, case in SUPPORTED if make(name).limits(conformance.SUPPORTED[name]()[case][1]).durable}
    assert durable - {"remote"} == set(conformance.CUT)


@pytest.mark.parametrize(("name", "case"), REFUSED)
def test_refuses_in_words(name, case):
    conformance.refuses_in_words(make(name), *conformance.REFUSED[name]()[case])


@pytest.mark.parametrize("name", conformance.SUPPORTED)
def test_supports_answers_whatever_is_asked(name):
    provider = make(name)
    for workload, profile in conformance.every_question():
        answer = provider.supports(workload, profile)
        assert answer is None or answer.strip()


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(("statevector", "aer", "remote"), id="ours"),
        pytest.param(("ibm", "ibm@service", "braket", "braket@service"), id="vendors", marks=pytest.mark.slow),
    ],
)
def test_another_process_gives_the_same_digests(capsys, names):
    script = f"NAMES = {names}\n{SCRIPT}"
    exec(script, {})
    here = capsys.readouterr().out
    assert in_another_process(script, PYTHONHASHSEED="99") == here
    cases = [case for name in names for case in conformance.SUPPORTED[name]()]
    assert len(here.splitlines()) == sum(profile.reproducible for _, profile in cases) > 0


def test_every_provider_is_asked_for_its_digests_again():
    marks = next(mark for mark in test_another_process_gives_the_same_digests.pytestmark if mark.name == "parametrize")
    assert {name for param in marks.args[1] for name in param.values[0]} == set(conformance.SUPPORTED)


def test_making_a_provider_imports_no_sdk():
    code = f"""
import sys
from quantum_assets.providers import PROVIDERS
for made in PROVIDERS.values():
    made()
print(sorted({SDKS} & set(sys.modules)))
"""
    assert in_another_process(code).strip() == "[]"


def test_asking_what_is_supported_and_allowed_imports_no_vendors_sdk():
    code = f"""
import sys
from quantum_assets.providers import PROVIDERS
from quantum_assets_tests.providers.conformance import every_question
asked = list(every_question())
before = set(sys.modules)
for made in PROVIDERS.values():
    provider = made()
    for workload, profile in asked:
        provider.supports(workload, profile)
        provider.limits(profile)
print(sorted({SDKS - {"qiskit", "scipy"}} & (set(sys.modules) - before)))
"""
    assert in_another_process(code).strip() == "[]"
