"""Which driver a side runs on, and whether the layer is there: one case before all others."""

import re

from . import own_runner
from .deqp_process import TIMED_OUT
from .errors import RunError
from .groups import Group
from .qpa import read_whole

CASE = "dEQP-VK.info.device"
GROUP = Group("preflight", (CASE,))
SESSION_PARTS = ("deviceName", "vendorID", "deviceID", "releaseName", "releaseId")
VERSION = re.compile(rb"driverVersion\D{0,20}?(0x[0-9a-fA-F]+|\d+)")


class _Quiet:
    """No progress: the preflight is none of the cases."""

    def case_done(self, event):
        pass

    def show(self):
        pass


class _KeepsLog(own_runner.OwnRunner):
    """Reads the log before it goes. Its case is none of the result's."""

    driver = None
    judged = None

    def _record(self, process, ended):
        self.ended[process.files.name] += ended

    def _finish(self, process):
        session = read_whole(process.files.qpa)[0].session if process.files.qpa.exists() else {}
        self.driver = {name: session[name] for name in SESSION_PARTS if name in session}
        if process.files.qpa.exists() and (found := VERSION.search(process.files.qpa.read_bytes())):
            self.driver["driverVersion"] = found.group(1).decode()
        self.judged = process
        super()._finish(process)


def identify(result, side, how, session):
    """The driver as {deviceName, vendorID, deviceID, driverVersion, releaseName, ...}.

    RunError where deqp-vk does not get through its simplest case, or the layer is not where it should be.
    """
    runner = _KeepsLog(result, side, GROUP, how, session, _Quiet())
    runner.run([CASE])
    ended = runner.ended[runner.judged.files.name]
    if not ended or ended[0].status in ("Crash", "Timeout"):
        why = f"timed out: {runner.judged.detail}" if runner.judged.ending == TIMED_OUT else runner.judged.detail
        raise RunError(f"side {side}: deqp-vk does not get through {CASE}: {why}; "
                       f"it said: {own_runner.last_words(runner.judged.files)}")
    if "deviceName" not in runner.driver:
        raise RunError(f"side {side}: deqp-vk's log names no device")
    return runner.driver
