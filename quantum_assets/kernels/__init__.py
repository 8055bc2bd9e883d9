"""Kernel matrices: planned as workloads, reconstructed from admitted results, sampled, repaired and diagnosed.

Numpy only: this room plans and reads, and never calls a machine. `plan` asks the question, `reconstruct` reads the
answer; `classical` makes the rivals as the same value. Adding a classical kernel is one function in `classical` and one
entry in `classical.KERNELS`; `test_every_kernel` picks it up.
"""
