"""The store: every answer as an immutable, digest-named Parquet object with a commit log, read without Dagster.

What belongs here: where files lie, how they are written so that no crash shows a torn one, how they are verified when
read, and how people load them (`loading`). What does not: what the numbers mean, who asked for them, MLflow, Dagster.

From the ground up: `partitions` (names to paths), `files` (durable file steps), `conform` and `digest` (shape and
content of a table), `parquet` (one object), `layout` and `log` (one partition), `store` (commit and read), `gram`
(matrices by slices), `home` and `loading` (the notebook's door), `maintenance` (doctor, verify, retention).
"""
