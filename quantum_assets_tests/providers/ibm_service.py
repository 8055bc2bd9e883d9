"""IBM's service without its network: the SDK's own service, job, backend and decoders over a stand-in of its wire.

`Wire` has the methods of the SDK's `RuntimeClient`. It keeps an append-only list of the jobs that it accepted, runs
them on a fake backend's simulator when asked for results, and raises `RequestsApiError` as the real client does.
"""

import json
from collections import deque
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from qiskit_ibm_runtime import QiskitRuntimeService  # noqa: TID253 - it is inherited from
from qiskit_ibm_runtime.api.exceptions import RequestsApiError  # noqa: TID253

CRN = "crn:v1:bluemix:public:quantum-computing:us-east:a/0:{}::"
DEVICE = "ibm_perth"


@dataclass
class Job:
    id: str
    tags: list[str]
    backend: str
    params: dict[str, Any]
    state: dict[str, Any] = field(default_factory=lambda: {"status": "Queued"})
    metrics: dict[str, Any] = field(default_factory=dict)
    results: str | None = None
    cancelled: bool = False


class Wire:
    """One instance's end of the wire.

    `faults` are raised one by one, by method name; `after_accept` are raised after a job was accepted. With `at_once`
    a job is done as soon as it is accepted. `edit` may spoil the answers and their description before they are sent.
    """

    def __init__(self, number=0, device=DEVICE, fake="fake_perth", at_once=False):
        self.at_once, self.pending, self.operational = at_once, 3, True
        self._instance, self.device, self.fake = CRN.format(number), device, fake
        self.accepted: list[Job] = []
        self.faults: dict[str, deque[Exception]] = {}
        self.after_accept: deque[Exception] = deque()
        self.usage: dict[str, Any] = {}
        self.calls: list[str] = []
        self.edit = lambda answers, described: None

    def _enter(self, method):
        self.calls.append(method)
        if self.faults.get(method):
            raise self.faults[method].popleft()

    def backend_files(self):
        from quantum_assets.providers.fakes import fake_backend

        return fake_backend(self.fake)

    def list_backends(self, include_mocks=False):
        self._enter("list_backends")
        return [{"name": self.device}]

    def backend_configuration(self, backend_name, refresh=False, calibration_id=None):
        backend = self.backend_files()
        return backend._load_json(backend.conf_filename) | {"backend_name": backend_name}

    def backend_properties(self, backend_name, datetime=None, calibration_id=None):
        self._enter("backend_properties")
        backend = self.backend_files()
        return backend._load_json(backend.props_filename)

    def backend_status(self, backend_name):
        return {
            "backend_name": backend_name,
            "backend_version": "1",
            "operational": self.operational,
            "pending_jobs": self.pending,
            "status_msg": "active",
        }

    def cloud_usage(self):
        return self.usage

    def program_run(self, **request):
        self._enter("program_run")
        json.dumps(request["params"])  # what goes over the wire is JSON
        job = Job(f"d{len(self.accepted):019}", list(request["job_tags"]), request["backend_name"], request["params"])
        self.accepted.append(job)
        if self.at_once:
            job.state, job.metrics = {"status": "Completed"}, metrics(seconds=2)
        if self.after_accept:
            raise self.after_accept.popleft()
        return {"id": job.id, "backend": job.backend}

    def _job(self, job_id):
        for job in self.accepted:
            if job.id == job_id:
                return job
        raise RequestsApiError("Job not found", status_code=404)

    def job_get(self, job_id, exclude_params=True):
        self._enter("job_get")
        return self._told(self._job(job_id))

    def _told(self, job):
        return {
            "id": job.id,
            "backend": job.backend,
            "state": dict(job.state),
            "tags": job.tags,
            "created": "2026-01-02T03:04:05Z",
            "program": {"id": "executor"},
        }

    def jobs_get(self, job_tags=None, limit=20, skip=0, descending=True, **_):
        self._enter("jobs_get")
        found = [job for job in self.accepted if set(job_tags or []) <= set(job.tags)]
        ordered = list(reversed(found)) if descending else found
        return {"jobs": [self._told(job) for job in ordered[skip : skip + limit]], "count": len(found)}

    def job_metadata(self, job_id):
        self._enter("job_metadata")
        return self._job(job_id).metrics

    def job_cancel(self, job_id):
        self._enter("job_cancel")
        job = self._job(job_id)
        if job.state["status"] in ("Completed", "Failed", "Cancelled"):
            raise RequestsApiError("Job is not in a state that can be cancelled", status_code=409)
        job.state, job.cancelled = {"status": "Cancelled"}, True

    def job_results(self, job_id):
        self._enter("job_results")
        job = self._job(job_id)
        if job.results is None:
            job.results = self._run(job)
        return job.results

    def _run(self, job):
        """Run what was sent on the fake's simulator and encode the outcome as the service does."""
        from ibm_quantum_schemas.executor.version_2_0 import ParamsModel
        from ibm_quantum_schemas.executor.version_2_0.models import (
            CompressedTensorModel,
            ItemMetadataModel,
            MetadataModel,
            QuantumProgramResultItemModel,
            QuantumProgramResultModel,
        )
        from qiskit_ibm_runtime.fake_provider.executor.run_quantum_program import run_quantum_program
        from qiskit_ibm_runtime.options_models.simulator import SimulatorOptions
        from qiskit_ibm_runtime.quantum_program.params_converters import QUANTUM_PROGRAM_PARAMS_CONVERTERS

        model = ParamsModel.model_validate(job.params)
        program, _ = QUANTUM_PROGRAM_PARAMS_CONVERTERS["v2.0"].decoder(model)
        items, answers = list(program.items), []
        for seed, item in enumerate(items):  # one by one, for a device draws every circuit anew
            program.items = [item]
            answers += run_quantum_program(self.backend_files(), program, SimulatorOptions(seed_simulator=seed))
        described = program.passthrough_data
        self.edit(answers, described)
        return QuantumProgramResultModel(
            data=[
                QuantumProgramResultItemModel(
                    results={name: CompressedTensorModel.from_numpy(bits) for name, bits in item.items()},
                    metadata=ItemMetadataModel(),
                )
                for item in answers
            ],
            metadata=MetadataModel(chunk_timing=[]),
            passthrough_data=described,
            semantic_role=program._semantic_role,
        ).model_dump_json()


class Service(QiskitRuntimeService):
    """The SDK's service as it stands after connecting, over one or several `Wire`s."""

    def __init__(self, *wires):
        self.wires = wires
        self._all_instances = [
            {"crn": w._instance, "name": f"i{n}", "plan": "open", "tags": [], "pricing_type": "free"}
            for n, w in enumerate(wires)
        ]
        self._saved_instances, self._plans_preference, self._region, self._tags = [], None, None, None
        self._instance_auto, self._default_instance = True, False
        self._account = SimpleNamespace(instance=None, channel="ibm_quantum_platform", token="t")
        self._channel = "ibm_quantum_platform"
        self._backend_configs, self._backends_info_per_instance, self._backend_instance_groups = {}, {}, []
        self._api_clients = {w._instance: w for w in wires}
        self._active_api_client = wires[0]


def metrics(seconds=None, queue=4.0, position=None):
    """A job's figures in the service's words."""
    figures = {
        "timestamps": {
            "created": "2026-01-02T03:04:05.000000Z",
            "running": f"2026-01-02T03:04:{5 + queue:09.6f}Z",
            "finished": None,
        },
        "usage": {"status": "pending"}
        if seconds is None
        else {"status": "complete", "qpu_charge_time_seconds": seconds},
    }
    return figures if position is None else figures | {"position_in_queue": position}
