"""Compositors and X servers beside the window system groups: stand-ins for them here."""

import os
import pathlib
import sys

from scenario import HERE, ScenarioTest, fences
from unittest_results import main

WAYLAND = "dEQP-VK.wsi.wayland."
XCB = "dEQP-VK.wsi.xcb."


class SessionsTest(ScenarioTest):
    def programs(self, *names):
        """A PATH with only these of ours."""
        folder = self.folder / "programs"
        folder.mkdir(exist_ok=True)
        for name in (*names, "sh", "python3"):
            if not (folder / name).exists():
                target = {"sh": "/bin/sh", "python3": sys.executable}.get(name, HERE / "display_stand_in.py")
                os.symlink(target, folder / name)
        return str(folder)

    def environment_of(self, name):
        """The environment of a program that this test has started, or None: its path is in the test's folder."""
        for path in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if f"{self.folder}/programs/{name}".encode() in (path / "cmdline").read_bytes():
                    return (path / "environ").read_bytes().split(b"\0")
            except OSError:
                pass   # it has ended meanwhile
        return None

    def test_Wayland(self):
        for compositor in ("weston", "sway"):
            with self.subTest(compositor):
                self.out = self.folder / compositor
                self.script([WAYLAND + "a"])
                self.run_it("--groups", "wsi.wayland", "--compositor", compositor, PATH=self.programs("weston", "sway"))
                self.assertEqual(self.statuses("on"), {"a": "Pass"})
                self.assertEqual(self.commands("on")[-1]["display"], "vkcts-wayland")
                self.assertTrue((self.out / f"on/logs/session-{compositor}.log").exists())
                self.assertIsNone(self.environment_of(compositor))

    def test_XServers(self):
        for server in ("Xwayland", "Xvfb"):
            with self.subTest(server):
                self.out = self.folder / server
                self.script([XCB + "a"])
                self.run_it("--groups", "wsi.xcb", "--x-server", server,
                            PATH=self.programs("weston", "Xwayland", "Xvfb"))
                self.assertEqual(self.statuses("on"), {"a": "Pass"})
                self.assertEqual(self.commands("on")[-1]["x_display"], ":42")
                self.assertIsNone(self.environment_of(server))

    def test_OtherGroupsHaveNoDisplay(self):
        self.script(fences(1))
        self.run_it(WAYLAND_DISPLAY="wayland-9", DISPLAY=":9")
        self.assertEqual((self.commands("on")[0]["display"], self.commands("on")[0]["x_display"]), (None, None))

    def test_XwaylandNeedsACompositor(self):
        self.script([XCB + "a"])
        path = self.programs("Xwayland")
        self.assertIn("needs a compositor", self.run_it("--groups", "wsi.xcb", "--x-server", "Xwayland", status=2,
                                                        PATH=path).stderr)
        self.assertIn("needs an X server", self.run_it("--groups", "wsi.xcb", status=2, PATH=path).stderr)

    def test_CompositorThatDoesNotComeUp(self):
        self.script([WAYLAND + "a"])
        done = self.run_it("--groups", "wsi.wayland", status=3, PATH=self.programs("weston"),
                           DISPLAY_STAND_IN="dies at start")
        self.assertIn("weston has ended", done.stderr)
        self.assertIn("no screen here", (self.out / "off/logs/session-weston.log").read_text())

    def test_CompositorThatDiesCostsTheRunningCase(self):
        self.script([WAYLAND + letter for letter in "abcdef"], pause=0.3)
        self.run_it("--groups", "wsi.wayland", status=1, PATH=self.programs("weston"),
                    DISPLAY_STAND_IN=f"dies with {self.records}/on.begun")
        statuses = self.statuses("on")
        self.assertEqual(len(statuses), 6)
        self.assertEqual(sorted(statuses.values()), ["Crash"] + ["Pass"] * 5)
        self.assertEqual(set(self.statuses("off").values()), {"Pass"})
        detail = next(line["detail"] for line in self.lines("on", "cases") if line["status"] == "Crash")
        self.assertEqual(detail, "weston ended: exit status 3")

    def test_CompositorIsWithoutTheLayer(self):
        self.script([WAYLAND + "a"], verdicts={f"on:{WAYLAND}a": "hangs"})
        process = self.start_it("--groups", "wsi.wayland", PATH=self.programs("weston"), ENABLE_FENCEBRIDGE="1")
        self.wait_until(lambda: (self.records / "on.begun").exists()
                        and WAYLAND + "a" in (self.records / "on.begun").read_text(), "the case with the layer")
        environment = self.environment_of("weston")
        self.assertIn(f"PATH={self.folder}/programs".encode(), environment)
        self.assertFalse([word for word in environment if word.startswith(b"ENABLE_FENCEBRIDGE")])
        process.kill()
        process.wait()
        self.wait_until(lambda: self.environment_of("weston") is None, "the end of weston, after a kill of the run")


if __name__ == "__main__":
    main()
