"""The Dagster mechanics that components share: IO manager, partitions, checks, automation, guard, reconciler, figures.

Nothing here knows what a kernel or a problem is beyond the table it is stored in; what a study computes belongs in
`components`.
"""
