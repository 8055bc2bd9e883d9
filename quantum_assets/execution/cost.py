"""What an order will cost and what it did cost: estimates and charges from a dated price book, exact to the micro.

Prices are data (`prices.yaml`). Amounts are computed as decimals of the figures as they are written there and rounded
up once, at the end, so that no sum drifts and no estimate is below its own formula.
"""

from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal, localcontext
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path

from pydantic import ValidationError

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.jobs import Charge, JobStatus, Limits
from quantum_assets.contracts.money import MICROS, Estimate, Price, PriceBook
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.workload import Workload
from quantum_assets.contracts.yaml_file import read_yaml

SHIPPED = Path(__file__).with_name("prices.yaml")
_DIGITS = 80  # more than any product of a price, shots and circuits has: every amount is exact until it is rounded up


def read_prices(path: Path | None = None) -> PriceBook:
    """Read a price book.

    Args:
        path: A YAML file with `version` (a date) and `prices`; None: the one shipped with the package.

    Raises:
        PlanError: If the file cannot be read (`read_yaml`) or breaks the form; file and field are named.
    """
    path = path or SHIPPED
    document = read_yaml(path, "Name a price book, or leave it out")
    if not isinstance(document, dict):
        raise PlanError(str(path), "holds no price book", "Write version (a date) and prices (a list)")
    try:
        return PriceBook(**{str(key): value for key, value in document.items()})
    except ValidationError as exc:
        problems = [f"{'.'.join(map(str, error['loc'])) or 'book'}: {error['msg']}" for error in exc.errors()]
        raise PlanError(str(path), "; ".join(problems), "Mend those fields") from exc


def find_price(book: PriceBook, provider: str, backend: str) -> Price | None:
    """The first entry of the book for this provider and backend name (empty: it has only one); None without one."""
    return next((p for p in book.prices if p.provider == provider and fnmatchcase(backend, p.backend)), None)


def estimate(
    workloads: Sequence[Workload], profile: ExecutionProfile, provider: str, limits: Limits, book: PriceBook
) -> Estimate:
    """Say what an order of these workloads is expected to cost, before it is submitted.

    A simulator that runs in this process and has no entry costs nothing. Shots are those of every circuit, and there
    are none where states are computed instead of circuits sampled.

    Args:
        workloads: Members of the order, at least one.
        profile: How they run; its `backend` chooses the price.
        provider: Name of the provider.
        limits: What the provider promises under that profile.
        book: The prices.

    Returns:
        The estimate, its micros rounded up.

    Raises:
        PlanError: When a provider outside this process has no price, or a device is priced as a simulator.
    """
    backend = profile.backend or ""
    price = _price_for(book, provider, backend, limits)
    circuits = sum(workload.n_circuits for workload in workloads)
    shots = sum(shots_of(workload, profile) for workload in workloads)
    micros = 0
    if price.per_task or price.per_shot or price.per_second:
        with localcontext(prec=_DIGITS):
            seconds = _expected_seconds(price, circuits, shots)
            micros = _micros(_amount(price, circuits, shots, seconds))
    return Estimate(
        provider=provider,
        backend=backend,
        kind=price.kind,
        micros=micros,
        currency=price.currency,
        shots=shots,
        circuits=circuits,
        price_version=book.version,
    )


def estimate_each(
    workloads: Sequence[Workload], profile: ExecutionProfile, provider: str, limits: Limits, book: PriceBook
) -> tuple[Estimate, ...]:
    """Split the estimate of an order over its workloads, by circuits: the parts sum to `estimate` to the micro.

    A fee for the whole order is thereby counted once, and not once a workload. What is left after rounding down goes to
    the largest remainders, first come first.

    Raises:
        PlanError: As `estimate`.
    """
    whole = estimate(workloads, profile, provider, limits, book)
    if len(workloads) == 1:
        return (whole,)
    circuits = [workload.n_circuits for workload in workloads]
    weights = circuits if whole.circuits else [1] * len(circuits)
    shares = [divmod(whole.micros * weight, sum(weights)) for weight in weights]
    left = whole.micros - sum(share for share, _ in shares)
    lucky = set(sorted(range(len(shares)), key=lambda i: (-shares[i][1], i))[:left])
    return tuple(
        whole.model_copy(
            update={
                "micros": shares[i][0] + (i in lucky),
                "circuits": circuits[i],
                "shots": shots_of(workload, profile),
            }
        )
        for i, workload in enumerate(workloads)
    )


def charge_of(status: JobStatus, estimate: Estimate, book: PriceBook) -> Charge:
    """What a job that ran to its end is to be settled with.

    The provider's own figure, if it told one. Otherwise the price of what ran: the seconds that it reports as ``run``
    where time has a price (with the minimum, counted once a task), else its shots and tasks. Otherwise, when its price
    has left the book, the estimate.

    Args:
        status: The provider's last word on the job.
        estimate: Of the whole order.
        book: The prices.
    """
    if status.charge is not None:
        return status.charge
    price = find_price(book, estimate.provider, estimate.backend)
    if price is None:
        return Charge(estimate.micros, estimate.currency)
    with localcontext(prec=_DIGITS):
        seconds = _expected_seconds(price, estimate.circuits, estimate.shots)
        if "run" in status.seconds:
            least = _exact(price.minimum_seconds) * _tasks(price, estimate.circuits)
            seconds = max(_exact(status.seconds["run"]), least)
        return Charge(_micros(_amount(price, estimate.circuits, estimate.shots, seconds)), price.currency)


def _price_for(book: PriceBook, provider: str, backend: str, limits: Limits) -> Price:
    where = f"{provider}/{backend}" if backend else provider
    price = find_price(book, provider, backend)
    if price is None:
        if limits.durable or limits.hardware:
            raise PlanError(
                f"price of {where}",
                f"the price book of {book.version} has no price for it, and it does not run in this process",
                "Add an entry with its source to prices.yaml, or name another backend in the profile",
            )
        return _free(provider)
    if limits.hardware and price.kind != "hardware":
        raise PlanError(
            f"price of {where}",
            f"the price book of {book.version} calls it a simulator, and the provider says that a device would run it",
            "Give that backend an entry of kind hardware, before the one that matches now",
        )
    return price


@lru_cache(maxsize=64)
def _free(provider: str) -> Price:
    return Price(provider=provider, kind="simulator", source="runs in this process")


def shots_of(workload: Workload, profile: ExecutionProfile) -> int:
    """Shots of all circuits of a workload; none where states are computed instead of circuits sampled."""
    return workload.n_circuits * (profile.shots or 0) if workload.sampled else 0


def _tasks(price: Price, circuits: int) -> int:
    return circuits if price.task == "circuit" else 1


def _expected_seconds(price: Price, circuits: int, shots: int) -> Decimal:
    """Billed seconds of the whole order; every task takes the same time, and the minimum at least."""
    tasks = _tasks(price, circuits)
    work = _exact(price.seconds_per_circuit) * circuits + _exact(price.seconds_per_shot) * shots
    return max(_exact(price.seconds_per_task) * tasks + work, _exact(price.minimum_seconds) * tasks)


def _amount(price: Price, circuits: int, shots: int, seconds: Decimal) -> Decimal:
    return (
        _exact(price.per_task) * _tasks(price, circuits)
        + _exact(price.per_shot) * shots
        + _exact(price.per_second) * seconds
    )


def _exact(figure: float) -> Decimal:
    """The decimal that a person wrote, not the binary fraction beside it."""
    return Decimal(repr(figure))


def _micros(amount: Decimal) -> int:
    return int((amount * MICROS).to_integral_value(ROUND_CEILING))
