#!/usr/bin/env python3
"""run-plan.sh and report.py on plans of small programs: what failed in a lane runs again alone, and is named."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
import unittest_results  # noqa: E402

# Fails its one case with the exit status $1 in the first $2 runs. Or it becomes the program $1, which does not end.
PROGRAM = """#!/bin/bash
echo run >>"$0.runs"
verdict=pass status=0
echo '{"event": "start", "name": "Case.one"}' >>"$FENCEBRIDGE_RESULTS"
if (($(wc -l <"$0.runs") <= $2)); then
    [[ $1 != */* ]] || exec "$1" 1000
    verdict=fail status=$1
fi
echo '{"event": "end", "name": "Case.one", "status": "'$verdict'", "note": "a reason"}' >>"$FENCEBRIDGE_RESULTS"
exit $status
"""


class RunPlanTest(unittest.TestCase):
    def run_plan(self, *programs):
        """`programs`: (exit status, runs that fail, company). The cases' entries, what was printed, and the runs."""
        with tempfile.TemporaryDirectory() as folder:
            job = pathlib.Path(folder)
            rows = []
            for number, (status, failing, company) in enumerate(programs):
                program = job / f"program{number}"
                program.write_text(PROGRAM)
                rows.append("\t".join(["unit", f"none/program{number}", "none/", "10", "plain", "none",
                                       f"bash {program} {status} {failing}", company]))
            (job / "plan-here.tsv").write_text("".join(row + "\n" for row in rows))
            environment = {name: value for name, value in os.environ.items() if name != "FENCEBRIDGE_RESULTS"}
            subprocess.run(["bash", HERE / "run-plan.sh", job / "plan-here.tsv"], check=True,
                           env=environment | {"FENCEBRIDGE_JOB": str(job)}, stdout=subprocess.DEVNULL)
            report = subprocess.run([sys.executable, "-B", HERE / "report.py", job], stdout=subprocess.PIPE, text=True)
            runs = [len((job / f"program{number}.runs").read_text().splitlines()) for number in range(len(programs))]
            return json.loads((job / "results.json").read_text()), report.stdout, runs

    def test_FailedInALaneAndPassedAloneIsNamedAsUnsteady(self):
        results, printed, runs = self.run_plan((1, 1, "-"), (0, 0, "-"))
        self.assertEqual([case["status"] for case in results], ["pass", "pass"])
        self.assertIn("unsteady: unit: none/Case.one: failed beside other tests, passed alone: a reason", printed)
        self.assertIn("2 passed, 0 failed, 0 skipped", printed)
        self.assertEqual(runs, [2, 1])

    def test_FailedTwiceIsAFailure(self):
        _, printed, runs = self.run_plan((1, 2, "-"))
        self.assertNotIn("unsteady", printed)
        self.assertIn("0 passed, 1 failed, 0 skipped", printed)
        self.assertEqual(runs, [2])

    def test_ASanitizersReportIsFinal(self):
        _, printed, runs = self.run_plan((99, 1, "-"))
        self.assertIn("0 passed, 1 failed, 0 skipped", printed)
        self.assertEqual(runs, [1])

    def test_WhatFailedAloneIsFinal(self):
        _, printed, runs = self.run_plan((1, 1, "alone"))
        self.assertIn("0 passed, 1 failed, 0 skipped", printed)
        self.assertEqual(runs, [1])

    @unittest.skipUnless(shutil.which("eu-stack"), "no eu-stack on this machine: it shows where a program hangs")
    def test_WhatHangsElsewhereRunsAgain(self):
        _, printed, runs = self.run_plan((shutil.which("sleep"), 1, "-"))
        self.assertIn("unsteady: unit: none/Case.one: failed beside other tests, passed alone: did not end", printed)
        self.assertIn("1 passed, 0 failed, 0 skipped", printed)
        self.assertEqual(runs, [2])

    @unittest.skipUnless(shutil.which("eu-stack"), "no eu-stack on this machine: it shows where a program hangs")
    def test_WhatHangsInTheLayerIsFinal(self):
        with tempfile.TemporaryDirectory() as folder:
            # A program with the layer's name has the layer in its stacks.
            in_the_layer = shutil.copy(shutil.which("sleep"), f"{folder}/libVkLayer_FENCEBRIDGE_implicit_sync.so")
            _, printed, runs = self.run_plan((in_the_layer, 1, "-"))
        self.assertIn("Case.one: did not end: timed out after 10 s", printed)
        self.assertIn("0 passed, 1 failed, 0 skipped", printed)
        self.assertEqual(runs, [1])

    def test_ManyFailuresAreNoAccident(self):
        _, printed, runs = self.run_plan(*[(1, 1, "-")] * 3)
        self.assertIn("0 passed, 3 failed, 0 skipped", printed)
        self.assertEqual(runs, [1, 1, 1])


if __name__ == "__main__":
    unittest_results.main()
