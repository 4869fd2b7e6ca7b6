"""Comparisons: verdicts, expectations, refusals, and what is written."""

import csv
import io
import json
import os
import shutil
import unittest
import xml.etree.ElementTree as ElementTree

from scenario import FENCE, MEMORY, ScenarioTest, fences
from unittest_results import main
from vkcts.comparison import (CHANGED, FIX, FLAKE, GAINED, INTERMITTENT, LOST, REGRESSION, SAME, classify)
from vkcts.verdicts import KINDS

CROSS = "dEQP-VK.synchronization.cross_instance."


class ClassifyTest(unittest.TestCase):
    def test_OneRunOnEachSide(self):
        for before, now, expected in (
                ("Pass", "Pass", SAME), ("Pass", "Fail", REGRESSION), ("Pass", "Crash", REGRESSION),
                ("Pass", "Timeout", REGRESSION), ("Pass", "Missing", REGRESSION), ("Pass", "NotSupported", LOST),
                ("Pass", "QualityWarning", CHANGED), ("NotSupported", "NotSupported", SAME),
                ("NotSupported", "Fail", REGRESSION), ("NotSupported", "Pass", GAINED), ("Fail", "Fail", SAME),
                ("Fail", "Crash", CHANGED), ("Fail", "Pass", FIX), ("Fail", "NotSupported", FIX),
                ("Pass", "Flake", INTERMITTENT), ("Flake", "Fail", FLAKE), ("Fail", "Flake", FLAKE)):
            with self.subTest(before=before, now=now):
                self.assertEqual(classify([before], [now]), expected)

    def test_Repetitions(self):
        for before, now, expected in (
                (["Pass"] * 3, ["Fail", "Pass", "Pass"], INTERMITTENT), (["Pass"] * 3, ["Fail"] * 3, REGRESSION),
                (["Pass", "Fail"], ["Fail", "Fail"], FLAKE), (["Fail", "Fail"], ["Pass", "Fail"], FLAKE),
                (["Fail", "Fail"], ["Pass", "Pass"], FIX), (["NotSupported"] * 2, ["Crash", "Pass"], INTERMITTENT)):
            with self.subTest(before=before, now=now):
                self.assertEqual(classify(before, now), expected)

    def test_NothingBadPassesForTheSame(self):
        for before in KINDS:
            for now in ("Fail", "Crash", "Timeout", "InternalError", "ResourceError", "Missing"):
                if KINDS[before] in ("good", "unsupported"):
                    self.assertEqual(classify([before], [now]), REGRESSION, f"{before} {now}")


