"""Looks at every `defs.yaml` of a project before anything runs: its fields, its profiles, and the data that it names.

Nothing is raised for a mistake: all of them are collected, so that one look finds everything. What a step of a run
would refuse about a file is found with that step's own code.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from dagster import DagsterError
from pydantic import ValidationError

from quantum_assets.components.kernel_study import KernelStudy
from quantum_assets.components.optimization_study import OptimizationStudy
from quantum_assets.components.yaml_mistakes import is_template, line_of, mistakes_in, not_known
from quantum_assets.contracts.errors import PlanError, QuantumAssetsError
from quantum_assets.contracts.optimization import Periods, ProblemSpec
from quantum_assets.contracts.redact import redact
from quantum_assets.contracts.yaml_file import read_documents
from quantum_assets.orchestration.profiles import FILE_NAME, read_profiles
from quantum_assets.problems.build import LOOK_BACK
from quantum_assets.problems.price_window import look_back, month_of

Study = KernelStudy | OptimizationStudy

COMPONENTS = "quantum_assets.components"
KINDS: dict[str, type[Study]] = {f"{COMPONENTS}.{kind.__name__}": kind for kind in (KernelStudy, OptimizationStudy)}
LARGEST_TO_LOOK_AT = 50_000_000
"""Bytes; a larger file of data is not read by a check."""

_FILES = ("defs.yaml", "defs.yml")
_TOP = ("type", "attributes", "requirements", "template_vars_module", "post_processing")
_AT_FAULT = re.compile(r"^Error while .*? (\S+?)(?:\[\d+\])?:$", re.MULTILINE)


@dataclass(frozen=True)
class Findings:
    """What a look found.

    Attributes:
        studies: Name of each study that was looked at, and the folder that it stands in.
        mistakes: All of them, in the order of the files.
    """

    studies: tuple[tuple[str, Path], ...]
    mistakes: tuple[QuantumAssetsError, ...]


def check_studies(defs: Path, names: Sequence[str] = (), *, data: bool = True) -> Findings:
    """Look at the studies of a defs folder.

    Args:
        defs: Where the studies' folders and `profiles.yaml` are.
        names: Studies or folders wanted; empty for all.
        data: Whether the data that they name are looked at too.

    Raises:
        PlanError: For a name that no study has.
    """
    try:
        read_profiles(defs / FILE_NAME)
    except PlanError as error:  # no study can be judged without its profiles
        return Findings((), (error,))
    looks = [_look(file, defs / FILE_NAME, names, data) for file in _files(defs)]
    every = [study for look in looks for study in look.studies]
    known = {name for study, folder in every for name in (study, folder.name)}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise PlanError(f"study {unknown[0]}", "is not defined", not_known(unknown[0], tuple(sorted(known))))
    wanted = [one for one in every if not names or one[0] in names or one[1].name in names]
    mistakes = [mistake for look in looks for mistake in look.mistakes]
    return Findings(tuple(wanted), (*mistakes, *repeated_names(every)))


def repeated_names(studies: Sequence[tuple[str, Path]]) -> list[PlanError]:
    """An error for every name that two folders share; Dagster only says that an asset key is there twice."""
    folders: dict[str, list[Path]] = {}
    for name, folder in studies:
        folders.setdefault(name, []).append(folder)
    return [
        PlanError(
            f"study {name}",
            f"is the name of {len(found)} studies, in {' and '.join(str(folder) for folder in found)}",
            "Give one of them another name, as name: in its file or as its folder's",
        )
        for name, found in folders.items()
        if len(found) > 1
    ]


def explained(error: Exception, defs: Path) -> QuantumAssetsError | None:
    """Why Dagster could not load a defs folder, as one sentence about one study; None for a bug.

    Args:
        error: What loading raised; Dagster wraps ours in errors of its own.
        defs: The folder.
    """
    found = check_studies(defs, data=False).mistakes
    if found:
        first, more = found[0], len(found) - 1
        if not more:
            return first
        rest = f"{first.mend}. There {'is one more mistake' if more == 1 else f'are {more} more mistakes'}"
        return PlanError(first.culprit, first.problem, f"{rest}: `quantum-assets check` lists all")
    chain = list(_chain(error))
    ours = next((link for link in chain if isinstance(link, QuantumAssetsError)), None)
    if ours is not None or not isinstance(chain[-1], DagsterError | ValidationError):
        return ours
    place = next((match for link in chain if (match := _AT_FAULT.search(str(link)))), None)
    return PlanError(
        "the defs folder" if place is None else f"study {place[1]}",
        redact(" ".join(str(chain[-1]).split()).rstrip(".")),
        "Mend its defs.yaml",
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _files(defs: Path) -> list[Path]:
    return sorted(file for name in _FILES for file in defs.rglob(name))


def _look(file: Path, profiles: Path, names: Sequence[str], data: bool) -> Findings:
    """One file, which may hold several studies; one that nobody asked for is only asked for its name."""
    try:
        documents = read_documents(file, "Write it", culprit=f"study {file.parent.name}")
    except PlanError as error:
        name, told = file.parent.name, error
        if not error.culprit.startswith("study "):
            told = PlanError(f"study {name}: {file.name}", error.problem, error.mend)
        return Findings(((name, file.parent),), (told,) if not names or name in names else ())
    studies, mistakes = [], []
    for document in documents or [None]:
        name = _name(document, file.parent.name)
        if not _is_ours(document):
            continue
        studies.append((name, file.parent))
        if not names or name in names or file.parent.name in names:
            mistakes += _mistakes(document, name, file, profiles, data)
    return Findings(tuple(studies), tuple(mistakes))


def _name(document: Any, folder: str) -> str:
    attributes = document.get("attributes") if isinstance(document, Mapping) else None
    name = attributes.get("name") if isinstance(attributes, Mapping) else None
    return name if isinstance(name, str) else folder


def _is_ours(document: Any) -> bool:
    """Whether it is to be a study; components of other packages are Dagster's to judge."""
    kind = document.get("type") if isinstance(document, Mapping) else None
    return not isinstance(kind, str) or kind.startswith(f"{COMPONENTS}.")


