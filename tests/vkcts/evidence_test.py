"""What stderr shows about the layer."""

import unittest

import scenario   # noqa: F401  (the paths)
from unittest_results import main
from vkcts import evidence as evidence_of

NEW = "[Vulkan Loader] "
INSTANCE = 'INFO | LAYER:   Insert instance layer "VK_LAYER_FENCEBRIDGE_implicit_sync" (/a/lib.so)'
DEVICE = 'INFO | LAYER:   Inserted device layer "VK_LAYER_FENCEBRIDGE_implicit_sync" (/a/lib.so)'
INSTANCE_MADE = "LAYER:          vkCreateInstance layer callstack setup to:"
DEVICE_MADE = "DRIVER:         vkCreateDevice layer callstack setup to:"
CHOICE = ("fencebridge: info: llvmpipe (LLVM 21.1.8, 256 bits) [llvmpipe]: policy auto, fence source proxy (why), "
          "acquire thread (why), guard on (why), kernel 6.0")
COUNTERS = ("fencebridge: info: llvmpipe (LLVM 21.1.8, 256 bits): releases 3 (fences attached 2, work already done 1, "
            "parked 0), acquires 4 (idle 1, waits imported 3, waits on a thread 0, waits on CPU 0), guarded 5, "
            "fallbacks 6, trailing submits 7")
ON = [NEW + INSTANCE, NEW + INSTANCE_MADE, NEW + DEVICE, NEW + DEVICE_MADE, CHOICE, COUNTERS]
OFF = [NEW + INSTANCE_MADE, NEW + DEVICE_MADE]


def problem(lines, side, ended=True):
    return evidence_of.problem(evidence_of.read_evidence(lines)[0], side, ended)


class EvidenceTest(unittest.TestCase):
    def test_Counters(self):
        found, _ = evidence_of.read_evidence(ON + [COUNTERS])
        self.assertEqual(found["counters"], {
            "releases": 6, "fences attached": 4, "work already done": 2, "parked": 0, "acquires": 8, "idle": 2,
            "waits imported": 6, "waits on a thread": 0, "waits on CPU": 0, "guarded": 10, "fallbacks": 12,
            "trailing submits": 14})
        self.assertEqual(evidence_of.hand_offs(found), 14)
        self.assertEqual((found["counter_lines"], found["choices"]), (2, 1))

    def test_SumOfProcesses(self):
        one, _ = evidence_of.read_evidence(ON)
        self.assertEqual(evidence_of.add(one, one), evidence_of.read_evidence(ON + ON)[0])
        self.assertEqual(evidence_of.add(one, evidence_of.empty()), one)

    def test_OnIsOn(self):
        self.assertIsNone(problem(ON, "on"))
        self.assertIsNone(problem([line.removeprefix(NEW) for line in ON], "on"))

    def test_OffIsOff(self):
        self.assertIsNone(problem(OFF, "off"))
        self.assertIsNone(problem([line.removeprefix(NEW) for line in OFF], "off"))

    def test_OnThatWasNotLoaded(self):
        for ended in (True, False):
            self.assertIn("not loaded", problem(OFF, "on", ended))
        self.assertIn("no device", problem(ON[:2] + OFF[1:], "on"))

    def test_OffThatWasLoaded(self):
        for lines in (ON, ON[:1], ON[4:5], ON[5:], [NEW + "DEBUG | LAYER:  Loading layer library /x/VkLayer_FENCEBRIDGE"
                                                   "_implicit_sync.so"]):
            with self.subTest(lines[0]):
                self.assertIn("was loaded", problem(OFF + lines, "off"))

    def test_ManifestThatWasOnlyFoundIsNotLoaded(self):
        self.assertIsNone(problem(OFF + [NEW + "LAYER:      /usr/share/x/fencebridge_implicit_sync.json"], "off"))

    def test_LoaderThatSaysNothing(self):
        self.assertIn("loader said nothing", problem([CHOICE, COUNTERS], "on"))
        self.assertIn("loader said nothing", problem([], "off"))

    def test_LayerThatSaysNothing(self):
        self.assertIn("said nothing", problem(ON[:4], "on"))
        self.assertIsNone(problem(ON[:5], "on"), "a device that is never destroyed has no counters")

    def test_CrashMayLoseLines(self):
        for lines in ([], ON[:1], ON[:4], ON[:5]):
            self.assertIsNone(problem(lines, "on", ended=False))
        self.assertIsNone(problem([], "off", ended=False))

    def test_InstancesOfTheCasesMayLackIt(self):
        self.assertIsNone(problem(ON + [NEW + INSTANCE_MADE], "on"))

    def test_WhatIsKept(self):
        lines = [NEW + "LAYER:   Searching for implicit layer manifest files", *ON, "driver: a warning", "ERROR: mine"]
        _, kept = evidence_of.read_evidence(lines)
        self.assertEqual(kept, [*ON, "driver: a warning", "ERROR: mine"])


if __name__ == "__main__":
    main()
