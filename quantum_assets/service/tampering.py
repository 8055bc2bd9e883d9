"""Results that went wrong on their way, for rehearsals: cut, flipped, another job's, one entry too many or too few."""

import json
from typing import Any

from quantum_assets.service.faults import Fault
from quantum_assets.service.results import Document


def tampered(document: Document, fault: Fault, foreign: Document | None) -> bytes:
    """The bytes that a client gets instead of a document.

    Args:
        document: The true result.
        fault: What happens to it; kinds that are not about results leave it whole.
        foreign: Another job's result, for kind ``foreign``; None when there is no other job, and the answer is empty.
    """
    if fault.kind == "truncate":
        whole = _bytes(document)
        return whole[: len(whole) // 2]
    if fault.kind == "foreign":
        other = foreign or {"job": document["job"], "claims": []}
        return _bytes(other | {"job": document["job"]} if fault.disguised else other)
    return _bytes(document | {"claims": _claims(document["claims"], fault)})


def _claims(claims: list[dict[str, Any]], fault: Fault) -> list[dict[str, Any]]:
    if fault.kind == "duplicate":
        return [*claims, claims[-1]]
    if fault.kind == "missing":
        return claims[:-1]
    if fault.kind == "corrupt":
        return [*claims[:-1], _flipped(claims[-1])]
    return claims


def _flipped(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry whose packed envelope has some characters in the middle exchanged; its sha256 is the old one."""
    if "envelope" not in entry:
        return entry
    text = entry["envelope"]
    middle = len(text) // 2
    changed = "".join("B" if letter == "A" else "A" for letter in text[middle : middle + 8])
    return entry | {"envelope": text[:middle] + changed + text[middle + 8 :]}


def _bytes(document: Document) -> bytes:
    return json.dumps(document).encode()
