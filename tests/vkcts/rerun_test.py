"""Repetitions: what is a flake, and what is not."""

from scenario import FENCE, ScenarioTest, fences
from unittest_results import main


class RerunTest(ScenarioTest):
    def test_TellsFlakesFromRegressions(self):
        self.script(fences(6), verdicts={
            f"off:{FENCE}case_0": ["Pass", "Fail", "Pass", "Fail"],      # both verdicts without the layer
            f"on:{FENCE}case_0": ["Fail", "Pass", "Pass", "Pass"],
            f"on:{FENCE}case_1": "Fail",                                 # always, and never without the layer
            f"on:{FENCE}case_2": ["Fail", "Pass", "Pass", "Pass"],       # once, and never without the layer
            f"off:{FENCE}case_3": "Fail",                                # never with the layer
            f"on:{FENCE}case_4": ["Fail", "Pass"],
            f"off:{FENCE}case_4": ["Pass", "NotSupported"]})
        done = self.run_it("--rerun", "3", status=1)
        for line in ("regressions: 1\n", "case_1: Passx4 -> Failx4",
                     "case_2: Passx4 -> Passx3 Failx1", "fixes: 1\n", "case_3: Failx4 -> Passx4"):
            self.assertIn(line, done.stdout)
        csv = (self.out / "comparison.csv").read_text()
        self.assertIn(f"{FENCE}case_0,Pass,Fail,Pass Fail Pass Fail,Fail Pass Pass Pass,flake", csv)
        self.assertIn("intermittent", csv)

    def test_FlakeAloneIsNoRegression(self):
        self.script(fences(2), verdicts={f"off:{FENCE}case_0": ["Pass", "Fail"], f"on:{FENCE}case_0": "Fail"})
        self.run_it("--rerun", "1")

    def test_WithoutRepetitionItIsARegression(self):
        self.script(fences(2), verdicts={f"off:{FENCE}case_0": ["Pass", "Fail"], f"on:{FENCE}case_0": "Fail"})
        self.run_it("--rerun", "0", status=1)

    def test_OnlyWhatDiffersRunsAgainAndAlone(self):
        self.script(fences(4), verdicts={f"on:{FENCE}case_1": "Fail", f"on:{FENCE}case_2": "crashes"})
        self.run_it("--rerun", "2", status=1)
        again = [command["cases"] for side in ("off", "on") for command in self.commands(side)
                 if len(command["cases"]) == 1 and command["cases"][0][-1] in "12"]
        self.assertEqual(sorted(again), sorted([[FENCE + "case_1"], [FENCE + "case_2"]] * 4))
        self.assertEqual(self.statuses("on", 2), {"case_1": "Fail", "case_2": "Crash"})
        self.assertEqual(self.statuses("off", 1), {"case_1": "Pass", "case_2": "Pass"})

    def test_LaterCallAddsRepetitions(self):
        self.script(fences(2), verdicts={f"on:{FENCE}case_0": "Fail"})
        self.run_it("--rerun", "1", status=1)
        self.run_it("--rerun", "3", status=1)
        self.assertEqual([len(self.statuses("on", number)) for number in range(5)], [2, 1, 1, 1, 0])
        self.assertEqual(len(self.lines("on", "cases")), 5)


if __name__ == "__main__":
    main()
