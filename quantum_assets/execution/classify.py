"""Turn whatever went wrong into a `Failure`: gather what is known about it, then let the policy's first match decide.

Vendors wrap: the runtime client raises ``IBMRuntimeError … from None``, and the HTTP status is on the exception that it
hid. So the whole family is read: causes, hidden contexts, exceptions inside groups and inside arguments. What merely
was being handled when this was raised (Python's implicit context) may be another story, for example the failed
submission before a failed look-up: it is asked only when the family itself says nothing that a rule knows. No vendor's
SDK is imported here; names of classes, well-known attributes and the text are enough.

What rules can match on, besides the text: names of the classes of every member of the family and of their bases; HTTP
statuses (−1 is how the runtime client says that it has none); vendors' codes. Three things get a name or code of their
own: a job that ended badly is ``JobFailed``, ``JobCancelled`` or ``JobUnknown``; reasons of the trust boundary are a
``RejectedError``; our own `ProviderError` has the code ``retry`` or ``no_retry``.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.failure import Failure, FailurePolicy, Phase, Rule
from quantum_assets.contracts.jobs import JobStatus
from quantum_assets.contracts.redact import redact

_LONGEST_MESSAGE = 500
_LONGEST_READ = 20_000
_LARGEST_FAMILY = 20

_CODE_ATTRIBUTES = ("error_code", "reason_code", "code")
_STATUS_ATTRIBUTES = ("status_code", "status")
_CODE_IN_TEXT = re.compile(r"\b(?:error|reason)[ _]?code[\"']?\s*[:=]?\s*[\"']?(\d{3,5})\b", re.I)
_STATUS_IN_TEXT = re.compile(r"\btoo many (\d{3}) error responses", re.I)


@dataclass(frozen=True)
class Facts:
    """What is known about a failure, nearest first.

    Attributes:
        names: Class names, with those of their bases.
        statuses: HTTP status codes.
        codes: The vendor's codes.
        said: The nearest message, for people.
        text: All that was said, for rules.
        retry_after: Seconds the provider asked to wait.
    """

    names: tuple[str, ...] = ()
    statuses: tuple[int, ...] = ()
    codes: tuple[str, ...] = ()
    said: str = ""
    text: str = ""
    retry_after: float | None = None


def classify(
    error: BaseException | JobStatus | Sequence[str],
    *,
    provider: str,
    phase: Phase,
    policy: FailurePolicy,
    now: datetime | None = None,
) -> Failure:
    """What a failure is, by the first rule that matches.

    Args:
        error: An exception; or a job's status, when the provider says that it failed; or the trust boundary's reasons.
        provider: Whose failure.
        phase: What was being done.
        policy: The rules.
        now: Against which a date in Retry-After is held where the response has no date of its own; None: the system's.

    Returns:
        The failure, its message without secrets and at most 500 characters long.
    """
    near, wide = _facts(error, now)
    rule = next(rule for rule in policy.rules if matches(rule, near, provider, phase))
    if rule is policy.rules[-1]:
        rule = next(rule for rule in policy.rules if matches(rule, wide, provider, phase))
    return Failure(
        rule=rule,
        provider=provider,
        phase=phase,
        code=_code(near) or _code(wide),
        message=_short(near.said),
        retry_after=wide.retry_after,
    )


def matches(rule: Rule, facts: Facts, provider: str, phase: Phase) -> bool:
    """Whether every condition that the rule gives holds."""
    if rule.phase is not None and rule.phase != phase:
        return False
    if rule.status and not set(rule.status) & set(facts.statuses):
        return False
    return (
        _found(rule.provider, (provider,))
        and _found(rule.exception, facts.names)
        and _found(rule.code, facts.codes)
        and _found(rule.text, (facts.text,))
    )


def facts_of(error: BaseException, now: datetime | None = None, *, implicit: bool = False) -> Facts:
    """What is known about an exception and its family; `implicit`: and about what was being handled meanwhile."""
    family = tuple(_family(error, implicit))
    texts = [_text(member) for member in family]
    whole = "\n".join(dict.fromkeys(texts))[:_LONGEST_READ]
    pauses = (_retry_after(member, now) for member in family)
    return Facts(
        names=tuple(dict.fromkeys(kind.__name__ for member in family for kind in type(member).__mro__[:-1])),
        statuses=tuple(dict.fromkeys([s for m in family for s in _statuses(m)] + _numbers(_STATUS_IN_TEXT, whole))),
        codes=tuple(
            dict.fromkeys([c for m in family for c in _codes(m)] + [str(n) for n in _numbers(_CODE_IN_TEXT, whole)])
        ),
        said=texts[0] or type(error).__name__,
        text=whole,
        retry_after=next((pause for pause in pauses if pause is not None), None),
    )


def _facts(error: BaseException | JobStatus | Sequence[str], now: datetime | None) -> tuple[Facts, Facts]:
    """What the failure itself says, and what it says with everything around it."""
    if isinstance(error, BaseException):
        return facts_of(error, now), facts_of(error, now, implicit=True)
    facts = _facts_of_status(error) if isinstance(error, JobStatus) else _facts_of_reasons(error)
    return facts, facts


def _facts_of_status(status: JobStatus) -> Facts:
    text = f"{status.code} {status.raw} {status.message}"[:_LONGEST_READ]
    codes = [status.code, *(str(number) for number in _numbers(_CODE_IN_TEXT, text))]
    return Facts(
        names=(f"Job{status.state.capitalize()}",),
        codes=tuple(dict.fromkeys(code for code in codes if code)),
        said=status.message or f"the job is {status.raw or status.state}",
        text=text,
    )


def _facts_of_reasons(reasons: Sequence[str]) -> Facts:
    said = reasons if isinstance(reasons, str) else "; ".join(reasons)
    return Facts(names=("RejectedError",), said=said[:_LONGEST_READ], text=said[:_LONGEST_READ])


def _family(error: BaseException, implicit: bool) -> Iterator[BaseException]:
    """The exception, then what it wraps, breadth first, each once; bounded, and a loop ends it."""
    waiting, seen = [error], set[int]()
    while waiting and len(seen) < _LARGEST_FAMILY:
        member = waiting.pop(0)
        if id(member) in seen:
            continue
        seen.add(id(member))
        yield member
        hidden = member.__context__ if implicit or (member.__suppress_context__ and member.__cause__ is None) else None
        inside = (member.__cause__, hidden, getattr(member, "reason", None), *member.args)
        waiting.extend(other for other in inside if isinstance(other, BaseException))
        if isinstance(member, BaseExceptionGroup):
            waiting.extend(member.exceptions)


def _statuses(error: BaseException) -> Iterator[int]:
    """HTTP statuses that it carries itself, on its response, or in botocore's metadata."""
    response = getattr(error, "response", None)
    candidates = [getattr(error, name, None) for name in (*_STATUS_ATTRIBUTES, "code")]
    candidates += [getattr(response, name, None) for name in _STATUS_ATTRIBUTES]
    candidates.append(_botocore(error, "ResponseMetadata").get("HTTPStatusCode"))
    for value in candidates:
        if isinstance(value, int) and not isinstance(value, bool) and (value == -1 or 100 <= value <= 599):
            yield int(value)


