"""The reader on logs of a real deqp-vk, where the machine has them: FENCEBRIDGE_CTS_SAMPLES, or beside the checkout."""

import os
import pathlib
import re
import unittest

from scenario import HERE
from unittest_results import main
from vkcts.qpa import Ended, read_whole

FOLDER = pathlib.Path(os.environ.get("FENCEBRIDGE_CTS_SAMPLES") or HERE.parents[2] / "shared" / "cts-samples")


@unittest.skipUnless(FOLDER.is_dir(), "no logs of a real deqp-vk: FENCEBRIDGE_CTS_SAMPLES names their folder")
class SamplesTest(unittest.TestCase):
    def read(self, name):
        reader, events = read_whole(FOLDER / f"{name}.qpa")
        return reader, [event for event in events if isinstance(event, Ended)]

    def printed(self, name):
        """[(case, status)] of what deqp-vk printed: another account of the same run."""
        text = (FOLDER / f"{name}.stdout").read_text()
        return re.findall(r"Test case '([^']+)'\.\.\n  (\w+) \(", text)

    def test_AllPass(self):
        reader, ended = self.read("all-pass")
        self.assertEqual(len(ended), 14)
        self.assertEqual([(event.case, event.status) for event in ended], self.printed("all-pass"))
        self.assertTrue(reader.session_ended)
        self.assertEqual(reader.session["deviceName"], "llvmpipe (LLVM 21.1.8, 256 bits)")
        self.assertEqual(reader.session["vendorID"], "0x10005")

    def test_NotSupported(self):
        reader, ended = self.read("not-supported")
        text = (FOLDER / "not-supported.qpa").read_text()
        self.assertEqual([event.status for event in ended], re.findall(r'StatusCode="(\w+)"', text))
        self.assertEqual(len(ended), text.count("#beginTestCaseResult"))
        self.assertTrue(all(event.seconds is not None for event in ended))
        self.assertTrue(reader.session_ended)

    def test_KilledInTheMiddle(self):
        reader, ended = self.read("killed-in-the-middle")
        self.assertEqual([(event.case, event.status) for event in ended], self.printed("killed-in-the-middle"))
        self.assertFalse(reader.session_ended)
        last = re.findall(r"Test case '([^']+)'", (FOLDER / "killed-in-the-middle.stdout").read_text())[-1]
        self.assertEqual(reader.open_case, last)


if __name__ == "__main__":
    main()
