"""How a solver says no: the instance is fine, and not for this solver."""

from quantum_assets.contracts.errors import PlanError


class Declined(PlanError):
    """This solver cannot serve this instance; the message says why, and which limit or which other solver helps.

    A race carries on without the solver and keeps the reason. Any other `PlanError` is a mistake in what was asked.
    """