def _mistakes(document: Any, name: str, file: Path, profiles: Path, data: bool) -> list[QuantumAssetsError]:
    outline = _outline(document, name)
    if outline is not None:
        return [outline]
    attributes = document.get("attributes") or {}
    kind = KINDS[document["type"]]
    found = mistakes_in(attributes, kind, name)
    if found:
        return [_with_line(error, file, name) for error in found]
    if is_template(attributes):
        return []
    try:
        _try(kind.model_validate(attributes), file.parent, profiles, data)
    except QuantumAssetsError as error:
        return [PlanError(_whose(error.culprit, name), error.problem, error.mend)]
    return []


def _outline(document: Any, name: str) -> PlanError | None:
    """What is wrong around the attributes."""
    if not isinstance(document, Mapping):
        return PlanError(f"study {name}", "its file states no study", "Write type: and attributes:")
    strange = next((key for key in document if key not in _TOP), None)
    if strange is not None:
        return PlanError(f"study {name}: {strange}", "is no field", not_known(strange, _TOP))
    if document.get("type") not in KINDS:
        given = document.get("type")
        problem = "is missing" if given is None else f"is {given!r}"
        return PlanError(f"study {name}: type", problem, not_known(given, tuple(KINDS)))
    if not isinstance(document.get("attributes") or {}, Mapping):
        return PlanError(f"study {name}: attributes", "is no section", "Write the study's fields below it")
    return None


def _with_line(error: PlanError, file: Path, study: str) -> PlanError:
    field = error.culprit.removeprefix(f"study {study}").removeprefix(": ")
    line = line_of(file.read_text(encoding="utf-8"), field)
    place = f"{file.parent.name}/{file.name}" + ("" if line is None else f":{line}")
    return PlanError(error.culprit, error.problem, f"{error.mend} ({place})")


def _whose(culprit: str, study: str) -> str:
    """The culprit with the study in front, as all of them begin."""
    if culprit.startswith((f"study {study}", FILE_NAME)):
        return culprit
    return f"study {culprit}" if culprit.startswith(f"{study}:") else f"study {study}: {culprit}"


def _try(study: Study, folder: Path, profiles: Path, data: bool) -> None:
    """Raise what building the study, or the first step of its run, would raise."""
    if isinstance(study, KernelStudy):
        _try_kernel(study, folder, profiles, data)
    else:
        _try_optimization(study, folder, profiles, data)


def _try_kernel(study: KernelStudy, folder: Path, profiles: Path, data: bool) -> None:
    from quantum_assets.components.kernel_study_matrices import dataset

    plan = study.plan(folder, profiles)
    if data and _is_small(study.source.path, folder):
        dataset(plan)


def _try_optimization(study: OptimizationStudy, folder: Path, profiles: Path, data: bool) -> None:
    from quantum_assets.components.optimization_study_steps import instance, kernel_of

    plan = study.plan(folder, profiles)
    if not data or not _is_small(study.problem.path, folder):
        return
    if plan.periods is not None:
        _try_months(plan.problem, plan.periods)
        return
    asked = instance(plan, "")
    for profile in ("", *plan.profiles):
        kernel_of(plan, asked, profile)


def _try_months(problem: ProblemSpec, periods: Periods) -> None:
    """Cut the windows of the first months and the last; what is estimated from them takes seconds to import."""
    from quantum_assets.datasets import sp500

    prices = sp500.read()
    first, last = month_of(periods.first), month_of(periods.last)
    for month in (first, first - np.timedelta64(1, "M"), last):  # what was held is told by the month before the first
        look_back(prices, str(month), problem.look_back or LOOK_BACK, problem.tickers)


def _is_small(path: str | None, folder: Path) -> bool:
    """Whether looking costs little: bundled data, or a file of this machine that is not large."""
    if path is None:
        return True
    file = folder / path
    return file.is_file() and file.stat().st_size <= LARGEST_TO_LOOK_AT
