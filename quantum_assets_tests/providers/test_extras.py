"""A missing SDK is named with the line that installs it."""

import sys

import pytest

from quantum_assets.contracts.errors import ProviderError
from quantum_assets.providers.extras import extra_fault, require_extra


def test_an_installed_package_is_no_fault():
    assert extra_fault("numpy", "ibm") is None
    require_extra("numpy", "ibm")


def test_a_missing_package_is_named_with_its_install_line():
    fault = extra_fault("no_such_vendor", "ibm")
    assert "no_such_vendor" in fault
    assert 'pip install "quantum_assets[ibm]"' in fault
    with pytest.raises(ProviderError, match="no_such_vendor: is not installed") as caught:
        require_extra("no_such_vendor", "braket")
    assert caught.value.mend == 'Run pip install "quantum_assets[braket]"'
    assert not caught.value.retry


def test_looking_does_not_import():
    before = set(sys.modules)
    extra_fault("antigravity", "ibm")
    assert "antigravity" not in set(sys.modules) - before
