#!/usr/bin/env python3
"""Stands in for deqp-vk: its command line, its log, its ways to die; and for what loader and layer say on stderr.

VKCTS_STAND_IN names a JSON file that tells it what to do:
    cases       every case there is (for --deqp-runmode=txt-caselist; also what it knows of a case list)
    verdicts    {case, or "on:case"/"off:case" for one side: verdict or way to die; a list: one for each time}
                "on:end of CASE": the process that was given the case crashes after its last one
    on, off     how layer and loader behave on that side: "loaded", "not loaded", "silent" (the layer), "mute"
                (the loader); on_from_the_second_process: once a case has begun with the layer
    hand_offs   {front of a case's name: how many releases it makes}
    device      what the log's header says of the device
    pause       seconds that each case takes
    program     a real Vulkan program that says the lines of loader and layer instead of us, with its arguments
    records     a folder where it notes each start of a case, and its own command lines
Whether the layer is on, it tells by the variables that the layer's manifest names.
"""

import fcntl
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

LAYER = "VK_LAYER_FENCEBRIDGE_implicit_sync"


def option(name, default=None):
    for argument in sys.argv[1:]:
        if argument.startswith(f"--deqp-{name}="):
            return argument.split("=", 1)[1]
    return default


class StandIn:
    def __init__(self, script):
        self.script = script
        self.is_on = os.environ.get("ENABLE_FENCEBRIDGE") == "1" and "DISABLE_FENCEBRIDGE" not in os.environ
        self.side = "on" if self.is_on else "off"
        self.manner = script.get(self.side, "loaded" if self.is_on else "not loaded")
        if self.is_on and (pathlib.Path(script["records"]) / "on.begun").exists():
            self.manner = script.get("on_from_the_second_process", self.manner)
        self.releases = 0
        self.log = None

    # What the Vulkan loader and the layer would say.
    def loader(self, tags, text):
        if os.environ.get("VK_LOADER_DEBUG") == "layer" and self.manner != "mute":
            print(f"[Vulkan Loader] {tags}:   {text}", file=sys.stderr)

    def say_created(self):
        if "program" in self.script:
            subprocess.run(self.script["program"], stdout=subprocess.DEVNULL, check=True)
            return
        has_layer = self.manner in ("loaded", "silent")
        if has_layer:
            self.loader("INFO | LAYER", f'Insert instance layer "{LAYER}" (/nowhere/libVkLayer.so)')
        self.loader("LAYER", "vkCreateInstance layer callstack setup to:")
        if has_layer:
            self.loader("INFO | LAYER", f'Inserted device layer "{LAYER}" (/nowhere/libVkLayer.so)')
        self.loader("DRIVER", "vkCreateDevice layer callstack setup to:")
        if self.layer_speaks():
            print("fencebridge: info: Stand-in (1.0, 2) [stand-in]: policy auto, fence source "
                  f"{os.environ.get('VK_FENCEBRIDGE_FENCE_SOURCE', 'auto')} (a test), acquire import (a test), "
                  "guard off (a test), kernel 6.0", file=sys.stderr)
        sys.stderr.flush()

    def layer_speaks(self):
        return self.manner == "loaded" and os.environ.get("VK_FENCEBRIDGE_LOG_LEVEL", "info") in ("info", "debug")

    def say_destroyed(self):
        if self.layer_speaks() and "program" not in self.script:
            print(f"fencebridge: info: Stand-in (1.0, 2): releases {self.releases} (fences attached {self.releases}, "
                  "work already done 0, parked 0), acquires 0 (idle 0, waits imported 0, waits on a thread 0, waits "
                  "on CPU 0), guarded 0, fallbacks 0, trailing submits 0", file=sys.stderr, flush=True)

    # deqp-vk itself.
    def write(self, text):
        self.log.write(text)
        self.log.flush()

    def times(self, case):
        """How often this side has begun the case before; several processes may ask."""
        folder = pathlib.Path(self.script["records"])
        with open(folder / f"{self.side}.begun", "a+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            count = file.read().split().count(case)
            file.write(case + "\n")
        return count

    def verdict(self, case):
        verdicts = self.script.get("verdicts", {})
        verdict = verdicts.get(f"{self.side}:{case}", verdicts.get(case, "Pass"))
        count = self.times(case)
        return verdict[min(count, len(verdict) - 1)] if isinstance(verdict, list) else verdict

    def header(self):
        device = {"deviceName": "Stand-in (1.0, 2)", "vendorID": "0x1", "deviceID": "0x2",
                  "releaseName": "stand-in", **self.script.get("device", {})}
        self.write("".join(f"#sessionInfo {name} {value}\n" for name, value in device.items())
                   + '#sessionInfo targetName "Default"\n\n#beginSession\n')

    def end_case(self, status, text, extra=""):
        self.write(f'{extra} <Number Name="TestDuration" Description="Test case duration in microseconds" Tag="Time" '
                   f'Unit="us">1500</Number>\n <Result StatusCode="{status}">{text}</Result>\n</TestCaseResult>\n\n'
                   "#endTestCaseResult\n")

    def run_case(self, case):
        verdict = self.verdict(case)
        if verdict == "dies before":
            os.kill(os.getpid(), signal.SIGSEGV)
        if verdict == "hangs before":
            time.sleep(3600)
        self.write(f"\n#beginTestCaseResult {case}\n<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                   f'<TestCaseResult CasePath="{case}" Version="0.3.4" CaseType="SelfValidate">\n')
        time.sleep(self.script.get("pause", 0))
        for front, count in self.script.get("hand_offs", {}).items():
            if case.startswith(front):
                self.releases += count
        if verdict == "crashes":
            os.kill(os.getpid(), signal.SIGSEGV)
        if verdict == "hangs":
            time.sleep(3600)
        if verdict == "truncates":
            self.log.flush()
            self.log.buffer.write(b" <Text>h\xc3")   # in the middle of a character
            self.log.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        if verdict == "terminates":
            self.write("\n#terminateTestCaseResult Crash\n")
            os._exit(1)
        if verdict == "loses the device":
            self.end_case("Fail", "vk.queueSubmit(...): VK_ERROR_DEVICE_LOST at &lt;here&gt;")
            os.kill(os.getpid(), signal.SIGABRT)
        if verdict == "leaves":
            self.end_case("Pass", "Pass")
            os._exit(0)
        version = " <Text>driverVersion = 25165825</Text>\n" if case == "dEQP-VK.info.device" else ""
        self.end_case(verdict, f"{verdict}: said by the stand-in", version)

    def run(self):
        cases = pathlib.Path(option("caselist-file")).read_text().split()
        with open(pathlib.Path(self.script["records"]) / "commands", "a", encoding="utf-8") as file:
            settings = {name: value for name, value in os.environ.items() if name.startswith("VK_FENCEBRIDGE_")}
            file.write(json.dumps({"side": self.side, "arguments": sys.argv[1:], "cases": cases, "pid": os.getpid(),
                                   "settings": settings, "display": os.environ.get("WAYLAND_DISPLAY"),
                                   "x_display": os.environ.get("DISPLAY")}) + "\n")
        known = {"dEQP-VK.info.device", *self.script["cases"]}
        with open(option("log-filename"), "w", encoding="utf-8") as self.log:
            self.header()
            self.say_created()
            for case in cases:
                if case in known:
                    self.run_case(case)
            self.write("\nRun took 0.01 seconds\n\n#endSession\n")
        self.say_destroyed()
        if any(self.script.get("verdicts", {}).get(f"{self.side}:end of {case}") for case in cases):
            os.kill(os.getpid(), signal.SIGSEGV)

    def list_cases(self):
        path = option("caselist-export-file", "${packageName}-cases.${typeExtension}")
        path = path.replace("${packageName}", "dEQP-VK").replace("${typeExtension}", "txt")
        groups = "GROUP: dEQP-VK\n"
        pathlib.Path(path).write_text(groups + "".join(f"TEST: {case}\n" for case in self.script["cases"]))


def main():
    stand_in = StandIn(json.loads(pathlib.Path(os.environ["VKCTS_STAND_IN"]).read_text()))
    if option("runmode") == "txt-caselist":
        stand_in.list_cases()
    else:
        stand_in.run()


if __name__ == "__main__":
    main()
