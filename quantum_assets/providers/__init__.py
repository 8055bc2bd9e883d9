"""Places that run circuits: one file a place and one line in `PROVIDERS`; a conformance suite runs over every entry.

A provider knows workloads and profiles, never what they are for. A vendor's SDK is imported inside the functions of its
own files, and a provider's constructor does not connect.
"""

from collections.abc import Callable

from quantum_assets.providers.aer import AerProvider
from quantum_assets.providers.base import Provider
from quantum_assets.providers.braket import BraketProvider
from quantum_assets.providers.ibm import IbmProvider
from quantum_assets.providers.remote import RemoteProvider
from quantum_assets.providers.statevector import StatevectorProvider

PROVIDERS: dict[str, Callable[[], Provider]] = {
    "statevector": StatevectorProvider,
    "aer": AerProvider,
    "ibm": IbmProvider,
    "braket": BraketProvider,
    "remote": RemoteProvider,
}
