"""The one door to MLflow: records wait in a durable outbox and are delivered exactly once, off the critical path.

`tracker` is what an asset step uses, `sync` what the command line uses; `courier` is the process between them. Only
this room speaks MLflow, and only inside functions: importing it costs seconds and some 200 MB.
"""
