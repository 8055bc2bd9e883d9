"""One thread for every numerical library that is loaded, whenever it was loaded: on more, BLAS gives other bits."""

import subprocess
import sys

_PROGRAM = """
import sys
from dataclasses import dataclass
from types import SimpleNamespace
from threadpoolctl import threadpool_info, threadpool_limits
import numpy
from quantum_assets.providers.in_process import InProcessProvider

@dataclass(frozen=True)
class Looking(InProcessProvider):
    def supports(self, workload, profile): return None
    def versions(self, profile): return {}
    def backends(self, profile): return ()
    def run(self, workload, profile, replicate=0):
        return {one["filepath"]: one["num_threads"] for one in threadpool_info()}

def during(key):
    order = SimpleNamespace(key=key, workloads=(None,), profile=None, replicate=0)
    return provider.fetch(provider.submit(order), order)[0]

def outside():
    return {one["filepath"]: one["num_threads"] for one in threadpool_info()}

provider = Looking()
assert "scipy" not in sys.modules
threadpool_limits(2)
before = outside()
first, second = during("1"), during("2")
assert first.keys() == second.keys() == before.keys() and before, (first, second, before)
import scipy.linalg
threadpool_limits(2)
after = outside()
third = during("3")
assert set(after) > set(before), "this import was to bring a library"
assert third.keys() == after.keys()
assert set(first.values()) | set(second.values()) | set(third.values()) == {1}, (first, second, third)
assert outside() == after and set(after.values()) == {2}, after
print("limited", len(before), len(after))
"""


def test_a_library_that_comes_later_is_limited_too() -> None:
    answer = subprocess.run([sys.executable, "-W", "ignore", "-c", _PROGRAM], capture_output=True, text=True)
    assert answer.stdout.startswith("limited"), answer.stderr
