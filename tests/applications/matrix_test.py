#!/usr/bin/env python3
"""The matrix of real applications: nothing differs with the layer on but the fences.

matrix_test.py PLACE: those of applications.py that run there, each case by case; the table of all places run so far
is written to $FENCEBRIDGE_JOB/out/applications-DRIVER.md.
"""

import os
import pathlib
import re
import shutil
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
import unittest_results  # noqa: E402

import applications  # noqa: E402
import table  # noqa: E402
from application_run import Run, is_on  # noqa: E402
from screen import still_screen  # noqa: E402

DRIVER = os.environ["FENCEBRIDGE_DRIVER"]
OUT = pathlib.Path(os.environ.get("FENCEBRIDGE_JOB", tempfile.gettempdir()), "out")


class ApplicationCases:
    """Of one application: each is a subclass of its own."""

    application = None

    @classmethod
    def setUpClass(cls):
        cls.slug = "-".join(re.findall(r"\w+", cls.application.name))
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="fencebridge-"))
        cls.row = table.Row(cls.application.name, cls.application.what)
        cls.runs = {}

    @classmethod
    def tearDownClass(cls):
        table.add(OUT, DRIVER, cls.row)
        shutil.rmtree(cls.folder, ignore_errors=True)

    def run_with(self, layers):
        """Each set of layers once; its log stays in out/."""
        if layers not in self.runs:
            folder = self.folder / layers.replace(" ", "-")
            folder.mkdir()
            run = self.runs[layers] = Run(self.application, layers, folder)
            log = OUT / f"application-{self.slug}-{DRIVER}-{layers.replace(' ', '-')}.log"
            log.write_text(f"{run.out}\n---- stderr ----\n{run.err}\n---- exit status {run.exit_status}\n")
        run = self.runs[layers]
        self.assertGreater(run.evidence["instances"], 0, "the application made no Vulkan instance: " + run.err)
        self.assertEqual(run.evidence["instances_with_layer"] > 0, is_on(layers))
        return run

    def compare_exits(self, off, on):
        self.row.exits[on.layers] = (off.exit_status, on.exit_status)
        if off.hung():
            # It hangs without us, now and then: with us it must not.
            self.assertFalse(on.hung(), on.err)
        else:
            self.assertEqual(on.exit_status, off.exit_status, on.err)
        self.assertEqual(on.complaints(), [])

    def test_RunsAsWithoutTheLayer(self):
        self.compare_exits(self.run_with("off"), self.run_with("on"))

    def test_HandsOffWithFences(self):
        owned = self.run_with("owned")
        self.compare_exits(self.run_with("off"), owned)
        counted = {name: owned.count(name)
                   for name in ("releases", "fences attached", "work already done", "acquires", "fallbacks")}
        self.row.hand_offs = counted
        self.assertGreaterEqual(counted["releases"], self.application.releases)
        self.assertGreaterEqual(counted["acquires"], self.application.acquires)
        self.assertEqual(counted["fences attached"] + counted["work already done"], counted["releases"])
        self.assertEqual(counted["fallbacks"], 0)

    def test_ValidationSaysNothingMore(self):
        without = self.run_with("validated")
        self.row.messages = {}
        for layers in ("validation below", "validation above"):
            with self.subTest(layers):
                on = self.run_with(layers)
                self.row.messages[layers] = (len(without.messages), len(on.messages - without.messages))
                self.assertEqual(on.messages - without.messages, set())
                self.compare_exits(without, on)

    def test_DrawsTheSame(self):
        application = self.application
        if application.frame:
            pictures = [self.run_with(layers).file("frame.ppm") for layers in ("picture off", "picture owned")]
            suffix, how = "ppm", f"frame {application.frame}"
        elif application.screen_argv:
            pictures = [still_screen(application, layers, self.folder) for layers in ("off", "owned")]
            suffix, how = "png", "the screen"
        else:
            pictures = [application.output(self.run_with(layers)) for layers in ("off", "on")]
            suffix, how = "output", "what it writes"
        for side, picture in zip(("off", "on"), pictures):
            self.assertIsNotNone(picture, f"there is no picture with the layer {side}")
            content = picture if isinstance(picture, bytes) else picture.encode()
            self.assertGreater(len(content), 0)
            (OUT / f"application-{self.slug}-{DRIVER}-{side}.{suffix}").write_bytes(content)
        self.row.picture = (how, pictures[0] == pictures[1])
        self.assertTrue(pictures[0] == pictures[1], f"{how} differs: see out/application-{self.slug}-{DRIVER}-*")


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for one in applications.of_place(sys.argv.pop(1), DRIVER):
        name = "".join(letter for letter in one.name.title() if letter.isalnum())
        members = {"application": one}
        if not (one.frame or one.screen_argv or one.output):
            members["test_DrawsTheSame"] = None  # no picture of it stands still or comes twice alike
        setattr(sys.modules["__main__"], name, type(name, (ApplicationCases, unittest.TestCase), members))
    unittest_results.main()


if __name__ == "__main__":
    main()
