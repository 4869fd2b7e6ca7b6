"""One run of an application with a set of layers, and what can be told from it afterwards."""

import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "vkcts-scripts"))

from vkcts import evidence  # noqa: E402

VALIDATION = "VK_LAYER_KHRONOS_validation"
BRIDGE = "VK_LAYER_FENCEBRIDGE_implicit_sync"
PICTURE = "VK_LAYER_TEST_picture"
HUNG = (124, 137)  # timeout's own status, and after the signal that it sends in the end
MESSAGE = re.compile(r"\b(?:VUID|SYNC-HAZARD|UNASSIGNED|BestPractices)-[\w-]+")

# Implicit layers stand above all that VK_INSTANCE_LAYERS names; named there, ours takes the place that the list
# gives it.
OWNED = {"VK_FENCEBRIDGE_PRESENT": "owned"}
SETS = {
    "off": {},
    "on": {"ENABLE_FENCEBRIDGE": "1"},
    "owned": {"ENABLE_FENCEBRIDGE": "1"} | OWNED,
    "validated": {"VK_INSTANCE_LAYERS": VALIDATION},
    "validation below": {"ENABLE_FENCEBRIDGE": "1", "VK_INSTANCE_LAYERS": VALIDATION} | OWNED,
    "validation above": {"VK_INSTANCE_LAYERS": f"{VALIDATION}:{BRIDGE}"} | OWNED,
    "picture off": {"VK_INSTANCE_LAYERS": PICTURE},
    "picture owned": {"VK_INSTANCE_LAYERS": f"{PICTURE}:{BRIDGE}"} | OWNED,
}


def is_on(layers):
    return "FENCEBRIDGE" in " ".join([*SETS[layers], *SETS[layers].values()])


class Run:
    """exit_status as a shell shows it; out and err; evidence of the layer; messages: the validation layer's, by
    their identifiers."""

    def __init__(self, application, layers, folder, argv=None):
        self.layers = layers
        self.folder = pathlib.Path(folder)
        variables = {**os.environ, **application.environment, **SETS[layers], **self._settings(application)}
        limit = ["/usr/bin/timeout", "--kill-after=5", str(application.limit)]
        argv = [part.replace("{output}", str(self.folder / "output")) for part in argv or application.argv]
        # Into files: a grandchild that outlives the application must not keep a pipe open.
        with (self.folder / "out").open("wb") as out, (self.folder / "err").open("wb") as err:
            status = subprocess.run(limit + argv, env=variables, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                    cwd=self.folder).returncode
        self.exit_status = status if status >= 0 else 128 - status
        self.out = (self.folder / "out").read_text(errors="replace")
        self.evidence, kept = evidence.read_evidence((self.folder / "err").read_text(errors="replace").splitlines())
        self.err = "\n".join(kept)
        self.messages = set(MESSAGE.findall(self._validation_log() + self.out + self.err))

    def _settings(self, application):
        return {
            "VK_LOADER_DEBUG": "layer",
            "VK_FENCEBRIDGE_LOG_LEVEL": "info" if application.ends_device else "debug",
            "VK_VALIDATION_VALIDATE_SYNC": "1",
            "VK_VALIDATION_LOG_FILENAME": str(self.folder / "validation.log"),
            "VK_VALIDATION_DEBUG_ACTION": "VK_DBG_LAYER_ACTION_LOG_MSG",
            "VK_VALIDATION_REPORT_FLAGS": "error,warn",
            "FENCEBRIDGE_PICTURE": str(self.folder / "frame.ppm"),
            "FENCEBRIDGE_FRAME": str(application.frame),
            "XDG_CACHE_HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder),
            "HOME": str(self.folder),
        }

    def _validation_log(self):
        log = self.folder / "validation.log"
        return log.read_text(errors="replace") if log.exists() else ""

    def file(self, name):
        """The content of a file that the application has left in its folder, or None."""
        path = self.folder / name
        return path.read_bytes() if path.exists() else None

    def hung(self):
        return self.exit_status in HUNG

    def count(self, counter):
        """Of the layer's counters; where the application has not ended its device, of its debug log."""
        if self.evidence["counter_lines"]:
            return self.evidence["counters"].get(counter, 0)
        told = {"releases": ": release: ", "fences attached": ": release: write fence on dma-buf",
                "work already done": ": release: no fence on dma-buf", "acquires": ": acquire: "}
        return sum(times for line, times in self.evidence["lines"].items() if told.get(counter, "\0") in line)

    def complaints(self):
        """What the layer warned of."""
        return [line for line in self.evidence["lines"] if re.match(r"fencebridge: (warning|error): ", line)]
