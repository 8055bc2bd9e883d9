"""Which checks stand before which asset of a kernel study; all block, all are partitioned like their asset."""

from collections.abc import Mapping

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

from quantum_assets.components.kernel_study_plan import KernelStudyPlan
from quantum_assets.contracts.tables import (
    DATASET,
    DIAGNOSTICS,
    EVALUATION,
    FEATURES,
    GRAM,
    JOBS,
    KERNELS,
    MODEL,
    MODES,
    VERDICT,
)
from quantum_assets.orchestration.checks import (
    Check,
    CheckOutcome,
    entries_are_probabilities,
    follows_contract,
    has_unit_diagonal,
    is_symmetric,
    per_kernel,
    smallest_eigenvalue_at_least,
    stored_checks,
)
from quantum_assets.orchestration.stored import provenance_of

#: An exact matrix may miss symmetry, unit diagonal and positivity by rounding only.
ROUNDING = 1e-9


def study_checks(plan: KernelStudyPlan, partitions: dg.StaticPartitionsDefinition) -> list[dg.AssetChecksDefinition]:
    """One checks step for each of the ten assets."""
    unpartitioned: Mapping[str, Mapping[str, Check]] = {
        "dataset": {"contract": follows_contract(DATASET), "two_classes": has_two_classes},
        "features": {"contract": follows_contract(FEATURES), "no_leakage": judged_rows_are_not_fitted},
        "classical_kernels": {
            "contract": follows_contract(KERNELS),
            "symmetric": per_kernel(is_symmetric(ROUNDING)),
            "positive_semidefinite": per_kernel(smallest_eigenvalue_at_least(-1e-7)),
        },
        "modes": {"contract": follows_contract(MODES)},
    }
    partitioned: Mapping[str, Mapping[str, Check]] = {
        "quantum_jobs": {"contract": follows_contract(JOBS, may_be_empty=True)},
        "quantum_kernel": {
            "contract": follows_contract(GRAM),
            "entries": entries_are_probabilities,
            "symmetric": unless_circuits(is_symmetric(ROUNDING)),
            "unit_diagonal": unless_circuits(has_unit_diagonal(ROUNDING)),
            "positive_semidefinite": positive_up_to_noise,
            "as_requested": ran_as_requested,
        },
        "diagnostics": {"contract": follows_contract(DIAGNOSTICS)},
        "evaluation": {
            "contract": follows_contract(EVALUATION),
            "same_folds": every_model_saw_the_same_folds,
            "equal_budget": every_tuned_model_had_the_same_budget,
        },
        "verdict": {"contract": follows_contract(VERDICT), "word_follows_from_tests": word_follows_from_tests(plan)},
        "kernel_model": {"contract": follows_contract(MODEL)},
    }

    def checks_of(
        group: Mapping[str, Mapping[str, Check]], over: dg.StaticPartitionsDefinition | None
    ) -> list[dg.AssetChecksDefinition]:
        return [
            stored_checks(dg.AssetKey([plan.name, asset]), checks, over, _ADVISORY.get(asset))
            for asset, checks in group.items()
        ]

    return [*checks_of(unpartitioned, None), *checks_of(partitioned, partitions)]


def has_two_classes(table: pa.Table) -> CheckOutcome:
    """There are at least two classes to tell apart."""
    classes = pc.count_distinct(table.column("label")).as_py()
    return CheckOutcome(classes >= 2, f"{classes} classes", {"classes": classes})


def judged_rows_are_not_fitted(table: pa.Table) -> CheckOutcome:
    """Every split but `full` has rows that its preparation was not fitted on, and none of them counts as training."""
    frame = table.select(["split", "sample_id", "train"]).to_pandas()
    inner = frame[frame["split"] != "full"].groupby("split")["train"].agg(["sum", "size"])
    without_test = inner[inner["sum"] == inner["size"]]
    twice = int(frame.duplicated(["split", "sample_id"]).sum())
    passed = without_test.empty and twice == 0
    return CheckOutcome(
        passed,
        f"{len(inner)} splits; {len(without_test)} without judged rows; {twice} samples twice in a split",
        {"splits": len(inner)},
    )


