"""The trust boundary: the only room that turns a provider's claim into an `AdmittedResult`, or refuses it.

It speaks numpy, sees the question (workload, profile) and the claim (envelope), and does not know whom it judges.
Adding a check is one generator of reasons in `checks` and one entry in `checks.CHECKS`.
"""
