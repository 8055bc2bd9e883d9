"""A `RunRecord` as one file: a stored zip archive of `record.json` and the artifact bytes beside it.

One file is one rename, so a reader sees a whole record or none; every member carries a checksum, so a flipped bit is an
error and not a wrong metric. No pickle: the manifest is JSON and everything else is bytes.
"""

import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from typing import IO, Any

from quantum_assets.contracts.errors import TrackingError
from quantum_assets.contracts.record import DatasetInput, ModelRecord, RunRecord

FORMAT = 1
MANIFEST = "record.json"


class CorruptParcel(TrackingError):
    """The bytes are not a record that this package wrote."""


def key_hash(key: str) -> str:
    """Name a key on disk and in MLflow's filters: 32 hexadecimal characters, whatever the key holds."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def write_parcel(record: RunRecord, target: IO[bytes]) -> None:
    """Write a record as one archive.

    Args:
        record: Params may be any scalar (kept as text); metrics any number, non-finite ones included.
        target: Binary file, seekable, open for writing.

    Raises:
        TypeError: For artifacts that are not bytes, or a value JSON cannot hold.
        ValueError: For a metric that is no number.
    """
    members = dict(_members(record))
    manifest = json.dumps(_manifest(record, members), sort_keys=True).encode()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo(MANIFEST), manifest)
        for name, (_, _, data) in members.items():
            archive.writestr(zipfile.ZipInfo(name), bytes(data))


def read_parcel(source: IO[bytes], name: str) -> RunRecord:
    """Read a record back and verify every byte of it.

    Args:
        source: Binary file, seekable.
        name: Whose file this is, for messages.

    Raises:
        CorruptParcel: For anything but a whole record: torn, flipped, or of another shape.
        TrackingError: For a format that a newer release wrote; the file is then left as it is.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            manifest = json.loads(archive.read(MANIFEST))
            if manifest["format"] > FORMAT:
                raise TrackingError(name, f"has format {manifest['format']}, known is {FORMAT}", "Upgrade this package")
            members = {item["member"]: archive.read(item["member"]) for item in manifest["members"]}
        return _record(manifest, members)
    except (zipfile.BadZipFile, ValueError, KeyError, TypeError, EOFError, NotImplementedError, RuntimeError) as error:
        raise CorruptParcel(name, f"is no readable record ({error})", "Look at the file in quarantine") from error


def _members(record: RunRecord) -> list[tuple[str, tuple[str, str, bytes]]]:
    parts = [("artifact", name, data) for name, data in record.artifacts.items()]
    parts += [("array", name, data) for name, data in (record.model.arrays if record.model else {}).items()]
    for _, name, data in parts:
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"artifact {name!r} is {type(data).__name__}; give bytes")
    return [(f"{index:05d}", part) for index, part in enumerate(parts)]


def _manifest(record: RunRecord, members: Mapping[str, tuple[str, str, bytes]]) -> dict[str, Any]:
    model = record.model
    return {
        "format": FORMAT,
        "key": record.key,
        "experiment": record.experiment,
        "run_name": record.run_name,
        "params": {name: str(value) for name, value in record.params.items()},
        "metrics": {name: float(value) for name, value in record.metrics.items()},
        "tags": {name: str(value) for name, value in record.tags.items()},
        "inputs": [asdict(item) for item in record.inputs],
        "model": model
        and {
            "name": model.name,
            "alias": model.alias,
            "input_schema": list(model.input_schema),
            "output_schema": list(model.output_schema),
        },
        "times": [int(record.started_at), int(record.ended_at)],
        "status": record.status,
        "members": [{"member": member, "kind": kind, "name": name} for member, (kind, name, _) in members.items()],
    }


def _record(manifest: Mapping[str, Any], members: Mapping[str, bytes]) -> RunRecord:
    def named(kind: str) -> dict[str, bytes]:
        return {item["name"]: members[item["member"]] for item in manifest["members"] if item["kind"] == kind}

    model = manifest["model"]
    return RunRecord(
        key=manifest["key"],
        experiment=manifest["experiment"],
        run_name=manifest["run_name"],
        params=dict(manifest["params"]),
        metrics=dict(manifest["metrics"]),
        tags=dict(manifest["tags"]),
        artifacts=named("artifact"),
        inputs=tuple(DatasetInput(**item) for item in manifest["inputs"]),
        model=model
        and ModelRecord(
            name=model["name"],
            alias=model["alias"],
            arrays=named("array"),
            input_schema=tuple(model["input_schema"]),
            output_schema=tuple(model["output_schema"]),
        ),
        started_at=manifest["times"][0],
        ended_at=manifest["times"][1],
        status=manifest["status"],
    )