def unless_circuits(check: Check) -> Check:
    """The check for exact and binomial matrices; estimates from circuits are neither symmetric nor of unit diagonal."""

    def guarded(table: pa.Table) -> CheckOutcome:
        outcome = check(table)
        if outcome.passed or provenance_of(table).get("estimator") != "circuits":
            return outcome
        return CheckOutcome(True, f"as measured by circuits, not mended: {outcome.description}", outcome.figures)

    guarded.__doc__ = check.__doc__
    return guarded


def positive_up_to_noise(table: pa.Table) -> CheckOutcome:
    """The symmetrised matrix is positive semi-definite, up to the sampling noise of its shots.

    The spectral norm of a symmetric noise matrix of N rows with entries of variance at most 1/(4S) is about
    2·sqrt(N)·1/(2·sqrt(S)) (Wigner); half as much again is allowed.
    """
    shots = provenance_of(table).get("shots")
    rows = table.num_rows
    limit = -1e-7 if not shots else -1.5 * (rows / float(shots)) ** 0.5
    return smallest_eigenvalue_at_least(limit)(table)


def ran_as_requested(table: pa.Table) -> CheckOutcome:
    """The profile that ran is the profile that was asked for, and the independent recomputation of a tile agreed."""
    provenance = provenance_of(table)
    differences = provenance.get("profile_differences", ["no record of the effective profile"])
    difference, zscore = provenance.get("crosscheck_difference"), provenance.get("crosscheck_zscore")
    checked = difference is not None or zscore is not None
    close = (difference is None or difference <= 1e-8) and (zscore is None or zscore <= 6)
    text = "; ".join(differences) or "honoured"
    figures = {"crosscheck_difference": difference, "crosscheck_zscore": zscore}
    return CheckOutcome(
        not differences and checked and close,
        f"profile: {text}; cross-check: {'none' if not checked else 'agrees' if close else 'disagrees'}",
        {name: value for name, value in figures.items() if value is not None},
    )


def quantum_path_answered(table: pa.Table) -> CheckOutcome:
    """Every answer came by the quantum path as asked: no fallback, and no retry that changed the profile."""
    made = provenance_of(table)
    path, reasons = made.get("path", "quantum"), made.get("path_reasons", [])
    changed = made.get("modifications", [])
    told = [f"path {path}: {'; '.join(reasons)}"] if path != "quantum" else []
    told += [f"changed by a retry: {'; '.join(changed)}"] if changed else []
    return CheckOutcome(not told, "; ".join(told) or "the quantum path answered as asked")


_ADVISORY: Mapping[str, Mapping[str, Check]] = {
    "quantum_kernel": {"quantum_path": quantum_path_answered},
    "evaluation": {"quantum_path": quantum_path_answered},
}


def every_model_saw_the_same_folds(table: pa.Table) -> CheckOutcome:
    """Every model has a score on exactly the same outer folds."""
    frame = table.select(["model", "repeat", "fold"]).to_pandas()
    folds = frame.groupby("model").apply(
        lambda g: frozenset(zip(g["repeat"], g["fold"], strict=True)), include_groups=False
    )
    return CheckOutcome(
        folds.nunique() == 1, f"{len(folds)} models on {len(folds.iloc[0])} folds", {"models": len(folds)}
    )


def every_tuned_model_had_the_same_budget(table: pa.Table) -> CheckOutcome:
    """Every tuned model tried the same number of configurations in every fold."""
    frame = table.select(["family", "tried"]).to_pandas()
    budgets = sorted({int(n) for n in frame.loc[frame["family"] != "floor", "tried"]})
    return CheckOutcome(len(budgets) == 1, f"configurations tried: {', '.join(map(str, budgets))}")


def word_follows_from_tests(plan: KernelStudyPlan) -> Check:
    """A check that "benefit" is only said when every classical rival is beaten beyond correction and band."""

    def check(table: pa.Table) -> CheckOutcome:
        frame = table.to_pandas()
        words = sorted(set(frame["verdict"]))
        rivals = frame[frame["family"].isin(["classical", "floor"])]
        beaten = (rivals["p_holm"] < plan.protocol.alpha) & (rivals["low"] > 0)
        beaten &= rivals["difference"] > plan.protocol.equivalence_band
        justified = words != ["benefit"] or bool(beaten.all())
        return CheckOutcome(
            len(words) == 1 and justified, f"verdict {words}; {int(beaten.sum())} of {len(rivals)} rivals beaten"
        )

    check.__doc__ = "“Benefit” is only said when every classical rival is beaten beyond correction and band."
    return check
