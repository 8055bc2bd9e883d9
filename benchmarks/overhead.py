"""What the platform adds to each step of a study over the science in it: `python -m benchmarks.overhead [STUDY]`.

The same study is materialised in one process, first by calling its steps (the science: compute, pictures and tables),
then as a Dagster run with store, checks and tracking. Imports are paid before either. The difference of a step's wall
time is the platform: loading and verifying inputs, hashing, committing, recording, Dagster's own events. Checks
are steps of their own and counted as platform.
"""

import os
import sys
import tempfile
import time
import warnings
from pathlib import Path

STEPS = (
    "dataset",
    "features",
    "quantum_jobs",
    "quantum_kernel",
    "classical_kernels",
    "diagnostics",
    "evaluation",
    "verdict",
    "kernel_model",
)


def science_seconds(study: str) -> dict[str, float]:
    """Wall seconds of each step called directly; the second of two passes, so that nothing is imported in it."""
    from quantum_assets_tests.regression.shipped import run_study, shipped_plan

    plan = shipped_plan(study)
    folder = tempfile.TemporaryDirectory()
    run_study(plan, "ideal", Path(folder.name))
    ends: dict[str, float] = {}
    started = time.perf_counter()
    run_study(plan, "ideal", Path(folder.name), lambda step: ends.update({step: time.perf_counter()}))
    folder.cleanup()
    starts = [started, *list(ends.values())[:-1]]
    return {step: end - start for (step, end), start in zip(ends.items(), starts, strict=True)}


def platform_seconds(study: str, home: Path) -> dict[str, float]:
    """Wall seconds of each Dagster step of a second run of the study's job in this process."""
    import dagster as dg

    from quantum_assets.cli.instance import prepare_instance
    from quantum_assets.definitions import build_defs

    os.environ["DAGSTER_HOME"] = str(prepare_instance(home))
    job = build_defs(home).resolve_job_def(f"{study}_job")
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with dg.DagsterInstance.get() as instance:
        for _ in range(2):
            result = job.execute_in_process(instance=instance, partition_key="ideal", run_config=quiet)
        stats = instance.get_run_step_stats(result.run_id)
    return {s.step_key.split("__", 1)[1]: s.end_time - s.start_time for s in stats}


def main(study: str) -> None:
    """Print the table."""
    warnings.simplefilter("ignore")
    science = science_seconds(study)
    with tempfile.TemporaryDirectory() as folder:
        whole = platform_seconds(study, Path(folder))
    print(f"{study}, ideal; load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
    print("| step | science s | step s | checks s | platform s |\n|---|---|---|---|---|")
    total_science = total_platform = 0.0
    for step in STEPS:
        checks = whole[f"{step}__checks"]
        platform = max(0.0, whole[step] - science[step]) + checks
        total_science, total_platform = total_science + science[step], total_platform + platform
        print(f"| {step} | {science[step]:.2f} | {whole[step]:.2f} | {checks:.2f} | {platform:.2f} |")
    share = total_platform / (total_science + total_platform)
    print(f"| all | {total_science:.2f} | | | {total_platform:.2f} ({share:.0%} of the whole) |")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "iris")
