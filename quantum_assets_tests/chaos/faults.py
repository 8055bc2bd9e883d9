"""What may go wrong with a provider, as data, and when: an explicit script or a seeded lottery.

A schedule is asked once for every call and says what goes wrong with that call, or nothing.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, Protocol, get_args

from quantum_assets_tests.chaos.errors import ERRORS

Call = Literal["submit", "find", "status", "fetch", "cancel", "calibration", "backends"]
CALLS: tuple[Call, ...] = get_args(Call)
_EVERYWHERE = frozenset(CALLS)

#: Every kind of fault and the calls that it can happen to.
KINDS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "well": _EVERYWHERE,  # nothing goes wrong: fills a script
        "raise": _EVERYWHERE,  # an error of the vendor's before anything is done
        "lose": _EVERYWHERE,  # done, then an error instead of the answer
        "delay": _EVERYWHERE,  # the clock goes on by `seconds`, then it goes well
        "die": _EVERYWHERE,  # the process is killed before the call is made
        "die_after": _EVERYWHERE,  # … after the vendor did it
        "twice": frozenset({"submit"}),  # the request is delivered a second time
        "miss": frozenset({"find"}),  # the look-up does not see the job
        "say_failed": frozenset({"status"}),
        "say_completed": frozenset({"status"}),
        "say_gibberish": frozenset({"status"}),
        "say_lost": frozenset({"status"}),  # the vendor has lost sight of the job
        "truncate": frozenset({"fetch"}),  # half of the outcomes of the last member
        "corrupt": frozenset({"fetch"}),  # outcomes that are no probabilities, no states
        "nan": frozenset({"fetch"}),
        "foreign": frozenset({"fetch"}),  # answers another workload
        "ignore_seed": frozenset({"fetch"}),
        "change_shots": frozenset({"fetch"}),
        "other_backend": frozenset({"fetch"}),
        "mocked": frozenset({"fetch"}),
        "missing": frozenset({"fetch"}),  # the last member is not in the answer
        "duplicate": frozenset({"fetch"}),  # the last member is in the answer twice
        "swap": frozenset({"fetch"}),  # members in another order
        "member_error": frozenset({"fetch"}),  # a ProviderError in the place of the last member
    }
)


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong with one call.

    Attributes:
        call: Which.
        kind: One of `KINDS`.
        error: For ``raise`` and ``lose``: a name of `chaos.errors.ERRORS`.
        seconds: For ``delay``.
    """

    call: Call
    kind: str
    error: str = "http_dropped"
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.call not in KINDS[self.kind]:
            raise ValueError(f"{self.kind} cannot happen to {self.call}")
        if self.error not in ERRORS:
            raise ValueError(f"{self.error} is no error that is known")


class Schedule(Protocol):
    """Says what goes wrong with the next call of a kind."""

    def next(self, call: Call) -> Fault | None:
        """The fault of this call; None: it goes well. Each call asks once."""
        ...


@dataclass
class Script:
    """An explicit list: each fault happens to the next call of its kind, and after the list all goes well."""

    faults: Iterable[Fault] = ()
    _waiting: list[Fault] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._waiting = list(self.faults)

    def next(self, call: Call) -> Fault | None:
        for index, fault in enumerate(self._waiting):
            if fault.call == call:
                return self._waiting.pop(index)
        return None

    @property
    def left(self) -> tuple[Fault, ...]:
        """Faults whose call never came."""
        return tuple(self._waiting)


@dataclass
class Seeded:
    """A lottery: every call goes wrong with probability `rate`, at most `most` times; then all goes well.

    Attributes:
        seed: The same seed and the same calls give the same faults.
        rate: In [0, 1].
        most: So that every schedule ends.
        kinds: Which may happen; kinds that do not fit a call are passed over.
        errors: Names of errors for ``raise`` and ``lose``.
        longest: Largest delay in seconds.
    """

    seed: int
    rate: float = 0.3
    most: int = 12
    kinds: Sequence[str] = tuple(kind for kind in KINDS if kind not in ("well", "twice"))
    errors: Sequence[str] = tuple(ERRORS)
    longest: float = 120.0
    _draw: random.Random = field(init=False, repr=False)
    _left: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._draw = random.Random(self.seed)
        self._left = self.most

    def next(self, call: Call) -> Fault | None:
        fitting = [kind for kind in self.kinds if call in KINDS[kind]]
        if not fitting or self._left == 0 or self._draw.random() >= self.rate:
            return None
        self._left -= 1
        seconds = round(self._draw.uniform(0, self.longest), 3)
        return Fault(call, self._draw.choice(fitting), self._draw.choice(list(self.errors)), seconds)
