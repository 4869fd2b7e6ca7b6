"""Runs by deqp-runner: a stand-in for it here."""

import os
import shutil
import sys

from scenario import FENCE, HERE, ScenarioTest, fences
from unittest_results import main
from vkcts.deqp_runner import read_results
from vkcts.errors import RunError


class DeqpRunnerTest(ScenarioTest):
    def path(self, program=HERE / "deqp_runner_stand_in.py"):
        folder = self.folder / "programs"
        folder.mkdir(exist_ok=True)
        (folder / "deqp-runner").unlink(missing_ok=True)
        os.symlink(program, folder / "deqp-runner")
        return f"{folder}:{os.path.dirname(sys.executable)}:/usr/bin:/bin"

    def run_by_it(self, *options, status=0, runner="auto", **environment):
        return self.run_it("--runner", runner, *options, status=status, PATH=self.path(), **environment)

    def test_IsUsedWhereItIsInstalled(self):
        self.script(fences(4), verdicts={FENCE + "case_1": "NotSupported", f"on:{FENCE}case_2": "Fail"})
        done = self.run_by_it(status=1)
        self.assertIn("deqp-runner", done.stderr)
        self.assertEqual(self.statuses("on"), {"case_0": "Pass", "case_1": "NotSupported", "case_2": "Fail",
                                               "case_3": "Pass"})
        self.assertEqual(self.lines("on", "cases")[0]["seconds"], 0.25)
        self.assertIn("1 regressions", done.stdout)

    def test_IsNotUsedWhenOursIsAskedFor(self):
        self.script(fences(2))
        self.assertIn("own runner", self.run_by_it(runner="own").stderr)

    def test_NotInstalled(self):
        self.script(fences(2))
        if shutil.which("deqp-runner"):
            self.skipTest("this machine has a deqp-runner")
        self.assertIn("not installed", self.run_it("--runner", "deqp-runner", status=2).stderr)

    def test_ProgramOfTheSameName(self):
        other = self.folder / "other"
        other.write_text("#!/bin/sh\nexit 0\n")
        other.chmod(0o755)
        self.script(fences(2))
        self.assertIn("own runner", self.run_it("--runner", "auto", PATH=self.path(other)).stderr)

    def test_EvidenceIsKept(self):
        self.script(fences(3))
        self.run_by_it()
        record = next(line for line in self.lines("on", "processes") if line["group"] == "api.external.fence")
        self.assertEqual(record["evidence"]["counters"]["releases"], 3)
        self.assertIn("releases 3", (self.out / f"on/logs/{record['process']}.stderr").read_text())

    def test_LayerThatWasNotLoaded(self):
        # Only behind the preflight, so that it is deqp-runner's processes that show it.
        self.script(fences(3), on_from_the_second_process="not loaded")
        self.assertIn("api.external.fence-1: the layer was not loaded", self.run_by_it(status=3).stderr)

    def test_InterruptedGroupStartsOver(self):
        self.script(fences(3))
        process = self.start_it("--runner", "auto", PATH=self.path(), DEQP_RUNNER_HANGS="1")
        self.wait_until(lambda: list(self.out.glob("off/logs/*.deqp-runner/output")), "deqp-runner's start")
        process.kill()
        process.wait()
        self.run_by_it()
        self.assertEqual(len(self.statuses("off")), 3)

    def test_Results(self):
        path = self.folder / "results.csv"
        path.write_text("a.b,Skip,0.5\na.c,Warn\na.d,Crash,x\n\na.e,KnownFlake,1\n")
        self.assertEqual([(event.status, event.seconds) for event in read_results(path)],
                         [("NotSupported", 0.5), ("QualityWarning", None), ("Crash", None), ("Flake", 1.0)])
        for text in ("a.b\n", "a.b,Wonderful\n"):
            path.write_text(text)
            with self.assertRaises(RunError):
                read_results(path)
        with self.assertRaises(RunError):
            read_results(self.folder / "none.csv")


if __name__ == "__main__":
    main()
