"""The evidence of a run, from the real layer under real loaders: only deqp-vk is a stand-in, around a real program.

The program is the loader tests' probe, which makes a device that can share memory. lavapipe is the driver.
"""

import os
import pathlib

from scenario import ScenarioTest, fences
from unittest_results import main

LAVAPIPE = "/usr/share/vulkan/icd.d/lvp_icd.json"
DEBIAN_12_LOADER = "/opt/loaders/bookworm/usr/lib"
NO_LOADER = f"no Debian 12 Vulkan loader in {DEBIAN_12_LOADER}"


class RealLayerTest(ScenarioTest):
    def setUp(self):
        super().setUp()
        if not os.path.exists(LAVAPIPE):
            self.skipTest(f"no lavapipe: {LAVAPIPE}")
        # Found as the layers of users are: this works with every loader.
        self.layers = self.folder / "data/vulkan"
        self.layers.mkdir(parents=True)
        os.symlink(os.environ["FENCEBRIDGE_MANIFEST_FOLDER"], self.layers / "implicit_layer.d")
        self.variables = {"VK_DRIVER_FILES": LAVAPIPE, "XDG_DATA_HOME": str(self.folder / "data"),
                          "NODEVICE_SELECT": "1", "HOME": str(self.folder)}
        self.say("share")

    def say(self, *arguments, **what):
        self.script(fences(2), program=[os.environ["FENCEBRIDGE_LOADER_PROBE"], *arguments], **what)

    def old_loader(self):
        folders = [path.parent for path in pathlib.Path(DEBIAN_12_LOADER).glob("*/libvulkan.so.1")]
        if not folders:
            self.skipTest(NO_LOADER)
        return {"LD_LIBRARY_PATH": str(folders[0])}

    def evidence(self, side):
        return next(line["evidence"] for line in self.lines(side, "processes") if line["group"] != "preflight")

    def sees_both_sides(self, loader):
        self.run_it(**self.variables, **loader)
        on, off = self.evidence("on"), self.evidence("off")
        for name in ("instances", "instances_with_layer", "devices", "devices_with_layer", "choices", "counter_lines"):
            self.assertGreaterEqual(on[name], 1, name)
        self.assertEqual(on["counters"]["releases"], 0)
        self.assertIn("waits imported", on["counters"])
        self.assertGreaterEqual(min(off["instances"], off["devices"]), 1)
        self.assertEqual((off["instances_with_layer"], off["devices_with_layer"], off["lines"]), (0, 0, {}))
        kept = (self.out / "on/logs/api.external.fence-1.stderr").read_text()
        self.assertIn("fencebridge: info: ", kept)
        self.assertNotIn("Searching for", kept)

    def test_BothSides(self):
        self.sees_both_sides({})

    def test_BothSidesWithTheOldLoader(self):
        self.sees_both_sides(self.old_loader())

    def test_LayerThatIsNotInstalled(self):
        for loader in ({}, None):
            with self.subTest(loader=loader):
                (self.layers / "implicit_layer.d").unlink(missing_ok=True)
                loader = self.old_loader() if loader is None else loader
                self.assertIn("the layer was not loaded", self.run_it(status=3, **self.variables, **loader).stderr)

    def test_LayerThatHasNothingToDo(self):
        self.say()
        self.assertIn("said nothing", self.run_it(status=3, **self.variables).stderr)

    def test_ManifestOption(self):
        (self.layers / "implicit_layer.d").unlink()
        self.run_it("--manifest", os.environ["FENCEBRIDGE_MANIFEST_FOLDER"], **self.variables)
        self.assertGreaterEqual(self.evidence("on")["choices"], 1)


if __name__ == "__main__":
    main()
