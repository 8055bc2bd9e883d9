"""An envelope for a workload: guardrails first, then the first provider of the profile that supports it.

It is handed the providers it may use and never learns what it runs: no datasets, circuits, kernels or models here.
"""