class CompareTest(ScenarioTest):
    def regressed(self, *verdicts, cases=4, **script):
        """A run in which case_0 fails with the layer."""
        self.script(fences(cases), **{"verdicts": {f"on:{FENCE}case_0": "Fail"}, **script})
        self.run_it(*verdicts, status=1)

    def file(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def test_FolderOrTwoResults(self):
        self.regressed()
        one = self.compare_it(self.out, status=1)
        self.assertEqual(one.stdout, self.compare_it(self.out / "off", self.out / "on", status=1).stdout)
        self.assertIn("1 regressions", self.compare_it(self.out, "--quiet", status=1).stdout)
        self.assertEqual(len(self.compare_it(self.out, "--quiet", status=1).stdout.splitlines()), 1)
        self.compare_it(self.out / "on", self.out / "off")   # the other way round it is a fix

    def test_ExpectedFailure(self):
        self.regressed()
        fails = self.file("fails.txt", f"# known\n\n{FENCE}case_0,Fail\n{FENCE}case_1,Crash\n")
        done = self.compare_it(self.out, "--fails", fails)
        self.assertIn("1 expected failures", done.stdout)
        self.assertIn(f"expected to fail, and do not: 1\n  {FENCE}case_1", done.stdout)

    def test_AnotherFailureThanExpectedIsARegression(self):
        self.regressed()
        self.compare_it(self.out, "--fails", self.file("fails.txt", f"{FENCE}case_0,Crash\n"), status=1)
        self.compare_it(self.out, "--fails", self.file("fails.txt", f"{FENCE}case_1,Fail\n"), status=1)

    def test_SkipsAndFlakes(self):
        self.regressed()
        self.assertIn("3 cases", self.compare_it(self.out, "--skips", self.file("s.txt", "#\ncase_[0]$\n")).stdout)
        self.assertIn("1 flakes", self.compare_it(self.out, "--flakes", self.file("f.txt", "fence.*_0\n")).stdout)
        self.compare_it(self.out, "--flakes", self.file("f.txt", "# case_0\ncase_1\n"), status=1)

    def test_ExpectationsOfADriver(self):
        self.regressed()
        self.file("mine-fails.txt", f"{FENCE}case_0,Fail\n")
        self.compare_it(self.out, "--expectations", self.folder, "--driver", "mine")
        self.assertIn("mine2-fails.txt", self.compare_it(
            self.out, "--expectations", self.folder, "--driver", "mine2", status=2).stderr)
        self.compare_it(self.out, "--driver", "mine", status=2)

    def test_BadExpectationsAreNamed(self):
        self.regressed()
        for option, text in (("--fails", "a.case\n"), ("--fails", "a.case,Splendid\n"), ("--skips", "ok\n(\n"),
                             ("--flakes", "[\n")):
            with self.subTest(text):
                done = self.compare_it(self.out, option, self.file("bad.txt", text), status=2)
                self.assertRegex(done.stderr, r"^compare: .*bad\.txt:\d: .*\n$")
        self.compare_it(self.out, "--fails", self.folder / "none", status=2)

    def test_Refusals(self):
        self.script(fences(3))
        self.run_it()
        about = json.loads((self.out / "on/result.json").read_text())
        for changes, message in (
                ({"deqp_vk": {"path": "x", "sha256": "y"}}, "two different deqp-vk"),
                ({"driver": {**about["driver"], "driverVersion": "7"}}, "driverVersion is 25165825"),
                ({"driver": {**about["driver"], "deviceName": "Other"}}, "deviceName is Stand-in"),
                ({"case_lists": {"api.external.fence": {"cases": 3, "sha256": "z"}}}, "case lists: api.external.fence"),
                ({"complete": False}, "not complete"),
                ({"format": 2}, "format")):
            with self.subTest(message):
                other = self.folder / "other"
                shutil.rmtree(other, ignore_errors=True)
                shutil.copytree(self.out / "on", other)
                (other / "result.json").write_text(json.dumps({**about, **changes}))
                self.assertIn(message, self.compare_it(self.out / "off", other, status=2).stderr)
        self.compare_it(self.out / "off", self.folder / "nowhere", status=2)
        self.compare_it(self.out / "off", status=2)
        self.compare_it(self.out, self.out, self.out, status=2)

    def test_ResultWithoutEvidenceIsRefused(self):
        self.script(fences(3))
        self.run_it()
        (self.out / "on/processes.jsonl").write_text("")
        self.assertIn("nothing shows", self.compare_it(self.out, status=2).stderr)

    def test_Partial(self):
        self.script(fences(5), verdicts={f"on:{FENCE}case_1": "Fail"})
        self.run_it(status=1)
        path = self.out / "on/cases.jsonl"
        path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:3]))
        about = json.loads((self.out / "on/result.json").read_text())
        (self.out / "on/result.json").write_text(json.dumps({**about, "complete": False}))
        done = self.compare_it(self.out, "--partial", status=1)
        self.assertIn("3 cases: 1 regressions", done.stdout)
        self.assertIn("in one of the two results only: 2", done.stdout)

    def test_GroupsThatProveNothing(self):
        cases = [*fences(2), MEMORY + "a", CROSS + "a", CROSS + "b"]
        self.script(cases, verdicts={case: "NotSupported" for case in cases[-2:]}, hand_offs={MEMORY: 1})
        done = self.run_it("--groups", "api.external,synchronization.cross_instance")
        self.assertIn("synchronization.cross_instance: the driver supports none of its 2 cases", done.stdout)
        self.assertIn("api.external.fence: the layer saw no hand-off in it", done.stdout)
        self.assertIn("api.external.semaphore: it has no case", done.stdout)
        self.assertNotIn("api.external.memory", done.stdout.split("proves nothing")[1])

    def test_Csv(self):
        self.regressed()
        self.compare_it(self.out, "--csv", self.folder / "x.csv", status=1)
        rows = list(csv.DictReader(io.StringIO((self.folder / "x.csv").read_text())))
        self.assertEqual([row["case"] for row in rows], fences(4))
        self.assertEqual((rows[0]["first"], rows[0]["second"], rows[0]["verdict"]), ("Pass", "Fail", "regression"))

    def test_DeviceIsWrittenToAndNotReplaced(self):
        self.regressed(cases=1)
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reading)
        self.compare_it(self.out, "--csv", pipe, status=1)
        self.assertIn(b"first,second", os.read(reading, 65536))
        self.assertTrue(pipe.is_fifo())

    def test_Junit(self):
        self.script(fences(3), verdicts={f"on:{FENCE}case_0": "Fail", FENCE + "case_1": "NotSupported"})
        self.run_it(status=1)
        self.compare_it(self.out, "--junit", self.folder / "x.xml", status=1)
        suite = ElementTree.parse(self.folder / "x.xml").getroot().find("testsuite")
        self.assertEqual(suite.get("name"), "api.external.fence")
        self.assertEqual((suite.get("tests"), suite.get("failures"), suite.get("skipped")), ("3", "1", "1"))
        self.assertEqual([case.get("name") for case in suite if case.find("failure") is not None], [FENCE + "case_0"])
        self.assertEqual([case.get("name") for case in suite if case.find("skipped") is not None], [FENCE + "case_1"])
        self.assertIn(("layer: releases", "3"), [(p.get("name"), p.get("value")) for p in suite.iter("property")])

    def test_FileThatCannotBeWritten(self):
        self.regressed()
        self.compare_it(self.out, "--csv", self.records, status=2)
        self.compare_it(self.out, "--csv", "/proc/nowhere/x.csv", status=2)

    def test_TwoRunsWithTheLayer(self):
        """Any two: here two settings."""
        self.script(fences(3))
        self.run_it("--only", "on", "--present", "native", "--out", str(self.folder / "native"))
        self.script(fences(3), verdicts={f"on:{FENCE}case_2": "crashes"})
        self.run_it("--only", "on", "--present", "owned", "--out", str(self.folder / "owned"))
        done = self.compare_it(self.folder / "native/on", self.folder / "owned/on", status=1)
        self.assertIn("first    layer on present=native", done.stdout)
        self.assertIn("1 regressions", done.stdout)


if __name__ == "__main__":
    main()
