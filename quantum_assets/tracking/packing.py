"""A record made to fit MLflow's limits without losing a character: pure functions, no MLflow.

MLflow cuts a param after 6000 characters and a tag after 8000 with a warning only, turns an infinite metric into
1.8e308 and refuses names with other signs than letters, digits and ``/_.-: ``. Here a value that is too long is
replaced by its hash, a name that would be refused is rewritten with a hash behind it, and both are kept whole in the
artifact `qa/altered.json`; a metric that is not finite becomes the tag ``metric.<name>``.
"""

import hashlib
import json
import math
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from quantum_assets.contracts.record import RunRecord
from quantum_assets.tracking.parcel import key_hash

PARAM_LIMIT, TAG_LIMIT, NAME_LIMIT = 6000, 8000, 250
BATCH_PAIRS, BATCH_TOTAL, BATCH_BYTES = 100, 1000, 800_000
KEY_TAG, KEY_HASH_TAG = "qa.key", "qa.key_hash"
ALTERED = "qa/altered.json"

_PLAIN_NAME = re.compile(r"[/\w.\- :]{1,250}")
_PLAIN_STEP = re.compile(r"[\w.\- @+=,()\[\]]{1,120}")


@dataclass(frozen=True)
class Packed:
    """What goes to MLflow for one record; every value is within the limits."""

    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    artifacts: Mapping[str, bytes]


@dataclass(frozen=True)
class Batch:
    """What one `log_batch` call may hold."""

    params: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


def pack(record: RunRecord) -> Packed:
    """Fit a record to MLflow's limits; the same record gives the same result."""
    altered: dict[str, dict[str, str]] = {}
    finite = {name: value for name, value in record.metrics.items() if math.isfinite(value)}
    tags = {f"metric.{name}": str(value) for name, value in record.metrics.items() if name not in finite}
    tags |= {**record.tags, KEY_TAG: record.key, KEY_HASH_TAG: key_hash(record.key)}
    packed_params = _fit(record.params, PARAM_LIMIT, "params", altered)
    packed_tags = _fit(tags, TAG_LIMIT, "tags", altered)
    names = {name: fit_name(name) for name in sorted(finite)}
    altered |= {f"metrics/{new}": {"name": old} for old, new in names.items() if new != old}
    artifacts = _fit_paths(record.artifacts, altered)
    if altered:
        artifacts[ALTERED] = json.dumps(altered, indent=1, sort_keys=True).encode()
    return Packed(packed_params, {new: finite[old] for old, new in names.items()}, packed_tags, artifacts)


def batches(packed: Packed) -> Iterator[Batch]:
    """Part params, metrics and tags into calls of at most 100 params, 100 tags, 1000 items and some 800 kB."""
    batch, count, size = Batch(), 0, 0
    for kind in ("params", "tags", "metrics"):
        for name, value in getattr(packed, kind).items():
            weight = len(json.dumps([name, value])) + 80  # MLflow sends timestamp and step with a metric
            held = len(getattr(batch, kind))
            full = (kind != "metrics" and held == BATCH_PAIRS) or count == BATCH_TOTAL or size + weight > BATCH_BYTES
            if full:
                yield batch
                batch, count, size = Batch(), 0, 0
            getattr(batch, kind)[name] = value
            count, size = count + 1, size + weight
    if count:
        yield batch


def fit_name(name: str) -> str:
    """A param, metric or tag name that MLflow takes; unchanged where it would take it, else with a hash behind it."""
    if _PLAIN_NAME.fullmatch(name) and _is_plain_path(name):
        return name
    legible = re.sub(r"[^\w.\- ]", "_", name)[:200].strip(" .")
    return f"{legible or 'unnamed'}-{_short(name)}"


def fit_label(name: str) -> str:
    """A name for a model or an alias, of letters, digits, ``_`` and ``-``; any other is rewritten, a hash behind it."""
    if re.fullmatch(r"[A-Za-z0-9_-]{1,200}", name) and not re.fullmatch(r"[vV]\d+|latest", name, re.IGNORECASE):
        return name
    return f"{re.sub(r'[^A-Za-z0-9_-]', '_', name)[:180] or 'unnamed'}-{_short(name)}"


def fit_text(value: str, limit: int) -> str:
    """The value, or where it is longer than `limit` the hash that `qa/altered.json` keeps it under."""
    clean = value.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()
    if len(clean) <= limit:
        return clean
    return f"sha256:{hashlib.sha256(clean.encode()).hexdigest()} ({len(clean)} characters, whole in {ALTERED})"


def _fit(pairs: Mapping[str, object], limit: int, kind: str, altered: dict[str, dict[str, str]]) -> dict[str, str]:
    fitted = {}
    for name in sorted(pairs):
        value = str(pairs[name])
        new_name, new_value = fit_name(name), fit_text(value, limit)
        if (new_name, new_value) != (name, value):
            altered[f"{kind}/{new_name}"] = {"name": name, "value": value}
        fitted[new_name] = new_value
    return fitted


def _fit_paths(artifacts: Mapping[str, bytes], altered: dict[str, dict[str, str]]) -> dict[str, bytes]:
    fitted: dict[str, bytes] = {}
    for name in sorted(artifacts):
        new_name = name if _is_safe_path(name, artifacts) else f"qa/renamed/{_short(name)}"
        if new_name != name:
            altered[f"artifacts/{new_name}"] = {"name": name}
        fitted[new_name] = artifacts[name]
    return fitted


def _is_safe_path(path: str, taken: Mapping[str, bytes]) -> bool:
    steps = path.split("/")
    above = {"/".join(steps[:depth]) for depth in range(1, len(steps))}
    plain = len(path) <= 500 and all(_PLAIN_STEP.fullmatch(step) for step in steps)
    return plain and _is_plain_path(path) and path != ALTERED and not above & taken.keys()


def _is_plain_path(path: str) -> bool:
    return posixpath.normpath(path) == path and path != "." and not path.startswith(("..", "/"))


def _short(name: str) -> str:
    return key_hash(name)[:12]
