"""Runs that are interrupted, and go on."""

import json
import os
import signal

from scenario import FENCE, ScenarioTest, fences
from unittest_results import main


class InterruptionTest(ScenarioTest):
    def begun(self, side):
        path = self.records / f"{side}.begun"
        return path.read_text().split() if path.exists() else []

    def is_gone(self, pid):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                return file.read().rsplit(")", 1)[1].split()[0] in "ZX"
        except FileNotFoundError:
            return True

    def kill_in(self, number, *options):
        """Kills a run, in the moment when it has begun that many cases of the side on."""
        process = self.start_it(*options)
        # One for the preflight.
        self.wait_until(lambda: len(self.begun("on")) > number, f"case {number}")
        process.send_signal(number_of_signal := signal.SIGKILL)
        self.assertEqual(process.wait(), -number_of_signal)
        return json.loads((self.records / "commands").read_text().splitlines()[-1])["pid"]

    def test_KillLosesTheRunningCaseAtMost(self):
        for jobs in (1, 2):
            with self.subTest(jobs=jobs):
                self.out = self.folder / f"out-{jobs}"
                for file in self.records.iterdir():
                    file.unlink()
                self.script(fences(12), pause=0.15)
                options = ("--jobs", str(jobs), "--batch", "12")
                pid = self.kill_in(5, *options)
                self.wait_until(lambda pid=pid: self.is_gone(pid), "the end of deqp-vk")
                before = self.begun("on")
                self.run_it(*options)
                self.assertEqual(set(self.statuses("on")), {f"case_{n}" for n in range(12)})
                again = [case for case in self.begun("on")[len(before):] if case in before and "info" not in case]
                self.assertLessEqual(len(again), jobs, "more than what was running ran again")

    def test_ManyKills(self):
        """Whenever the kill comes: the run ends with every case, and with one verdict for each."""
        self.script(fences(9), pause=0.1, verdicts={FENCE + "case_4": "crashes"})
        for number in (1, 3, 5, 7):
            self.kill_in(number + len([case for case in self.begun("on") if "info" in case]))
        self.run_it()
        self.assertEqual(self.statuses("on"), {f"case_{n}": "Crash" if n == 4 else "Pass" for n in range(9)})
        self.assertEqual(self.statuses("on"), self.statuses("off"))

    def test_SignalEndsItInOrder(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number):
                self.out = self.folder / f"out-{number}"
                for file in self.records.iterdir():
                    file.unlink()
                self.script(fences(8), pause=0.2)
                process = self.start_it()
                self.wait_until(lambda: len(self.begun("off")) > 3, "case 3")
                process.send_signal(number)
                self.assertEqual(process.wait(), 128 + number)
                self.assertGreaterEqual(len(self.statuses("off")), 1)
                self.script(fences(8))
                self.run_it()
                self.assertEqual(len(self.statuses("off")), 8)

    def test_CompleteRunRunsNothingAgain(self):
        self.script(fences(3))
        self.run_it()
        self.run_it()
        self.assertEqual([len(self.commands(side)) for side in ("off", "on")], [1, 1])

    def test_TornLineIsCutOff(self):
        self.script(fences(3))
        self.run_it()
        path = self.out / "on/cases.jsonl"
        path.write_bytes(path.read_bytes()[:-9])
        self.run_it()
        self.assertEqual(len(self.statuses("on")), 3)
        self.assertEqual(self.commands("on")[-1]["cases"], [FENCE + "case_2"])

    def test_LineInTheMiddleThatIsBrokenIsAnError(self):
        self.script(fences(3))
        self.run_it()
        path = self.out / "on/cases.jsonl"
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(lines[0] + b"{\n" + lines[2])
        self.assertIn("cases.jsonl:2", self.run_it(status=2).stderr)
        self.assertIn("cases.jsonl:2", self.compare_it(self.out, status=2).stderr)

    def test_OtherRunIsRefusedAndNothingIsLost(self):
        self.script(fences(4))
        self.run_it("--timeout", "50")
        before = {path: path.read_bytes() for path in self.out.rglob("*") if path.is_file()}
        for options, message in ((("--timeout", "60"), "timeout was 50.0, is 60.0"),
                                 (("--timeout", "50", "--present", "owned"), "present was None, is owned"),
                                 (("--timeout", "50", "--fraction", "0,2"), "other cases"),
                                 (("--timeout", "50", "--groups", "api.external"), "other cases"),
                                 (("--timeout", "50", "--device-id", "2"), "deqp was")):
            with self.subTest(options):
                self.assertIn(message, self.run_it(*options, status=2).stderr)
        self.deqp_vk.write_text(self.deqp_vk.read_text() + "# another build\n")
        self.assertIn("another deqp-vk", self.run_it("--timeout", "50", status=2).stderr)
        self.assertEqual(before, {path: path.read_bytes() for path in self.out.rglob("*") if path.is_file()})

    def test_OtherBuildOfTheLayerIsRefused(self):
        manifest = self.folder / "manifest"
        manifest.mkdir()
        (manifest / "fencebridge_x.json").write_text('{"layer": {"library_path": "layer.so"}}')
        (manifest / "layer.so").write_text("one")
        self.script(fences(1))
        self.run_it("--manifest", str(manifest))
        self.run_it("--manifest", str(manifest))
        (manifest / "layer.so").write_text("other")
        self.assertIn("another build of the layer", self.run_it("--manifest", str(manifest), status=2).stderr)

    def test_SecondRunAtTheSameTimeIsRefused(self):
        self.script(fences(2), verdicts={f"off:{FENCE}case_0": "hangs"})
        self.start_it()
        self.wait_until(lambda: len(self.begun("off")) > 1, "the first case")
        self.assertIn("another run is at work", self.run_it(status=2).stderr)

    def test_FolderOfAnotherVersionIsRefused(self):
        self.script(fences(1))
        (self.out / "on").mkdir(parents=True)
        for text in ("{", '{"format": 0}', "[]"):
            (self.out / "on/result.json").write_text(text)
            self.assertIn("result.json", self.run_it(status=2).stderr)
            self.assertEqual((self.out / "on/result.json").read_text(), text)

    def test_NoRootsFolder(self):
        self.script(fences(1))
        self.assertIn("/proc/nowhere", self.run_it("--out", "/proc/nowhere", status=2).stderr)
        self.assertFalse(os.path.exists("/proc/nowhere"))


if __name__ == "__main__":
    main()
