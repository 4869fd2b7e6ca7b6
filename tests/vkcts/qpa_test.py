"""The reader of deqp-vk's logs."""

import errno
import os
import pathlib
import tempfile
import unittest
from unittest import mock

import scenario   # noqa: F401  (the paths)
from unittest_results import main
from vkcts.qpa import Begun, Ended, QpaReader, read_whole

HEADER = '#sessionInfo deviceName Some GPU (x, 1)\n#sessionInfo targetName "Default"\n\n#beginSession\n\n'


def case_text(name, result='<Result StatusCode="Pass">Pass</Result>', end="#endTestCaseResult"):
    return f'#beginTestCaseResult {name}\n<TestCaseResult CasePath="{name}">\n {result}\n</TestCaseResult>\n\n{end}\n\n'


class QpaTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name) / "log.qpa"

    def events(self, text):
        self.path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_whole(self.path)

    def test_WholeSession(self):
        reader, events = self.events(HEADER + case_text("a.b") + "#endSession\n")
        self.assertEqual(events, [Begun("a.b"), Ended("a.b", "Pass", "Pass", None)])
        self.assertEqual(reader.session, {"deviceName": "Some GPU (x, 1)", "targetName": "Default"})
        self.assertTrue(reader.session_ended)

    def test_EveryVerdict(self):
        for status in ("Pass", "Fail", "NotSupported", "QualityWarning", "CompatibilityWarning", "Waiver", "Crash",
                       "Timeout", "InternalError", "ResourceError"):
            with self.subTest(status):
                _, events = self.events(HEADER + case_text("a", f'<Result StatusCode="{status}">why</Result>'))
                self.assertEqual(events[1], Ended("a", status, "why", None))

    def test_VerdictThatNobodyKnowsIsNotGood(self):
        _, events = self.events(HEADER + case_text("a", '<Result StatusCode="Splendid">really</Result>'))
        self.assertEqual(events[1].status, "InternalError")
        self.assertIn("Splendid", events[1].detail)

    def test_NoVerdictIsNotGood(self):
        _, events = self.events(HEADER + case_text("a", "<Text>nothing</Text>"))
        self.assertEqual(events[1].status, "InternalError")

    def test_DetailIsPlainText(self):
        result = '<Result StatusCode="Fail">1 &lt; 2\nat &quot;x&quot;</Result>'
        _, events = self.events(HEADER + case_text("a", result))
        self.assertEqual(events[1].detail, '1 < 2 at "x"')

    def test_DurationIsInSeconds(self):
        number = '<Number Name="TestDuration" Description="d" Tag="Time" Unit="us">226591</Number>\n'
        _, events = self.events(HEADER + case_text("a", number + '<Result StatusCode="Pass">Pass</Result>'))
        self.assertEqual(events[1].seconds, 0.226591)

    def test_CutOffAnywhere(self):
        """However much of the log there is, no case ends that had not, and none is begun twice."""
        text = (HEADER + case_text("a.one") + case_text("a.two", '<Result StatusCode="Fail">\u00e4</Result>')
                + "#endSession\n").encode()
        for length in range(len(text)):
            reader, events = self.events(text[:length])
            names = [(type(event), event.case) for event in events]
            whole = [(Begun, "a.one"), (Ended, "a.one"), (Begun, "a.two"), (Ended, "a.two")]
            self.assertEqual(names, whole[:len(names)])
            self.assertEqual(reader.open_case is not None, len(names) % 2 == 1)
            self.assertFalse(reader.session_ended)

    def test_GrowingFileGivesEachEventOnce(self):
        text = (HEADER + case_text("a.one") + case_text("a.two") + "#endSession\n").encode()
        reader = QpaReader(self.path)
        self.addCleanup(reader.close)
        self.assertEqual(reader.read(), [])
        events = []
        with open(self.path, "wb") as file:
            for at in range(0, len(text), 7):
                file.write(text[at:at + 7])
                file.flush()
                events += reader.read()
        self.assertEqual(events, read_whole(self.path)[1])
        self.assertEqual(len(events), 4)

    def test_TerminatedByDeqpVk(self):
        for reason, status in (("Timeout", "Timeout"), ("Crash", "Crash"), ("something else", "Crash")):
            with self.subTest(reason):
                _, events = self.events(HEADER + case_text("a", end=f"#terminateTestCaseResult {reason}"))
                self.assertEqual(events[1].status, status)

    def test_CaseWithoutEndBeforeTheNext(self):
        _, events = self.events(HEADER + "#beginTestCaseResult a\n#beginTestCaseResult b\n#endTestCaseResult\n")
        self.assertEqual([event.case for event in events], ["a", "a", "b", "b"])
        self.assertEqual(events[1].status, "InternalError")

    def test_BytesThatAreNoText(self):
        _, events = self.events(HEADER.encode() + case_text("a").encode().replace(b">Pass<", b">\xff\xfe\x00<"))
        self.assertEqual(events[1].status, "Pass")

    def test_LineOfTheCaseThatBeginsWithAHash(self):
        _, events = self.events(HEADER + case_text("a", '#version 450\n<Result StatusCode="Pass">Pass</Result>'))
        self.assertEqual(events[1].status, "Pass")

    def test_FileThatCannotBeReadForAMoment(self):
        """As 9p does it with a file that grows: nothing is lost, nothing is taken for the end."""
        text = (HEADER + case_text("a.one") + case_text("a.two") + "#endSession\n").encode()
        for moments in (1, 5, 1000):
            self.path.write_bytes(text)
            read, failures = os.read, iter(range(moments))

            def fails_now_and_then(file, _, read=read, failures=failures):
                if next(failures, None) is not None and os.lseek(file, 0, os.SEEK_CUR) >= 64:
                    raise OSError(errno.ENODATA, "No data available")
                return read(file, 64)

            with self.subTest(moments), mock.patch("vkcts.qpa.os.read", fails_now_and_then), \
                    mock.patch("vkcts.qpa.time.sleep"):
                if moments == 1000:
                    self.assertRaises(OSError, read_whole, self.path)
                else:
                    self.assertEqual(len(read_whole(self.path)[1]), 4)

    def test_NoFile(self):
        self.assertEqual(read_whole(self.path)[1], [])


if __name__ == "__main__":
    main()