def _codes(error: BaseException) -> Iterator[str]:
    """Vendors' codes that it carries itself or in botocore's error part; our own providers' word about trying again."""
    if isinstance(error, ProviderError):
        yield "retry" if error.retry else "no_retry"
    code = _botocore(error, "Error").get("Code")
    candidates = [code, *(getattr(error, name, None) for name in _CODE_ATTRIBUTES)]
    for value in candidates:
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            yield str(value).strip()


def _retry_after(error: BaseException, now: datetime | None) -> float | None:
    """Seconds from a Retry-After, wherever it is carried: attribute, response header, botocore's metadata."""
    metadata = _botocore(error, "ResponseMetadata")
    headers = getattr(getattr(error, "response", None), "headers", None) or metadata.get("HTTPHeaders")
    written = [getattr(error, "retry_after", None), _header(headers, "retry-after"), metadata.get("RetryAfter")]
    for value in written:
        if value is not None:
            seconds = _seconds(str(value).strip(), _header(headers, "date"), now)
            if seconds is not None:
                return seconds
    return None


def _seconds(value: str, date: str | None, now: datetime | None) -> float | None:
    """RFC 9110, 10.2.3: seconds or a date; a date counts from the response's own, so that no clock of ours matters."""
    if re.fullmatch(r"\d{1,9}(\.\d+)?", value):
        return float(value)
    moment = _date(value)
    if moment is None:
        return None
    start = _date(date) or now or datetime.now(UTC)
    return max(0.0, (moment - start).total_seconds())


def _date(value: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value) if value else None
    except (ValueError, OverflowError):
        return None  # no date: what the provider wrote there asks for nothing that can be kept
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def _header(headers: Any, name: str) -> str | None:
    """One header, whatever the case of its name and the kind of mapping it is in."""
    if not isinstance(headers, Mapping):
        return None
    return next((str(value) for key, value in headers.items() if str(key).lower() == name), None)


def _botocore(error: BaseException, part: str) -> Mapping[str, Any]:
    """One part of botocore's parsed response; empty for any other exception."""
    response = getattr(error, "response", None)
    found = response.get(part) if isinstance(response, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _text(error: BaseException) -> str:
    try:
        return str(error)[:_LONGEST_READ]
    except Exception as unprintable:  # noqa: BLE001 - a foreign __str__ may do anything, and its class still tells
        return f"{type(error).__name__} (its message could not be printed: {type(unprintable).__name__})"


def _numbers(pattern: re.Pattern[str], text: str) -> list[int]:
    return [int(number) for number in pattern.findall(text)]


def _found(pattern: str | None, among: Sequence[str]) -> bool:
    return pattern is None or any(re.search(pattern, text, re.I) for text in among)


def _code(facts: Facts) -> str:
    """The vendor's code, else the HTTP status, as text; −1 is no status."""
    codes = [code for code in facts.codes if code not in {"retry", "no_retry"}]
    statuses = [str(status) for status in facts.statuses if status > 0]
    return redact((codes or statuses or [""])[0])[:100]


def _short(text: str) -> str:
    """One line of at most 500 characters; redacted before it is cut, so that half a secret cannot stay."""
    line = " ".join(redact(text).split())
    return line if len(line) <= _LONGEST_MESSAGE else line[: _LONGEST_MESSAGE - 1] + "…"
