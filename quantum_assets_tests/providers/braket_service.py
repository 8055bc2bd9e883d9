"""Amazon Braket, its bucket and its devices, behind the real client stack: only the wire is replaced.

A handler answers botocore's HTTP requests in its `before-send` hook, so that requests are validated, signed and parsed,
and errors raised, by the vendor's own code. Tasks that were accepted stay in `accepted` for ever.
"""

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import unquote, urlsplit

from numpy.random import default_rng

from quantum_assets.contracts.profile import ExecutionProfile, Transpilation
from quantum_assets.contracts.study import FeatureMapSpec
from quantum_assets.providers.braket import BraketProvider
from quantum_assets.providers.braket_cloud import BraketCloud

SV1 = "arn:aws:braket:::device/quantum-simulator/amazon/sv1"
GARNET = "arn:aws:braket:eu-north-1::device/qpu/iqm/Garnet"
BUCKET = "amazon-braket-test"

SMALL = FeatureMapSpec(kind="zz", reps=1, entanglement="linear")
LOCAL = ExecutionProfile(
    name="local",
    mode="managed",
    estimator="circuits",
    shots=512,
    seed=5,
    providers=("braket",),
    backend="braket_sv",
    transpilation=Transpilation(basis_gates=("h", "rz", "cx")),
)


def changed(**fields) -> ExecutionProfile:
    """The local profile with other fields, validated."""
    return ExecutionProfile.model_validate(LOCAL.model_dump() | fields)


DENSITY = changed(backend="braket_dm")
CLOUD = changed(backend=SV1, shots=256, reproducible=False)
DEVICE = changed(backend=GARNET, mode="hardware", shots=256, reproducible=False)
_SERVICE = {
    "braketSchemaHeader": {"name": "braket.device_schema.device_service_properties", "version": "1"},
    "executionWindows": [{"executionDay": "Everyday", "windowStartHour": "00:00", "windowEndHour": "23:59:59"}],
    "shotsRange": [1, 20000],
    "updatedAt": "2026-11-20T10:00:00",
}
_LINE = {"1": ["2"], "2": ["1", "3"], "3": ["2", "4"], "4": ["3", "5"], "5": ["4"]}


def sv1() -> str:
    """Capabilities of a managed simulator without program sets."""
    from braket.default_simulator import StateVectorSimulator

    capabilities = json.loads(StateVectorSimulator().properties.json())
    del capabilities["action"]["braket.ir.openqasm.program_set"]
    return json.dumps(capabilities)


def garnet(program_sets: int | None = None, calibration: str = "monday") -> str:
    """Capabilities of a five-qubit line with gates prx and cz; `calibration` stands for what changes every day."""
    openqasm = {
        "actionType": "braket.ir.openqasm.program",
        "version": ["1"],
        "supportedOperations": ["cz", "prx", "h", "rx", "rz", "cnot"],
        "supportedModifiers": [],
        "supportedPragmas": ["verbatim"],
        "forbiddenPragmas": [],
    }
    action = {"braket.ir.openqasm.program": openqasm}
    if program_sets is not None:
        action["braket.ir.openqasm.program_set"] = {
            "actionType": "braket.ir.openqasm.program_set",
            "version": ["1"],
            "maximumExecutables": program_sets,
            "maximumTotalShots": 100_000,
        }
    return json.dumps(
        {
            "braketSchemaHeader": {"name": "braket.device_schema.iqm.iqm_device_capabilities", "version": "1"},
            "service": _SERVICE,
            "action": action,
            "deviceParameters": {},
            "paradigm": {
                "braketSchemaHeader": {
                    "name": "braket.device_schema.gate_model_qpu_paradigm_properties",
                    "version": "1",
                },
                "connectivity": {"fullyConnected": False, "connectivityGraph": _LINE},
                "nativeGateSet": ["cz", "prx"],
                "qubitCount": 5,
            },
            "provider": {
                "braketSchemaHeader": {
                    "name": "braket.device_schema.iqm.iqm_provider_properties",
                    "version": "1",
                },
                "properties": {
                    "one": {"set": {"T1": 1.0}, "of": {"calibration": 1.0 if calibration == "monday" else 2.0}}
                },
            },
        }
    )


