#!/usr/bin/env python3
"""Counts the instructions of each stage of a query under callgrind, and compares them with what is allowed.

Each stage runs with two counts; the difference is the stage's alone. `--write` makes what was found the new limit. No stage may ask for memory
or count a reference.
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
# StageCosts repeats its count so often.
REPEATS = 9
FEW, MANY = 100, 1100
# A change elsewhere may tip what the compiler inlines.
TOLERANCE = 1.02
# What a stage needs fills dictionaries; they would grow otherwise each time, and cost what a stage does.
ENVIRONMENT = os.environ | {"SWIFT_DETERMINISTIC_HASHING": "1"}


def instructions(program, stage, count, scratch):
    out = scratch / f"{stage}.{count}"
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", program, stage, str(count)]
    subprocess.run(command, check=True, capture_output=True, env=ENVIRONMENT)
    return int(re.search(r"^(?:summary|totals): (\d+)", out.read_text(), re.M).group(1))


def forbidden_calls(program, stage, scratch):
    """Functions that a stage on the hot path must not call, among those that ran while it did."""
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
        # Callgrind takes minutes to read what is for debuggers.
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
