"""A scenario for the stand-in, and the two commands run on it: what the tests of whole runs share."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
SCRIPTS = HERE.parents[1] / "vkcts-scripts"
STAND_IN = HERE / "deqp_vk_stand_in.py"
sys.dont_write_bytecode = True
sys.path[:0] = [str(SCRIPTS), str(HERE.parent / "support")]

FENCE = "dEQP-VK.api.external.fence."
MEMORY = "dEQP-VK.api.external.memory."
PATIENCE = 120
# Each test starts dozens of Pythons: what they compile is kept for the time of this program.
PYCACHE = tempfile.TemporaryDirectory(prefix="vkcts-pycache-")


def fences(count):
    return [f"{FENCE}case_{number}" for number in range(count)]


class ScenarioTest(unittest.TestCase):
    """A folder, a stand-in that does what `script` says, and a case list of it."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="vkcts-test-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.out = self.folder / "out"
        self.mustpass = self.folder / "cases.txt"
        # By a name of its own, so that it can become another binary.
        self.deqp_vk = self.folder / "deqp-vk"
        self.deqp_vk.write_text(f"#!/bin/sh\nexec {sys.executable} -I {STAND_IN} \"$@\"\n")
        self.deqp_vk.chmod(0o755)
        self.records = self.folder / "records"
        self.records.mkdir()

    def script(self, cases, **what):
        """Tells the stand-in what to do: see there. hand_offs: unless said otherwise, one a case of api.external."""
        what = {"hand_offs": {"dEQP-VK.api.external.": 1}, **what, "cases": cases, "records": str(self.records)}
        (self.folder / "script.json").write_text(json.dumps(what))
        self.mustpass.write_text("".join(case + "\n" for case in cases))

    def environment(self, changes):
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith(("VK_", "ENABLE_", "DISABLE_"))}
        environment["TMPDIR"] = str(self.folder)   # what a run that is killed leaves there goes with the test
        environment["PYTHONPYCACHEPREFIX"] = PYCACHE.name
        environment["VKCTS_STAND_IN"] = str(self.folder / "script.json")
        environment.update(changes)
        return environment

    def run_arguments(self, *options):
        return [str(SCRIPTS / "run"), "--deqp-vk", str(self.deqp_vk), "--mustpass", str(self.mustpass),
                "--out", str(self.out), "--groups", "api.external.fence", "--runner", "own", "--rerun", "0", *options]

    def run_it(self, *options, status=0, **environment):
        """`run` with the options behind the usual ones. Its stdout and stderr; fails at another exit status."""
        return self._do(self.run_arguments(*options), status, environment)

    def compare_it(self, *arguments, status=0):
        return self._do([str(SCRIPTS / "compare"), *map(str, arguments)], status, {})

    def _do(self, command, status, environment):
        done = subprocess.run([sys.executable, *command], env=self.environment(environment), check=False,
                              cwd=self.folder, capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        self.assertNotIn("Traceback", done.stderr)
        if status in (2, 3):
            self.assertEqual(len(done.stderr.strip().splitlines()[-1:]), 1)
        return done

    def start_it(self, *options, **environment):
        """`run` in the background; the test ends it."""
        process = subprocess.Popen([sys.executable, *self.run_arguments(*options)],
                                   env=self.environment(environment), cwd=self.folder, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        self.addCleanup(self._end, process)
        return process

    @staticmethod
    def _end(process):
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()

    def wait_until(self, holds, what):
        deadline = time.monotonic() + PATIENCE
        while not holds():
            self.assertLess(time.monotonic(), deadline, f"never: {what}")
            time.sleep(0.02)

    # What a run has left.
    def lines(self, side, name):
        path = self.out / side / f"{name}.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def statuses(self, side, round_number=0):
        """{the last part of a case's name: status}."""
        return {line["case"].rsplit(".", 1)[-1]: line["status"] for line in self.lines(side, "cases")
                if line["round"] == round_number}

    def commands(self, side):
        """The stand-in's processes on a side, without the preflight's."""
        lines = (self.records / "commands").read_text().splitlines()
        return [command for command in map(json.loads, lines)
                if command["side"] == side and command["cases"] != ["dEQP-VK.info.device"]]
