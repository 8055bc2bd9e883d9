"""QAOA as numbers: the energy of every basis state, the exact engine, angles, training and sampling. Speaks numpy.

The engine trains and verifies; the circuit of the same ansatz (`circuits.qaoa`) is the artifact that runs. Both follow
the convention stated in `contracts.qaoa`. Nothing here knows a problem, a machine or a study.
"""
