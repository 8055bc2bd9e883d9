"""Offline copies of devices: the files that are read agree with the SDK, and a calibration has one digest."""

import hashlib
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace

import pytest

from quantum_assets.contracts.errors import ProviderError
from quantum_assets.providers.fakes import calibration_of, fake_backend, fake_fault, properties_digest, two_qubit_error


def test_names_and_widths_read_from_files_are_those_of_the_sdk():
    from qiskit_ibm_runtime import fake_provider

    kinds = {k.backend_name: k for k in vars(fake_provider).values() if getattr(k, "backend_name", None)}
    assert len(kinds) > 50
    for name in kinds:
        assert fake_fault(name, 1) is None
    for name in ("fake_armonk", "fake_manila", "fake_lagos", "fake_guadalupe", "fake_hanoi", "fake_fractional"):
        backend = kinds[name]()
        assert fake_fault(backend.name, backend.num_qubits) is None
        assert f"has {backend.num_qubits} qubits" in fake_fault(backend.name, backend.num_qubits + 1)


def test_an_unknown_fake_is_refused():
    assert "no fake backend fake_nothing" in fake_fault("fake_nothing", 1)
    with pytest.raises(ProviderError, match="fake_nothing"):
        fake_backend("fake_nothing")


def test_a_calibration_names_backend_version_and_date():
    told = calibration_of(fake_backend("fake_manila"))
    assert (told.backend, told.version) == ("fake_manila", "1.2.6")
    assert told.updated_at.startswith("2024-05-27")
    assert told == calibration_of(fake_backend("fake_manila"))
    assert told.digest != calibration_of(fake_backend("fake_lima")).digest


def test_another_calibration_has_another_digest():
    backend = fake_backend("fake_manila")
    before = calibration_of(backend).digest
    backend._props_dict["qubits"][0][0]["value"] *= 1.0001
    assert calibration_of(backend).digest != before


def test_one_moment_in_two_time_zones_is_one_calibration():
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    elsewhere = moment.astimezone(timezone(timedelta(hours=9)))
    one, other, later = (
        SimpleNamespace(to_dict=lambda when=when: {"b": [1.5, {"date": when}], "a": "x"})
        for when in (moment, elsewhere, moment + timedelta(seconds=1))
    )
    assert properties_digest(one) == properties_digest(other) != properties_digest(later)


def test_the_digest_is_that_of_canonical_json():
    properties = SimpleNamespace(to_dict=lambda: {"b": 1, "a": [0.1]})
    assert properties_digest(properties) == hashlib.sha256(b'{"a":[0.1],"b":1}').hexdigest()


def test_a_backend_without_properties_has_no_calibration():
    assert calibration_of(SimpleNamespace(name="sim", backend_version="1", properties=lambda: None)) is None


def test_a_backend_whose_properties_name_no_two_qubit_error_tells_none():
    one = SimpleNamespace(qubits=[0], parameters=[SimpleNamespace(name="gate_error", value=0.5)])
    two = SimpleNamespace(qubits=[0, 1], parameters=[SimpleNamespace(name="gate_length", value=0.5)])
    assert two_qubit_error(SimpleNamespace(properties=lambda: None)) is None
    assert two_qubit_error(SimpleNamespace(properties=lambda: SimpleNamespace(gates=[one, two]))) is None
