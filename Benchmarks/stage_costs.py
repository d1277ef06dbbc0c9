#!/usr/bin/env python3
"""Counts the instructions of each stage of a query under callgrind, and compares them with their limits.

Each stage runs with two counts; the difference is the cost of the stage alone. `--write` stores the results as the new
limits. No stage may allocate memory or count a reference.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

LIMITS = pathlib.Path(__file__).resolve().parent / "stage-costs.json"
# The number of times that StageCosts repeats its count.
REPEATS = 9
FEW, MANY = 100, 1100
# A change elsewhere may change what the compiler inlines.
TOLERANCE = 1.02
# With random hashing, the dictionaries of a stage would grow differently in each run.
ENVIRONMENT = os.environ | {"SWIFT_DETERMINISTIC_HASHING": "1"}


def instructions(program, stage, count, scratch):
    out = scratch / f"{stage}.{count}"
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", program, stage, str(count)]
    subprocess.run(command, check=True, capture_output=True, env=ENVIRONMENT)
    return int(re.search(r"^(?:summary|totals): (\d+)", out.read_text(), re.M).group(1))


def forbidden_calls(program, stage, scratch):
    """The forbidden functions (allocation, reference counting) that ran during a stage."""
    out = scratch / f"{stage}.calls"
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--toggle-collect=*Course*run*", program, stage, "100"]
    subprocess.run(command, check=True, capture_output=True, env=ENVIRONMENT)
    text = out.read_text()
    if not re.search(r"^totals: [1-9]", text, re.M):
        sys.exit(f"nothing was seen of {stage}")
    return sorted(set(re.findall(r"^c?fn=\(\d+\) (swift_retain\w*|swift_release\w*|swift_alloc\w+|malloc|calloc|realloc)$", text, re.M)))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    limits = json.loads(LIMITS.read_text())
    found, worse = {}, []
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        # Callgrind takes minutes to read debug information.
        program = scratch / "StageCosts"
        subprocess.run(["strip", "-g", "-o", program, options.program], check=True)
        for stage, limit in limits.items():
            few, many = (instructions(program, stage, count, scratch) for count in (FEW, MANY))
            found[stage] = round((many - few) / (REPEATS * (MANY - FEW)))
            print(f"{stage:16}{found[stage]:8} instructions, {limit} allowed", flush=True)
            if found[stage] > limit * TOLERANCE:
                worse.append(stage)
            if calls := forbidden_calls(program, stage, scratch):
                worse.append(f"{stage} (calls {', '.join(calls)})")
    if options.write:
        LIMITS.write_text(json.dumps(found, indent=4) + "\n")
    elif worse:
        sys.exit("more than allowed: " + ", ".join(worse))


if __name__ == "__main__":
    main()
