"""The sidecar: a process that accepts orders over HTTP, runs them, and keeps its own account of what it accepted.

``python -m quantum_assets.service --port 8765 --home …`` serves the slow, durable, priced provider of rehearsals, and
is the independent witness of what was submitted. It shares `contracts` and the simulators of `providers` with the rest
of the house and nothing else: neither the ledger nor the control plane.

===========================  ==========================================================================================
``POST /jobs``               a packed order (``application/octet-stream``), header ``Idempotency-Key``; 201 new,
                             200 known, 409 the key was used for another order, 422 the order cannot be run
``GET /jobs?key=…``          jobs accepted under an order key
``GET /jobs/{id}``           status, queue position, charge
``GET /jobs/{id}/result``    one packed envelope or error a workload; 409 while there is none
``POST /jobs/{id}/cancel``   end it; harmless for one that has ended
``GET /calibration``         state of the backend; ``POST`` sets it (rehearsals only)
``GET /witness``             every job ever accepted, with its key, its questions and its price
``GET /health``              alive, and what it promises
``/faults``                  what is to go wrong next (rehearsals only): GET, POST, DELETE
===========================  ==========================================================================================
"""
