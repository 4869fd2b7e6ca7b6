"""Whole runs on the stand-in for deqp-vk: crashes, hangs, evidence."""

import os

from scenario import FENCE, MEMORY, ScenarioTest, fences
from unittest_results import main


class RunTest(ScenarioTest):
    def test_BothSidesAndTheComparison(self):
        self.script(fences(5), verdicts={FENCE + "case_1": "NotSupported", FENCE + "case_2": "Fail"})
        done = self.run_it()
        expected = {"case_0": "Pass", "case_1": "NotSupported", "case_2": "Fail", "case_3": "Pass", "case_4": "Pass"}
        self.assertEqual(self.statuses("off"), expected)
        self.assertEqual(self.statuses("on"), expected)
        self.assertIn("5 cases: 0 regressions", done.stdout)
        self.assertEqual(done.stdout, (self.out / "summary.txt").read_text())
        self.assertTrue((self.out / "junit.xml").exists() and (self.out / "comparison.csv").exists())

    def test_RegressionIsTheExitStatus(self):
        self.script(fences(2), verdicts={f"on:{FENCE}case_1": "Fail"})
        done = self.run_it(status=1)
        self.assertIn("2 cases: 1 regressions", done.stdout)
        self.assertIn(f"{FENCE}case_1: Pass -> Fail: Fail: said by the stand-in", done.stdout)

    def test_FailureOnBothSidesIsNoRegression(self):
        self.script(fences(2), verdicts={FENCE + "case_1": "crashes"})
        self.run_it()

    def test_CaseIsRunOnceAndInItsOrder(self):
        self.script(fences(20))
        self.run_it("--batch", "6")
        for side in ("off", "on"):
            self.assertEqual((self.records / f"{side}.begun").read_text().split()[1:], fences(20))
            self.assertEqual([len(command["cases"]) for command in self.commands(side)], [6, 6, 6, 2])

    def test_CrashCostsOneCase(self):
        for manner in ("crashes", "truncates"):
            with self.subTest(manner):
                self.out = self.folder / manner
                self.script(fences(6), verdicts={FENCE + "case_2": manner, FENCE + "case_5": manner})
                self.run_it()
                self.assertEqual(self.statuses("off"), {f"case_{n}": "Crash" if n in (2, 5) else "Pass"
                                                        for n in range(6)})
                detail = next(line["detail"] for line in self.lines("on", "cases") if line["case"].endswith("_2"))
                self.assertIn("killed by SIG", detail)

    def test_CrashThatDeqpVkReportsItself(self):
        self.script(fences(3), verdicts={FENCE + "case_1": "terminates"})
        self.run_it()
        self.assertEqual(self.statuses("on"), {"case_0": "Pass", "case_1": "Crash", "case_2": "Pass"})

    def test_LostDeviceEndsTheProcessAndNotTheRun(self):
        self.script(fences(4), verdicts={f"on:{FENCE}case_1": "loses the device"})
        done = self.run_it(status=1)
        self.assertEqual(self.statuses("on"), {"case_0": "Pass", "case_1": "Fail", "case_2": "Pass", "case_3": "Pass"})
        self.assertIn("VK_ERROR_DEVICE_LOST at <here>", done.stdout)
        self.assertEqual(len(self.commands("on")), 2)

    def test_CrashAtTheEndIsNoCasesAndIsSeen(self):
        self.script(fences(3), verdicts={f"on:end of {FENCE}case_0": "crashes"})
        done = self.run_it(status=1)
        self.assertEqual(set(self.statuses("on").values()), {"Pass"})
        self.assertIn("api.external.fence (no case: a process's end): Pass -> Crash: killed by SIGSEGV", done.stdout)

    def test_CrashAtTheEndBehindAShell(self):
        self.script(fences(2), verdicts={f"on:end of {FENCE}case_0": "crashes"})
        self.deqp_vk.write_text(self.deqp_vk.read_text().replace("exec ", "") + "exit $?\n")
        self.assertIn("a process's end): Pass -> Crash: exit status 139", self.run_it(status=1).stdout)

    def test_HangCostsOneCaseAndItsTimeLimit(self):
        self.script(fences(3), verdicts={f"on:{FENCE}case_1": "hangs"})
        self.run_it("--timeout", "2", status=1)
        self.assertEqual(self.statuses("on"), {"case_0": "Pass", "case_1": "Timeout", "case_2": "Pass"})

    def test_TimeLimitIsACasesAndNotAProcesses(self):
        self.script(fences(5), pause=0.8)
        self.run_it("--timeout", "3", "--only", "off")
        self.assertEqual(set(self.statuses("off").values()), {"Pass"})

    def test_ProcessThatLeavesBeforeItsEnd(self):
        self.script(fences(3), verdicts={FENCE + "case_0": "leaves"})
        self.run_it()
        self.assertEqual(set(self.statuses("off").values()), {"Pass"})
        self.assertEqual(len(self.commands("off")), 2)

    def test_CaseThatDeqpVkDoesNotKnow(self):
        self.script(fences(3))
        self.mustpass.write_text("".join(case + "\n" for case in [*fences(3), FENCE + "of_another_version"]))
        self.run_it()
        self.assertEqual(self.statuses("on")["of_another_version"], "Missing")
        self.assertEqual(len(self.commands("on")), 1)

    def test_ProcessThatDiesBeforeItsFirstCase(self):
        self.script(fences(4), verdicts={FENCE + "case_1": "dies before", FENCE + "case_2": "hangs before"})
        self.run_it("--batch", "1", "--start-timeout", "3", "--only", "on")
        self.assertEqual(self.statuses("on"), {"case_0": "Pass", "case_1": "Crash", "case_2": "Timeout",
                                               "case_3": "Pass"})
        self.assertEqual(len(self.commands("on")), 6, "each of the two is tried twice, and no more")

    def test_NeverBeginsACase(self):
        self.script(fences(40), verdicts={case: "dies before" for case in fences(40)})
        done = self.run_it(status=3)
        self.assertIn("never begins a case", done.stderr)
        self.assertEqual(len(self.commands("off")), 6)

    def test_NotEvenTheSimplestCase(self):
        self.script(fences(2), verdicts={"dEQP-VK.info.device": "crashes"})
        self.assertIn("dEQP-VK.info.device", self.run_it(status=3).stderr)

    def test_JobsShareTheCases(self):
        self.script(fences(12), verdicts={FENCE + "case_5": "crashes"})
        self.run_it("--jobs", "3")
        self.assertEqual(len(self.statuses("on")), 12)
        self.assertEqual(sorted((self.records / "on.begun").read_text().split())[:-1], sorted(fences(12)))
        self.assertGreaterEqual(len(self.commands("on")), 4)

    def test_SettingsReachTheLayerOnly(self):
        self.script(fences(1))
        self.run_it("--present", "owned", "--fence-source", "fence", VK_FENCEBRIDGE_POLICY="touch",
                    VK_FENCEBRIDGE_LOG_LEVEL="off")
        self.assertEqual(self.commands("on")[0]["settings"], {
            "VK_FENCEBRIDGE_PRESENT": "owned", "VK_FENCEBRIDGE_FENCE_SOURCE": "fence",
            "VK_FENCEBRIDGE_POLICY": "touch", "VK_FENCEBRIDGE_LOG_LEVEL": "info"})
        self.assertEqual(self.commands("off")[0]["settings"], {})

    def test_DeqpVksOwnOptions(self):
        self.script(fences(1))
        self.run_it("--device-id", "2", "--", "--deqp-base-seed=7")
        for option in ("--deqp-vk-device-id=2", "--deqp-base-seed=7", "--deqp-log-images=disable"):
            self.assertIn(option, self.commands("on")[0]["arguments"])

    def test_FolderIsTheCallersAndNotDeqpVks(self):
        self.script(fences(1))
        self.deqp_vk = self.deqp_vk.rename(self.records / "deqp-vk")
        self.run_it("--out", "here")
        self.assertTrue((self.folder / "here/summary.txt").exists())

    def test_LogsOfBadCasesStay(self):
        self.script(fences(4), verdicts={FENCE + "case_1": "Fail"})
        self.run_it("--batch", "2")
        logs = sorted(path.name for path in (self.out / "on/logs").glob("*.qpa"))
        self.assertEqual(logs, ["api.external.fence-1.qpa"])
        self.run_it("--batch", "2", "--keep-logs", "--out", str(self.folder / "kept"))
        self.assertEqual(len(list((self.folder / "kept/on/logs").glob("api*.qpa"))), 2)


