"""How long to wait before the next try, and the small retries inside one call.

Between tries of a ticket nobody sleeps: the pause becomes the ticket's `not_before`, and any process may make the next
try. `Pauses` computes it: exponential back-off with full jitter (uniform between nothing and the back-off, which
spreads a herd best: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015), at least what the
provider asked for. The draw is keyed: the same ticket and try give the same pause in every process, two tickets do not.

Inside one call, a status poll or a fetch that failed in passing is repeated by `Retries`. The loop and its log line are
stamina's; stamina has no full jitter and sleeps by the machine's clock, so the pause is ours and passes through our
`Clock`. Submissions are never repeated that way: their key must be looked up first.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import stamina

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.failure import Action, Failure, FailurePolicy, Phase, Rule
from quantum_assets.execution.classify import classify
from quantum_assets.execution.clock import SYSTEM_CLOCK, Clock

T = TypeVar("T")
_MOST_DOUBLINGS = 40


@dataclass(frozen=True)
class Pauses:
    """Pauses between tries, in seconds.

    Attributes:
        longest: Upper bound of the back-off; also of what a provider may ask for.
        seed: Of the jitter.
    """

    longest: float = 600.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.longest < float("inf"):
            raise PlanError("Pauses.longest", f"is {self.longest}", "Give a finite number of seconds above 0")

    def bound(self, rule: Rule, tries: int) -> float:
        """The back-off before try `tries` after the first (1, 2, …), without jitter: doubles every time."""
        if tries < 1:
            raise PlanError("tries", f"is {tries}", "Count the tries after the first: 1, 2, …")
        return min(rule.backoff_seconds * 2.0 ** min(tries - 1, _MOST_DOUBLINGS), self.longest)

    def before(self, rule: Rule, tries: int, *, key: str = "", retry_after: float | None = None) -> float:
        """The pause before try `tries` after the first.

        Args:
            rule: The rule that matched the failure.
            tries: 1, 2, …
            key: Whose pause, for example a ticket's id: others draw others.
            retry_after: Seconds the provider asked to wait: the jitter is added to it, so that it is never undercut
                and those who were told the same do not come back together; capped at `longest`.

        Returns:
            Seconds in [0, `longest`]; never below `retry_after` where that is below `longest`.
        """
        jitter = random.Random(f"{self.seed}/{key}/{tries}").random() * self.bound(rule, tries)
        return min(max(retry_after or 0.0, 0.0) + jitter, self.longest)


class _Again(Exception):
    """Tells stamina to go on; its log line then shows the redacted sentence and nothing else."""


@dataclass(frozen=True)
class Retries:
    """Repeats a call that only reads (status, fetch, calibration, look-up) while the policy says `retry`.

    Attributes:
        policy: What failures mean; each rule's `at_most` bounds its own repetitions.
        clock: Lets the pauses pass.
        pauses: How long they are.
        patience: Seconds of pause that one call may spend; a longer one is left to the caller's next turn.
    """

    policy: FailurePolicy
    clock: Clock = SYSTEM_CLOCK
    pauses: Pauses = field(default_factory=Pauses)
    patience: float = 30.0

    def call(
        self,
        function: Callable[[], T],
        *,
        provider: str,
        phase: Phase,
        key: str = "",
        noted: Callable[[Failure, float], None] | None = None,
    ) -> T:
        """Call `function` until it answers, or fails in a way or for a time that is not for this place.

        Args:
            function: The call; it must change nothing at the provider.
            provider: Who is called.
            phase: ``status`` or ``fetch``.
            key: Whose call, for the jitter.
            noted: Told of every repetition before its pause: the failure and the seconds.

        Raises:
            PlanError: For phase ``submit``, before anything is called.
            Exception: What `function` raised last, as it was.
        """
        if phase == "submit":
            raise PlanError(
                f"submission to {provider}",
                "was to be repeated in the call, and it may have been accepted already",
                "Look its order key up at the provider, and submit again only what is not there",
            )
        account = _Account(self, key, noted)
        error: Exception
        try:
            for attempt in stamina.retry_context(on=account.pause, attempts=None, timeout=None):
                try:
                    return function()
                except Exception as raised:
                    # Bare, and outside of stamina: raised anew, it would lose the context that tells its status
                    now = self.clock.now()
                    failure = classify(raised, provider=provider, phase=phase, policy=self.policy, now=now)
                    if not account.allows(failure):
                        raise
                    error = raised
                with attempt:
                    raise _Again(failure.sentence)  # noqa: TRY301 - this is how stamina is told
        except _Again:
            raise error from None  # stamina is in its testing mode, and had enough
        raise AssertionError("stamina ended its loop without an answer or an exception")


class _Account:
    """What one call has used up: tries by rule, and seconds of pause."""

    def __init__(self, retries: Retries, key: str, noted: Callable[[Failure, float], None] | None) -> None:
        self._retries = retries
        self._key = key
        self._noted = noted
        self._tries: dict[str, int] = {}
        self._seconds = 0.0
        self._spent = 0.0

    def allows(self, failure: Failure) -> bool:
        """Whether the call is to be repeated after this failure; if so, the pause is due."""
        rule, retries = failure.rule, self._retries
        if rule.action is not Action.RETRY or not stamina.is_active():
            return False
        tries = self._tries[rule.name] = self._tries.get(rule.name, 0) + 1
        if tries > rule.at_most:
            return False
        seconds = retries.pauses.before(rule, tries, key=self._key, retry_after=failure.retry_after)
        if self._spent + seconds > retries.patience:
            return False
        self._seconds = seconds
        self._spent += seconds
        if self._noted is not None:
            self._noted(failure, seconds)
        return True

    def pause(self, error: Exception) -> float:  # noqa: ARG002 - what stamina hands its hook; the account knows more
        """Stamina's hook: let the pause pass through our clock, and leave it nothing to sleep."""
        self._retries.clock.sleep(self._seconds)
        return 0.0
