"""Measure synthesis: lazy bindings against the plain import, growth with the number of resources, the CLI; and the rules.

`python tests/bench/bench.py` prints the table and writes docs/performance.json, which docs/performance.md is made from;
`--rules` measures only the rules and leaves the rest as it was.
Runs of the two variants alternate, so that a busy machine is busy for both.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
from tabulate import tabulate

from tests.bench import rules

ROOT = Path(__file__).parent.parent.parent
HERE = Path(__file__).parent
REPORT = ROOT / "docs" / "performance.json"
SAMPLE_SECONDS = 0.02
SIZES = (100, 300, 1000, 3000)


@dataclass(frozen=True)
class Run:
    """One run of a program with all its child processes."""

    wall: float
    """Seconds."""
    cpu: float
    """Seconds, user and system, of the whole process tree."""
    memory: float
    """Peak of the summed resident memory, in MB."""
    digest: str = ""
    """Hash of the synthesized JSON."""


def run(*command: str, eager: bool = False) -> Run:
    """Run a program in a fresh output folder and measure its process tree."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "CONSTRUCTS_LIB_EAGER_BINDINGS": "1" if eager else "",
            "OUTPUT_DIRECTORY": folder,
            "PYTHONPATH": str(ROOT),
            "CHECKPOINT_DISABLE": "1",
        }
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        log = Path(folder) / "log"
        start = time.perf_counter()
        with log.open("wb") as output:
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
        peak = 0.0
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            peak = max(peak, tree_memory(process.pid))
            time.sleep(SAMPLE_SECONDS)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{log.read_text(encoding='utf-8')}")
        files = sorted(Path(folder).glob("stacks/*/cdk.tf.json"))
        digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
        return Run(wall, usage.ru_utime + usage.ru_stime, peak, digest)


def tree_memory(pid: int) -> float:
    """Return the resident memory of a process and its descendants, in MB."""
    total = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                total += process.memory_info().rss
    return total / 1e6


def median(runs: list[Run]) -> Run:
    """Return the median of each figure."""
    return Run(*(statistics.median(getattr(one, figure) for one in runs) for figure in ("wall", "cpu", "memory")))


def compare(times: int) -> dict[str, Any]:
    """Run payments with lazy and with plain bindings in turn."""
    program = str(HERE / "payments.py")
    run(sys.executable, program)  # fills jsii's cache and Python's
    run(sys.executable, program, eager=True)
    runs: dict[bool, list[Run]] = {False: [], True: []}
    for _ in range(times):
        for eager in (False, True):
            runs[eager].append(run(sys.executable, program, eager=eager))
    same = len({one.digest for variant in runs.values() for one in variant}) == 1
    lazy, plain = median(runs[False]), median(runs[True])
    return {"lazy": asdict(lazy), "plain": asdict(plain), "same_output": same, "runs": times}


def growth(times: int) -> list[dict[str, Any]]:
    """Measure stacks of growing size."""
    program = str(HERE / "growth.py")
    run(sys.executable, program, "10")
    return [
        {"resources": size, **asdict(median([run(sys.executable, program, str(size)) for _ in range(times)]))}
        for size in SIZES
    ]


def cli(times: int) -> dict[str, Any] | None:
    """Measure `cdktf synth` as a whole, where npx has it."""
    npx = shutil.which("npx")
    if npx is None:
        return None
    with tempfile.TemporaryDirectory() as output:
        command = (npx, "--yes", "cdktf-cli@0.21.0", "synth", "--app", f"{sys.executable} main.py", "--output", output)
        run(*command)
        return asdict(median([run(*command) for _ in range(times)]))


def machine() -> dict[str, Any]:
    """Describe what the figures were measured on."""
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    packages = ("cdktf", "cdktf-cdktf-provider-aws", "jsii", "constructs")
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "python": platform.python_version(),
        "node": node,
        **{package: version(package) for package in packages},
    }


def table(report: dict[str, Any]) -> str:
    """Return the figures as text."""
    lazy, plain = report["payments"]["lazy"], report["payments"]["plain"]
    rows = [
        ["payments, plain import", plain["wall"], plain["cpu"], plain["memory"]],
        ["payments, constructs_lib", lazy["wall"], lazy["cpu"], lazy["memory"]],
        ["times less", *(plain[figure] / lazy[figure] for figure in ("wall", "cpu", "memory"))],
    ]
    if report["cli"]:
        rows.append(["cdktf synth, whole", *(report["cli"][figure] for figure in ("wall", "cpu", "memory"))])
    rows += [[f"{size['resources']} resources", size["wall"], size["cpu"], size["memory"]] for size in report["growth"]]
    rows += [[f"rules over {size['resources']} resources", None, size["seconds"], None] for size in report["rules"]]
    return str(tabulate(rows, headers=["", "wall s", "CPU s", "peak MB"], floatfmt=".2f"))


def main() -> None:
    """Measure everything, print the table, write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--rules", action="store_true", help="measure only the rules, and keep the rest of the report")
    given = parser.parse_args()
    times = given.runs
    if given.rules:
        report: dict[str, Any] = json.loads(REPORT.read_text(encoding="utf-8"))
        report["rules"] = rules.measure()
        REPORT.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
        print(tabulate(report["rules"], headers="keys", floatfmt=".2f"))  # noqa: T201
        return
    report = {
        "machine": machine(),
        "payments": compare(times),
        "growth": growth(min(times, 3)),
        "cli": cli(min(times, 3)),
        "rules": rules.measure(),
    }
    if not report["payments"]["same_output"]:
        raise SystemExit("the two variants synthesize different JSON")
    REPORT.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(table(report))  # noqa: T201


if __name__ == "__main__":
    main()