class EvidenceOfRunTest(ScenarioTest):
    def test_CountersAreAGroups(self):
        self.script([*fences(3), MEMORY + "a"], hand_offs={FENCE: 2, MEMORY: 5})
        done = self.run_it("--groups", "api.external", "--batch", "2")
        releases = {}
        for line in self.lines("on", "processes"):
            releases[line["group"]] = releases.get(line["group"], 0) + line["evidence"]["counters"]["releases"]
        self.assertEqual(releases, {"preflight": 0, "api.external.fence": 6, "api.external.memory": 5})
        self.assertIn("  api.external.memory: releases 5, fences attached 5\n", done.stdout)
        self.assertRegex(done.stdout, r"api\.external\.fence +3 .* 6 +0\n")

    def test_LayersLinesStay(self):
        self.script(fences(1))
        self.run_it()
        kept = (self.out / "on/logs/api.external.fence-1.stderr").read_text()
        self.assertIn("fencebridge: info: Stand-in (1.0, 2): releases 1", kept)
        self.assertIn("Insert instance layer", kept)

    def test_LayerThatWasNotLoaded(self):
        self.script(fences(3), on="not loaded")
        self.assertIn("the layer was not loaded", self.run_it(status=3).stderr)
        self.assertEqual(self.statuses("on"), {})

    def test_LayerThatSaysNothing(self):
        self.script(fences(3), on="silent")
        self.assertIn("said nothing", self.run_it(status=3).stderr)

    def test_LoaderThatSaysNothing(self):
        for side in ("on", "off"):
            with self.subTest(side):
                self.out = self.folder / side
                self.script(fences(3), **{side: "mute"})
                self.assertIn("loader said nothing", self.run_it(status=3).stderr)

    def test_LayerThatWasLoadedWhenOff(self):
        self.script(fences(3), off="loaded")
        self.assertIn("though it was to be off", self.run_it(status=3).stderr)

    def test_LayerThatGoesAwayInTheMiddle(self):
        """What ran without it does not count, and the run goes on once it is back."""
        self.script(fences(4), on_from_the_second_process="not loaded")
        self.assertIn("api.external.fence-1: the layer was not loaded", self.run_it(status=3).stderr)
        self.assertEqual(len(self.statuses("on")), 4, "they did run")
        self.assertIn("the layer was not loaded", self.compare_it(self.out, "--partial", status=2).stderr)
        self.script(fences(4), verdicts={f"on:{FENCE}case_3": "Fail"})
        self.run_it(status=1)
        self.assertEqual([command["cases"] for command in self.commands("on")], [fences(4)] * 2)
        self.compare_it(self.out, status=1)

    def test_DriverThatChanges(self):
        self.script(fences(2))
        self.run_it()
        self.script(fences(2), device={"deviceName": "Another GPU"})
        self.assertIn("another driver", self.run_it(status=2).stderr)