class Service:
    """Accepts tasks, runs them when told to, and remembers everything.

    `faults` maps an operation (``create``, ``get``, ``search``, ``cancel``, ``device``, ``result``) to a list of
    ``(http status, code)`` that its next requests get instead of an answer; None lets one pass.
    """

    def __init__(self, devices: dict[str, str], at_once: bool = False) -> None:
        self.devices = devices
        self.at_once = at_once
        self.accepted: list[dict] = []
        self.objects: dict[str, str] = {}
        self.faults: dict[str, list] = {}
        self.requests: list[str] = []
        self.visible = True
        self.queues: dict[str, str] = {}
        self.offline: set[str] = set()
        self.sessions: dict = {}
        self.known: dict = {}
        self.random = default_rng(7)

    def session(self, region: str):
        """One session a region; making one reads the vendor's API models."""
        if region not in self.sessions:
            self.sessions[region] = self._session(region)
        return self.sessions[region]

    def _session(self, region: str):
        import boto3
        from botocore.config import Config
        from braket.aws import AwsSession

        boto = boto3.Session(
            aws_access_key_id="AKIATESTING", aws_secret_access_key="not-a-secret", region_name=region or "us-east-1"
        )
        boto.events.register("before-send", self.handle)
        return AwsSession(boto, config=Config(retries={"total_max_attempts": 1}), default_bucket=BUCKET)

    def handle(self, request, **_):
        from botocore.awsrequest import AWSResponse

        path = unquote(urlsplit(request.url).path)
        operation = self.operation(request.method, path)
        self.requests.append(operation)
        fault = self.faults[operation].pop(0) if self.faults.get(operation) else None
        status, body = (200, None) if fault is None else (fault[0], {"message": f"told to say {fault[1]}"})
        if body is None:
            status, body = getattr(self, operation)(path, json.loads(request.body) if request.body else {})
        headers = {"Content-Type": "application/json"}
        if fault is not None:
            headers["x-amzn-ErrorType"] = fault[1]
            body = _s3_error(fault[1]) if operation == "result" else body
        text = body if isinstance(body, str) else json.dumps(body)
        return AWSResponse(request.url, status, headers, _Raw(text.encode()))

    @staticmethod
    def operation(method: str, path: str) -> str:
        if path.startswith("/device/"):
            return "device"
        if path == "/quantum-tasks":
            return "search"
        if path == "/quantum-task":
            return "create"
        if path.startswith("/quantum-task/"):
            return "cancel" if path.endswith("/cancel") else "get"
        return "result"

    def device(self, path, _):
        arn = path.removeprefix("/device/")
        kind = "QPU" if "/qpu/" in arn else "SIMULATOR"
        name = arn.rpartition("/")[2]
        return 200, {
            "deviceArn": arn,
            "deviceName": name,
            "deviceStatus": "OFFLINE" if arn in self.offline else "ONLINE",
            "deviceType": kind,
            "providerName": "x",
            "deviceQueueInfo": [
                {"queue": "QUANTUM_TASKS_QUEUE", "queueSize": self.queues.get(arn, "0"), "queuePriority": "Normal"},
                {"queue": "QUANTUM_TASKS_QUEUE", "queueSize": "0", "queuePriority": "Priority"},
                {"queue": "JOBS_QUEUE", "queueSize": "0 (1 prioritized job(s) running)"},
            ],
            "deviceCapabilities": self.devices[arn],
        }

    def create(self, _, body):
        for task in self.accepted:
            if task["token"] == body["clientToken"]:
                return 201, {"quantumTaskArn": task["quantumTaskArn"]}
        number = len(self.accepted)
        task = {
            "quantumTaskArn": f"arn:aws:braket:us-east-1:123456789012:quantum-task/{number:08d}-aaaa",
            "token": body["clientToken"],
            "action": body["action"],
            "deviceParameters": body.get("deviceParameters", "{}"),
            "status": "CREATED",
            "deviceArn": body["deviceArn"],
            "shots": body["shots"],
            "outputS3Bucket": body["outputS3Bucket"],
            "outputS3Directory": f"{body['outputS3KeyPrefix']}/{number:08d}-aaaa",
            "createdAt": datetime(2026, 11, 22, tzinfo=UTC).isoformat(),
            "tags": body.get("tags", {}),
        }
        self.accepted.append(task)
        if self.at_once:
            self.run()
        return 201, {"quantumTaskArn": task["quantumTaskArn"]}

    def get(self, path, _):
        task = self.task(path.removeprefix("/quantum-task/"))
        if task is None:
            return 404, {"__type": "ResourceNotFoundException", "message": "no such task"}
        return 200, {name: value for name, value in task.items() if name not in ("token", "action")}

    def search(self, _, body):
        (wanted,) = body["filters"]
        assert (wanted["name"], wanted["operator"]) == ("deviceArn", "EQUAL")
        start = int(body.get("nextToken") or 0)
        tasks = [t for t in reversed(self.accepted) if t["deviceArn"] in wanted["values"]] if self.visible else []
        hidden = ("token", "action", "deviceParameters", "failureReason")
        page = {
            "quantumTasks": [
                {name: value for name, value in task.items() if name not in hidden} for task in tasks[start : start + 5]
            ]
        }
        if start + 5 < len(tasks):
            page["nextToken"] = str(start + 5)
        return 200, page

    def cancel(self, path, _):
        task = self.task(path.removeprefix("/quantum-task/").removesuffix("/cancel"))
        if task is None:
            return 404, {"__type": "ResourceNotFoundException", "message": "no such task"}
        if task["status"] in ("COMPLETED", "FAILED", "CANCELLED"):
            return 409, {"__type": "ConflictException", "message": "it has ended"}
        task["status"] = "CANCELLED"
        return 200, {"quantumTaskArn": task["quantumTaskArn"], "cancellationStatus": "CANCELLED"}

    def result(self, path, _):
        text = self.objects.get(path.removeprefix(f"/{BUCKET}").lstrip("/"))
        return (200, text) if text is not None else (404, _s3_error("NoSuchKey"))

    def task(self, arn: str) -> dict | None:
        return next((task for task in self.accepted if task["quantumTaskArn"] == arn), None)

    def run(self) -> None:
        """Run every task that waits, and put its result into the bucket."""
        from braket.ir.openqasm import Program, ProgramSet

        for task in self.accepted:
            if task["status"] != "CREATED":
                continue
            action = json.loads(task["action"])
            is_set = action["braketSchemaHeader"]["name"].endswith("program_set")
            if is_set:
                text = self.sampled_set(ProgramSet.parse_raw(task["action"]), task)
            else:
                text = json.dumps(self.sampled(Program.parse_raw(task["action"]), task["shots"]))
            self.objects[f"{task['outputS3Directory']}/results.json"] = text
            task["status"] = "COMPLETED"
            task["endedAt"] = datetime(2026, 11, 22, 0, 0, 9, tzinfo=UTC).isoformat()

    def sampled(self, program, shots: int) -> dict:
        """A result as the SDK's simulator writes it; the same program is simulated once and sampled every time."""
        import numpy as np
        from braket.default_simulator import StateVectorSimulator

        class Keeping(StateVectorSimulator):
            def initialize_simulation(self, **kwargs):
                self.kept = super().initialize_simulation(**kwargs)
                return self.kept

        if program.source not in self.known:
            simulator = Keeping()
            result = json.loads(simulator.run(program, shots=1).json())
            used = sorted(simulator.parse_program(program).circuit.qubit_set)
            columns = [used.index(qubit) for qubit in result["measuredQubits"]]
            self.known[program.source] = (result, simulator.kept.probabilities, columns)
        result, probabilities, columns = self.known[program.source]
        width = len(probabilities).bit_length() - 1
        drawn = self.random.choice(len(probabilities), shots, p=probabilities / probabilities.sum())
        bits = (drawn[:, None] >> np.arange(width - 1, -1, -1)) & 1
        metadata = {**result["taskMetadata"], "shots": shots}
        return {**result, "taskMetadata": metadata, "measurements": bits[:, columns].tolist()}

    def sampled_set(self, programs, task: dict) -> str:
        from braket.task_result import AdditionalMetadata
        from braket.task_result.program_result_v1 import ProgramResult
        from braket.task_result.program_set_executable_result_v1 import (
            ProgramSetExecutableResult,
            ProgramSetExecutableResultMetadata,
        )
        from braket.task_result.program_set_task_metadata_v1 import ProgramMetadata, ProgramSetTaskMetadata
        from braket.task_result.program_set_task_result_v1 import ProgramSetTaskResult

        results = []
        for program in programs.programs:
            one = self.sampled(program, task["shots"] // len(programs.programs))
            executed = ProgramSetExecutableResult(
                inputsIndex=0, measurements=one["measurements"], measuredQubits=one["measuredQubits"]
            )
            metadata = AdditionalMetadata()
            results.append(ProgramResult(executableResults=[executed], source=program, additionalMetadata=metadata))
        told = ProgramSetTaskMetadata(
            id=task["quantumTaskArn"],
            deviceId=task["deviceArn"],
            requestedShots=task["shots"],
            successfulShots=task["shots"],
            programMetadata=[ProgramMetadata(executables=[ProgramSetExecutableResultMetadata()])] * len(results),
            totalFailedExecutables=0,
        )
        return ProgramSetTaskResult(programResults=results, taskMetadata=told).json()

    def change(self, number: int, edit) -> None:
        """Edit the stored result of one task, as JSON."""
        key = f"{self.accepted[number]['outputS3Directory']}/results.json"
        content = json.loads(self.objects[key])
        edit(content)
        self.objects[key] = json.dumps(content)


class _Raw(io.BytesIO):
    def stream(self, **_):
        yield self.read()


def _s3_error(code: str) -> str:
    return f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>{code}</Message></Error>'


def cut_off() -> tuple[BraketProvider, Callable[[], list[str]]]:
    """The provider over a service that fails after the first task of an order, and the states of all tasks."""
    service = Service({SV1: sv1(), GARNET: garnet()})
    service.faults["create"] = [None, (500, "InternalServiceException")]
    return BraketProvider(cloud=BraketCloud(service.session)), lambda: [task["status"] for task in service.accepted]


def at_once() -> BraketProvider:
    """The provider over a service whose tasks are done as soon as they are accepted."""
    return BraketProvider(
        cloud=BraketCloud(Service({SV1: sv1(), GARNET: garnet(program_sets=20)}, at_once=True).session)
    )
