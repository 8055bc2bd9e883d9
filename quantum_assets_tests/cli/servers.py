"""Supervises two small servers with a child each, for the tests to stop and kill: ``servers.py FOLDER MODE``."""

import sys
from pathlib import Path

from quantum_assets.cli.supervisor import Service, supervise

SERVER = """
import os, pathlib, subprocess, sys, time
folder, name, mode = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
(folder / f"{name}.new").write_text(f"{os.getpid()} {child.pid}")
(folder / f"{name}.new").rename(folder / f"{name}.pids")
print(f"{name} listens", flush=True)
if mode == "dies":
    while not (folder / "die").exists():
        time.sleep(0.02)
    print("the disk is on fire", file=sys.stderr, flush=True)
    sys.exit(3)
time.sleep(600)
"""


def service(folder: Path, name: str, mode: str) -> Service:
    return Service(
        name,
        (sys.executable, "-S", "-c", SERVER, str(folder), name, mode),
        folder / "logs" / f"{name}.log",
        lambda: mode != "mute" and (folder / f"{name}.pids").exists(),
        f"at {name}",
    )


if __name__ == "__main__":
    where, second = Path(sys.argv[1]), sys.argv[2]
    sys.exit(
        supervise(
            [service(where, "second", second), service(where, "first", "runs")],
            lambda line: print(line, flush=True),
            follow=second == "followed",
            patience=2.0 if second == "mute" else 60.0,
            done="Ready.",
        )
    )
