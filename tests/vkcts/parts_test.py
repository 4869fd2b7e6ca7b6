"""Parts that no whole run shows: the guest's command line, estimates, texts."""

import io
import pathlib
import unittest
from unittest import mock

import scenario   # noqa: F401  (the paths)
from unittest_results import main
from vkcts import child, guest, progress, run_options, store
from vkcts.errors import InputError
from vkcts.qpa import Ended
from vkcts.run_options import parser


class GuestTest(unittest.TestCase):
    def command(self, *options):
        parsed = parser().parse_args(["--deqp-vk", "/x/deqp-vk", "--guest", *options])
        checkout = pathlib.Path("/home/somebody/fencebridge")
        stage = checkout / "out/vkcts-guest"
        with mock.patch("vkcts.guest.CHECKOUT", checkout):
            return guest.command_in_guest(parsed, stage / "deqp-vk", stage / "mustpass.txt", [stage / "skips-0.txt"])

    def test_EveryOptionArrives(self):
        """What is given outside means the same inside, but for what is the outside's."""
        options = ["--groups", "wsi", "--fraction", "1,3", "--timeout", "7", "--start-timeout", "8", "--jobs", "2",
                   "--batch", "9", "--rerun", "4", "--only", "on", "--runner", "own", "--keep-logs", "--present",
                   "owned", "--fence-source", "fence", "--policy", "touch", "--acquire", "poll", "--guard", "off",
                   "--device-id", "2", "--compositor", "sway", "--x-server", "Xvfb", "--", "--deqp-base-seed=3"]
        outside = vars(parser().parse_args(["--deqp-vk", "/x/deqp-vk", "--guest", *options]))
        inside = vars(parser().parse_args(self.command(*options)[1:]))
        differing = {name for name in outside if outside[name] != inside[name]}
        self.assertEqual(differing, {"deqp_vk", "mustpass", "out", "guest", "skips"})
        self.assertFalse(inside["guest"])
        # A new option must be given on, too: each one that there is has another value here than its default.
        defaults = vars(parser().parse_args(["--deqp-vk", "/x/deqp-vk"]))
        same = {name for name in outside if outside[name] == defaults[name]}
        self.assertEqual(same, {"deqp_vk", "mustpass", "out", "skips", "manifest", "driver", "list_groups"})

    def test_PathsAreTheGuests(self):
        command = self.command()
        self.assertIn("/src/out/vkcts-guest/deqp-vk", command)
        self.assertIn("/src/out/vkcts-guest/mustpass.txt", command)
        self.assertIn("/src/out/vkcts-guest/skips-0.txt", command)
        self.assertFalse([word for word in command if "somebody" in word])

    def test_ManifestIsRefused(self):
        with self.assertRaisesRegex(InputError, "--guest"):
            run_options.parse(["--deqp-vk", "/bin/sh", "--guest", "--manifest", "/x"])


class ProgressTest(unittest.TestCase):
    def setUp(self):
        self.now = 100.0
        patch = mock.patch("vkcts.progress.time.monotonic", lambda: self.now)
        patch.start()
        self.addCleanup(patch.stop)

    def test_Estimate(self):
        shown = progress.Progress(total=100, done=40, stream=io.StringIO())
        self.assertIsNone(shown.left())
        for _ in range(20):
            shown.case_done(Ended("a", "Pass", "", 1))
        self.now += 10
        self.assertEqual(shown.left(), 20)
        self.assertEqual(shown.text(), "60/100 (60 %), about 20 s left")
        shown.case_done(Ended("a", "Crash", "", 1))
        self.assertIn("1 bad", shown.text())

    def test_LinesComeNowAndThen(self):
        stream = io.StringIO()
        shown = progress.Progress(total=10, done=0, stream=stream)
        for _ in range(600):
            self.now += 0.1
            shown.show()
        self.assertEqual(len(stream.getvalue().splitlines()), 1)

    def test_Spans(self):
        self.assertEqual([progress.span(seconds) for seconds in (0, 42, 119, 720, 11100)],
                         ["0 s", "42 s", "2 min", "12 min", "3 h 05 min"])


class StoreTest(unittest.TestCase):
    def test_LineThatDoesNotFitIsAnError(self):
        """A full disk takes the front of a line without an error."""
        class FullDisk(io.BytesIO):
            def write(self, data):
                return super().write(data[:5])

        lines = store.Lines(pathlib.Path("cases.jsonl"))
        lines._file = FullDisk()
        with self.assertRaisesRegex(OSError, "no room"):
            lines.append({"case": "a"})
        self.assertEqual(lines.values, [])


class ChildTest(unittest.TestCase):
    def test_HowItEnded(self):
        self.assertEqual([child.how_it_ended(status) for status in (0, 3, -11, -99)],
                         ["exit status 0", "exit status 3", "killed by SIGSEGV", "killed by signal 99"])


if __name__ == "__main__":
    main()
