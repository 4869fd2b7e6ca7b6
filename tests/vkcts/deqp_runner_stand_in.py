#!/usr/bin/env python3
"""Stands in for Mesa's deqp-runner: its command line and its results.csv, around whatever it is given as deqp.

It runs all cases in one process; what that leaves behind is Missing. Cases named in DEQP_RUNNER_HANGS make it
wait for ever, as a run does that somebody interrupts.
"""

import os
import pathlib
import re
import subprocess
import sys
import time

NAMES = {"NotSupported": "Skip", "QualityWarning": "Warn"}


def main():
    if sys.argv[1:] == ["run", "--help"]:
        print("deqp-runner run --deqp <deqp> --caselist <caselist>... --output <output>")
        return 0
    own, deqp = sys.argv[2:sys.argv.index("--")], sys.argv[sys.argv.index("--") + 1:]
    options = dict(zip(own[::2], own[1::2]))
    output = pathlib.Path(options["--output"])
    output.mkdir(parents=True)
    cases = pathlib.Path(options["--caselist"]).read_text().split()
    if os.environ.get("DEQP_RUNNER_HANGS"):
        time.sleep(3600)
    log = output / "c1.r1.qpa"
    subprocess.run([options["--deqp"], *deqp, f"--deqp-caselist-file={options['--caselist']}",
                    f"--deqp-log-filename={log}"], cwd=pathlib.Path(options["--deqp"]).parent, check=False)
    text = log.read_text()
    found = dict(re.findall(r'CasePath="([^"]+)"(?:(?!<TestCaseResult).)*?StatusCode="(\w+)"', text, re.DOTALL))
    found = {case: NAMES.get(status, status) for case, status in found.items()}
    (output / "results.csv").write_text("".join(f"{case},{found.get(case, 'Missing')},0.25\n" for case in cases))
    return 0 if set(found.values()) <= {"Pass", "Skip"} else 1


if __name__ == "__main__":
    sys.exit(main())
