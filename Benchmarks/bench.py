#!/usr/bin/env python3
"""Compares Zonal with its peers: CPU microseconds of the server per answered query, as ratios to a C echo.

The server is pinned to one core and dnsperf to the other. Each round loads every server and the echo in turn. The
result is the median of the rounds. `make bench` runs all works.
"""

import argparse
import datetime
import json
import os
import pathlib
import shutil
import sys
import tempfile

import report
import servers
import works

FOLDER = pathlib.Path(__file__).resolve().parent


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--zonal", default=str(FOLDER.parent / ".build/release/zonal"))
    parser.add_argument("--works", default=",".join(works.ALL), help="of " + ", ".join(works.ALL))
    parser.add_argument("--servers", default="", help="only these; the echo is always there")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3, help="load on one server in one round")
    parser.add_argument("--svg", help="where to draw the table")
    parser.add_argument("--json", help="where to write every figure")
    parser.add_argument("--into", help="a document whose lines between the marks of the benchmark become the table")
    options = parser.parse_args()
    only = set(filter(None, options.servers.split(",")))
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="zonal-bench-"))
    os.chmod(scratch, 0o755)
    figures = {}
    try:
        bench = servers.Bench(scratch, FOLDER, options)
        for name in options.works.split(","):
            figures[name] = works.ALL[name](bench, only)
            print(report.table(name, figures[name]), flush=True)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(figures, indent=1, sort_keys=True) + "\n")
    print(report.one_table(figures))
    day = datetime.date.today().isoformat()
    if options.svg:
        pathlib.Path(options.svg).write_text(report.svg(figures, day))
    if options.into:
        replace(pathlib.Path(options.into), f"Measured by `make bench` on {day}:\n\n{report.one_table(figures)}")


def replace(document, table):
    """Replaces the text between the benchmark marks of a document with the table."""
    before, rest = document.read_text().split("<!-- benchmark -->\n")
    behind = rest.split("<!-- /benchmark -->\n")[1]
    document.write_text(f"{before}<!-- benchmark -->\n{table}<!-- /benchmark -->\n{behind}")


if __name__ == "__main__":
    sys.exit(main())