class BadInputTest(ScenarioTest):
    def setUp(self):
        super().setUp()
        self.script(fences(2))

    def test_EachIsNamed(self):
        file = self.folder / "file"
        file.write_text("(\n")
        empty = self.folder / "empty"
        empty.mkdir()
        for options, message in (
                (("--deqp-vk", "/nowhere/deqp-vk"), "/nowhere/deqp-vk"),
                (("--deqp-vk", str(file)), str(file)),
                (("--mustpass", "/nowhere"), "/nowhere"),
                (("--groups", "wsi.windows"), "wsi.windows"),
                (("--groups", ","), "--groups"),
                (("--fraction", "2,2"), "--fraction"),
                (("--timeout", "0"), "--timeout"),
                (("--timeout", "soon"), "--timeout"),
                (("--jobs", "-1"), "--jobs"),
                (("--rerun", "-1"), "--rerun"),
                (("--present", "mine"), "--present"),
                (("--manifest", str(empty)), str(empty)),
                (("--skips", str(file)), f"{file}:1"),
                (("--out", str(file)), str(file)),
                (("--compositor", "xfce"), "xfce"),
                (("--driver", "venus"), "--guest"),
                (("surplus",), "surplus"),
                (("--no-such-option",), "--no-such-option"),
                (("--", "--deqp-case=*"), "--deqp-case"),
                (("--groups", "api.device_init"), "has a case")):
            with self.subTest(options):
                done = self.run_it(*options, status=2)
                self.assertIn(message, done.stderr)
                self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)

    def test_LoadersFilterForTheLayer(self):
        self.assertIn("VK_INSTANCE_LAYERS", self.run_it(
            status=2, VK_INSTANCE_LAYERS="VK_LAYER_FENCEBRIDGE_implicit_sync").stderr)

    def test_MissingCompositorIsSaid(self):
        """In a PATH without any program: named groups are refused, others are left out and said to be."""
        programs = self.folder / "programs"
        programs.mkdir()
        case = "dEQP-VK.wsi.wayland.a"
        self.script([*fences(1), case, "dEQP-VK.wsi.xcb.a"])
        self.assertIn("weston", self.run_it("--groups", "wsi.wayland", status=2, PATH=str(programs)).stderr)
        self.assertIn("Xvfb", self.run_it("--groups", "wsi.xcb", status=2, PATH=str(programs)).stderr)
        os.symlink("/bin/sh", programs / "sh")
        done = self.run_it("--groups", "all", PATH=str(programs))
        self.assertIn("left out: wsi.wayland: needs a compositor", done.stderr)
        self.assertIn("wsi.xlib: needs an X server", done.stdout)


if __name__ == "__main__":
    main()
