"""YAML that people edit: read within bounds, never quoted in an error, and refused when it holds a credential.

Credentials belong in the environment. A file is read by others, copied and committed, so one that looks as if it held a
secret is turned away before anything in it is used; the message names the field and repeats no value.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import yaml

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.redact import redact

LARGEST_FILE = 1_000_000

# A name that ends so is a credential's, whatever stands there; one that has such a word anywhere, when it holds text: a
# number there is a limit or a count.
_ENDS_AS_CREDENTIAL = re.compile(
    r"(?:^|_)(?:tokens?|secrets?|password|passwd|passphrase|credentials?|authorization|bearer|"
    r"api_?keys?|(?:access|secret|private|account|auth|service)_?keys?(?:_id)?)$"
)
_TELLS_OF_CREDENTIAL = re.compile(
    r"token|secret|passw(?:or)?d|passphrase|credential|authorization|(?:api|access|private|account|service)_?key|"
    r"^crn$|^(?:pwd|auth|key)$"
)
# What a running text may say and a file of settings may not, beyond what `redact` knows: half a PEM block, a header
# with any value, an address with a password of any characters.
_SECRET_VALUE = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY|\bbearer\s+\S{8,}|://[^/\s:@]*:[^/\s@]+@", re.IGNORECASE)
#: `{{ env.NAME }}`: a value that is read from the environment later is no secret.
_FROM_ENVIRONMENT = re.compile(r"\{\{\s*env\b[^{}]*\}\}")
_NAMED, _TOLD = 2, 1  # by its name it is a credential; its name tells of one


def read_yaml(path: Path, mend: str) -> Any:
    """The one document of a file, without credentials.

    Args:
        path: The file, UTF-8, at most `LARGEST_FILE` bytes.
        mend: What to do when there is no such file.

    Raises:
        PlanError: If it is missing, too large or no YAML, with the line and without its text; or holds what looks like
            a credential.
    """
    documents = read_documents(path, mend, culprit=path.name)
    if len(documents) > 1:
        raise PlanError(str(path), f"is not YAML: {len(documents)} documents in one file", "Keep one of them")
    return documents[0] if documents else None


def read_documents(path: Path, mend: str, *, culprit: str) -> list[Any]:
    """All documents of a file; `culprit` names it in the message about a credential. Else as `read_yaml`."""
    if not path.is_file():
        raise PlanError(str(path), "there is no such file", mend)
    if path.stat().st_size > LARGEST_FILE:
        raise PlanError(str(path), f"is over {LARGEST_FILE} bytes", "Keep it to what is read from it")
    try:
        documents = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as exc:
        # Without the lines that PyYAML quotes, and without its exception: a secret may stand in them
        raise PlanError(str(path), f"is not YAML: {_unquoted(exc)}", "Mend the line it names") from None
    for document in documents:
        check_no_secret_fields(document, culprit)
    return documents


def check_no_secret_fields(document: Any, culprit: str = "configuration") -> None:
    """Refuse configuration that holds a credential, at any depth; one that is read from the environment may stay.

    Args:
        document: What was read from YAML.
        culprit: Name of the file, for the message.

    Raises:
        PlanError: Naming the field; its value is not repeated.
    """
    # All texts at once first: of most files that is the end of it
    suspected = _is_secret("\n".join(_texts(document, set())))
    for field in _Search(suspected, set()).fields(document):
        raise PlanError(
            f"{culprit}: {field}",
            "looks like a credential, and files are read, copied and committed",
            "Take it out, also of the file's history, and revoke it; credentials are read from the environment only",
        )


@dataclass(frozen=True)
class _Search:
    """A walk through a document for fields whose name or value looks like a secret.

    Attributes:
        suspected: Whether some text in it does; else only names are looked at.
        seen: Containers that were looked through: an alias may stand in many places, and in itself.
    """

    suspected: bool
    seen: set[tuple[int, int]]

    def fields(self, value: Any, within: str = "", named: int = 0) -> Iterator[str]:
        """Their names, dotted, with places in lists in brackets; `named`: what the names above tell."""
        if isinstance(value, Mapping | list):
            if (id(value), named) in self.seen:
                return
            self.seen.add((id(value), named))
        if isinstance(value, Mapping):
            for key, inner in value.items():
                secret = self.suspected and _is_secret(str(key))
                name = f"{within}.{redact(str(key)) if secret else key}".removeprefix(".")
                if secret:
                    yield name
                yield from self.fields(inner, name, max(named, _level(str(key))))
        elif isinstance(value, list):
            for place, inner in enumerate(value):
                yield from self.fields(inner, f"{within}[{place}]", named)
        elif self._is_one(value, named):
            yield within

    def _is_one(self, value: Any, named: int) -> bool:
        if isinstance(value, str):
            text = _FROM_ENVIRONMENT.sub("", value).strip()
            return bool(text) and (named > 0 or (self.suspected and _is_secret(text)))
        return named == _NAMED and isinstance(value, int | float) and not isinstance(value, bool)


def _texts(value: Any, seen: set[int]) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list) and id(value) not in seen:
        seen.add(id(value))
        for inner in chain(value, value.values()) if isinstance(value, Mapping) else value:
            yield from _texts(inner, seen)


def _level(name: str) -> int:
    """What a field's name tells: that it is a credential's (2), that it has to do with one (1), nothing (0)."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().replace("-", "_")
    if _ENDS_AS_CREDENTIAL.search(words):
        return _NAMED
    return _TOLD if _TELLS_OF_CREDENTIAL.search(words) else 0


def _is_secret(text: str) -> bool:
    return redact(text) != text or _SECRET_VALUE.search(text) is not None


def _unquoted(exc: yaml.YAMLError | UnicodeDecodeError | RecursionError) -> str:
    if isinstance(exc, yaml.MarkedYAMLError) and exc.problem_mark is not None:
        what = re.sub(r"(['\"]).*?\1", "…", exc.problem or "cannot be read")
        return f"line {exc.problem_mark.line + 1}: {what}"
    return type(exc).__name__
