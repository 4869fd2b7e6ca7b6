"""What tests/support/unittest_results.py writes: the events that tests/vm/report.py reads."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from scenario import HERE
from unittest_results import main

PROGRAM = """
import os, sys, unittest
sys.path.insert(0, {support!r})
from unittest_results import main

class ExampleTest(unittest.TestCase):
{cases}

if __name__ == "__main__":
    main()
"""


class ResultsFormatTest(unittest.TestCase):
    def run_cases(self, cases):
        """(exit status, events) of a program with these cases."""
        with tempfile.TemporaryDirectory() as folder:
            program = pathlib.Path(folder) / "program.py"
            program.write_text(PROGRAM.format(support=str(HERE.parent / "support"), cases=cases))
            results = pathlib.Path(folder) / "results.jsonl"
            done = subprocess.run([sys.executable, "-B", str(program)], capture_output=True, check=False, cwd=folder,
                                  env={**os.environ, "FENCEBRIDGE_RESULTS": str(results)})
            lines = results.read_text().splitlines() if results.exists() else []
            return done.returncode, [json.loads(line) for line in lines]

    def one(self, body, status, *, verdict, note):
        """A program of one case with that body."""
        found, events = self.run_cases("    def test_It(self):\n        " + body)
        self.assertEqual(found, status)
        self.assertEqual(events[0], {"event": "start", "name": "Example.It"})
        self.assertEqual((events[1]["event"], events[1]["name"], events[1]["status"]), ("end", "Example.It", verdict))
        self.assertIn(note, events[1]["note"])
        self.assertEqual(len(events), 2)

    def test_Pass(self):
        self.one("pass", 0, verdict="pass", note="")

    def test_Failure(self):
        self.one("self.assertEqual(1, 2)", 1, verdict="fail", note="1 != 2")

    def test_Error(self):
        self.one("raise OSError('no disk')", 1, verdict="fail", note="OSError: no disk")

    def test_SkipSaysWhy(self):
        self.one("self.skipTest('no GPU')", 77, verdict="skip", note="no GPU")

    def test_SubtestThatFails(self):
        self.one("[self.subTest(n).__enter__() for n in ()]\n        for n in (1, 2, 3):\n            "
                 "with self.subTest(n):\n                self.assertEqual(n, 2)", 1, verdict="fail", note="1 != 2")

    def test_DeathLeavesACaseWithoutEnd(self):
        _, events = self.run_cases("    def test_A(self):\n        pass\n    def test_B(self):\n        os._exit(3)")
        self.assertEqual([(event["event"], event["name"]) for event in events],
                         [("start", "Example.A"), ("end", "Example.A"), ("start", "Example.B")])

    def test_FixtureThatFailsIsAFailure(self):
        status, events = self.run_cases("    @classmethod\n    def setUpClass(cls):\n        raise OSError('no disk')\n"
                                        "    def test_A(self):\n        pass")
        self.assertEqual(status, 1)
        self.assertEqual([event.get("status") for event in events], [None, "fail"])

    def test_NoCaseIsAnError(self):
        self.assertNotIn(self.run_cases("    pass")[0], (0, 77))


if __name__ == "__main__":
    main()
