"""What a failure means, as data: try again, try something else, fall back, or stop; and how often.

A policy is a list of rules read from YAML; the first that matches decides. It knows nothing of the exceptions' classes
but their names, so that no vendor's SDK is needed to read it.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, model_validator

from quantum_assets.contracts.profile import Frozen

Phase = Literal["submit", "status", "fetch", "result"]
Knob = Literal["shots", "seed", "backend", "optimization_level", "split"]


class Action(StrEnum):
    """What to do after a failure."""

    RETRY = "retry"
    MODIFY = "modify"
    REATTACH = "reattach"
    FALL_BACK = "fall_back"
    BUDGET = "budget"
    FATAL = "fatal"


class Modification(Frozen):
    """One change to a profile before the next try, and how far it may go.

    `shots` are multiplied by `factor` and kept at or above `floor` (or at or below, for factors over 1); `seed` and
    `optimization_level` go up by one; `backend` takes the next of the profile's alternatives; `split` halves the
    circuits in an order.
    """

    knob: Knob
    factor: float = Field(1.0, gt=0, le=100)
    floor: int = Field(1, ge=1)


class Rule(Frozen):
    """If a failure looks like this, do that.

    Every condition that is given must hold; those that are text are regular expressions, searched without regard to
    case.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="Stable kind of the failure; goes into the ledger.")
    provider: str | None = None
    phase: Phase | None = None
    exception: str | None = Field(None, description="Class name of the exception or of one that it wraps.")
    status: tuple[int, ...] = Field((), description="HTTP status codes.")
    code: str | None = Field(None, description="The vendor's own code.")
    text: str | None = None
    action: Action
    modify: tuple[Modification, ...] = Field((), description="Tried in turn, one a try, for action modify.")
    at_most: int = Field(3, ge=0, le=100, description="Tries after the first under this rule; then fall back.")
    backoff_seconds: float = Field(0.5, ge=0, description="First pause; doubles with every try.")
    counts_for_breaker: bool = Field(False, description="Whether it says that the backend is unwell.")
    alert: bool = False
    mend: str = Field(min_length=1, description="What a person can do about it.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.action is Action.MODIFY) != bool(self.modify):
            raise ValueError("action modify and a modify list belong together; give both or neither")
        for pattern in (self.exception, self.code, self.text):
            if pattern is not None:
                re.compile(pattern)
        return self


class FailurePolicy(Frozen):
    """All rules in order; the last one matches everything, so that no failure is without an answer."""

    rules: tuple[Rule, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        last = self.rules[-1]
        if any((last.provider, last.phase, last.exception, last.status, last.code, last.text)):
            raise ValueError("the last rule must have no condition, so that every failure is answered")
        names = [rule.name for rule in self.rules]
        if len(set(names)) < len(names):
            raise ValueError("two rules have one name")
        return self


@dataclass(frozen=True)
class Failure:
    """A classified failure.

    Attributes:
        rule: The rule that matched.
        provider: Whose failure.
        phase: What was being done.
        code: The vendor's code or the HTTP status, as text; empty when there is none.
        message: What was said, secrets removed, at most 500 characters.
        retry_after: Seconds the provider asked to wait; None when it did not.
    """

    rule: Rule
    provider: str
    phase: Phase
    code: str
    message: str
    retry_after: float | None = None

    @property
    def sentence(self) -> str:
        """For a log, a ledger's reason or a person; all that is needed to decide what follows can be read from it."""
        code = f" ({self.code})" if self.code else ""
        pause = "" if self.retry_after is None else f" [asks to be left alone for {self.retry_after:g} s]"
        return f"{self.provider} {self.phase} {self.rule.name}{code}: {self.message}{pause}"
