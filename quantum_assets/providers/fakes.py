"""IBM's offline copies of real devices (``fake_manila``, …): which there are, how wide, and what they were like.

A fake holds a device's configuration and one calibration of it as JSON files inside the SDK. They are not fixed for
ever: the SDK's own `refresh` overwrites them. So whatever depends on a fake carries the digest of its calibration.
"""

import hashlib
import json
from datetime import UTC, datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.jobs import Calibration
from quantum_assets.providers.extras import extra_fault, require_extra

if TYPE_CHECKING:
    from qiskit.providers import BackendV2

PREFIX = "fake_"
PACKAGE, EXTRA = "qiskit_ibm_runtime", "ibm"


def fake_fault(name: str, width: int) -> str | None:
    """Why a circuit cannot run on a fake: no SDK, no such fake, or one that is too narrow; None when it can.

    Reads the fake's configuration file; the SDK is not imported.

    Args:
        name: For example ``fake_manila``.
        width: Qubits of the circuit.
    """
    missing = extra_fault(PACKAGE, EXTRA)
    if missing is not None:
        return missing
    widths = _widths()
    if name not in widths:
        return f"there is no fake backend {name}; among others there are {', '.join(sorted(widths)[:4])}"
    if widths[name] < width:
        return f"backend {name} has {widths[name]} qubits, and the circuit has {width}"
    return None


def fake_backend(name: str) -> "BackendV2":
    """A fresh fake backend, its files read anew.

    Raises:
        ProviderError: When the SDK is missing or has no such fake.
    """
    require_extra(PACKAGE, EXTRA)
    from qiskit_ibm_runtime import fake_provider

    for kind in vars(fake_provider).values():
        if getattr(kind, "backend_name", None) == name:
            backend: BackendV2 = kind()
            return backend
    raise ProviderError(f"backend {name}", "is not among the SDK's fake backends", "Name another fake backend")


def calibration_of(backend: Any) -> Calibration | None:
    """What a backend of IBM is like now, by its properties; None for one that has none.

    The digest covers every property with its own date, the backend's version and the date of the last update.

    Args:
        backend: A fake, or one of the service.
    """
    properties = backend.properties()
    if properties is None:
        return None
    return Calibration(
        backend=str(backend.name),
        version=str(backend.backend_version),
        digest=properties_digest(properties),
        updated_at=str(properties.last_update_date),
    )


def two_qubit_error(backend: Any) -> float | None:
    """Median of the errors that a backend's properties give for its two-qubit gates; None where they give none.

    Args:
        backend: A fake, or one of the service.
    """
    properties = backend.properties()
    gates = [] if properties is None else [gate for gate in properties.gates if len(gate.qubits) == 2]
    errors = [float(one.value) for gate in gates for one in gate.parameters if one.name == "gate_error"]
    return median(errors) if errors else None


def properties_digest(properties: Any) -> str:
    """sha256 of the canonical JSON of a backend's properties: sorted keys, moments in UTC."""
    text = json.dumps(properties.to_dict(), sort_keys=True, separators=(",", ":"), default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> str:
    # one moment has one text, whatever time zone the client shows it in
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)


@cache
def _widths() -> dict[str, int]:
    """Qubits of every fake, by name, from the configuration files of the installed SDK."""
    found = find_spec(PACKAGE)
    places = found.submodule_search_locations if found is not None and found.submodule_search_locations else []
    return {
        PREFIX + folder.name: int(json.loads(file.read_text(encoding="utf-8"))["n_qubits"])
        for place in places
        for folder in Path(place, "fake_provider", "backends").iterdir()
        if (file := folder / f"conf_{folder.name}.json").is_file()
    }
