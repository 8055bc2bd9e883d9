"""Every provider keeps the contract of `providers.base.Provider`."""

import os
import subprocess
import sys

import pytest

from quantum_assets.providers import PROVIDERS
from quantum_assets_tests.providers import conformance

SUPPORTED = [(name, i) for name, cases in conformance.SUPPORTED.items() for i in range(len(cases()))]
REFUSED = [(name, i) for name, cases in conformance.REFUSED.items() for i in range(len(cases()))]
SCRIPT = """
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.providers import PROVIDERS
from quantum_assets_tests.providers.conformance import SUPPORTED
for name, cases in SUPPORTED.items():
    for workload, profile in cases():
        print(name, fingerprint(workload), fingerprint(PROVIDERS[name]().run(workload, profile).data))
"""


def test_every_registered_provider_is_held_to_the_contract():
    assert set(conformance.SUPPORTED) == set(conformance.REFUSED) == set(PROVIDERS)


@pytest.mark.parametrize("name", PROVIDERS)
def test_names_agree_with_the_registry(name):
    assert PROVIDERS[name]().name == name


@pytest.mark.parametrize(("name", "case"), SUPPORTED)
def test_answers_the_question(name, case):
    conformance.answers_the_question(PROVIDERS[name](), *conformance.SUPPORTED[name]()[case])


@pytest.mark.parametrize(("name", "case"), SUPPORTED)
def test_gives_the_same_again(name, case):
    conformance.gives_the_same_again(PROVIDERS[name](), *conformance.SUPPORTED[name]()[case])


@pytest.mark.parametrize(("name", "case"), REFUSED)
def test_refuses_in_words(name, case):
    conformance.refuses_in_words(PROVIDERS[name](), *conformance.REFUSED[name]()[case])


def test_another_process_gives_the_same_digests(capsys):
    exec(SCRIPT, {})
    here = capsys.readouterr().out
    env = dict(os.environ, PYTHONHASHSEED="99")
    there = subprocess.run([sys.executable, "-c", SCRIPT], env=env, capture_output=True, text=True, check=True)
    assert there.stdout == here
    assert len(here.splitlines()) == len(SUPPORTED)


def test_making_a_provider_imports_no_sdk():
    code = """
import sys
from quantum_assets.providers import PROVIDERS
for make in PROVIDERS.values():
    make()
print(sorted({"qiskit", "qiskit_aer", "scipy"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
