"""Quantum kernels and quantum optimisation as versioned, partitioned assets, each beside its classical baseline."""
