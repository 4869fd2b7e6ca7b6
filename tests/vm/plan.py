#!/usr/bin/env python3
"""Turns Meson's list of tests into plans: what runs where, how often and under which name.

Meson is the one source of truth. A test's Meson suites are read as tags:
  guest            it must run in the guest (or, with --host, on the machine); others run in the tree's chroot
  each-driver      once for each of the guest's drivers;  venus, lavapipe: only with that driver
  sanitize         also from the asan and tsan builds;  asan: from that one alone
  idle             it does nothing but wait: its lane goes on beside it
  alone            its plain run looks at the guest's timing: nothing runs beside it
The first of its suites that is none of these is the suite that it is reported under.

Writes FOLDER/plan-here.tsv and FOLDER/plan-guest.tsv, one run a line:
  suite, name, prefix of its cases' names, time limit in seconds, flavour, driver, command, idle or alone
A dash stands for nothing (shells lose empty columns). No time limit means that it cannot run here, and
then the command's column says why.
"""

import argparse
import json
import pathlib
import shlex
import sys

TAGS = {"guest", "each-driver", "venus", "lavapipe", "sanitize", "asan", "idle", "alone"}
GUEST_DRIVERS = ("venus", "lavapipe")
# Left out of `test` unless they are asked for: suites with a verb of their own, and the long runs.
OWN_VERB = {"apps", "bench", "demo", "matrix", "transparency-long"}
SLOWNESS = {"plain": 1, "asan": 3, "tsan": 6}
# A sanitizer looks at the layer, not at the driver: each has one, the threads of the proxy source
# (lavapipe's) under the one that watches threads.
SANITIZED_ON = {"asan": "venus", "tsan": "lavapipe"}


class Test:
    def __init__(self, entry, folder):
        self.name = entry["name"].replace("/", "-").replace("\t", " ")
        suites = [suite.split(":")[-1] for suite in entry["suite"]]
        self.tags = TAGS.intersection(suites)
        self.suite = next((suite for suite in suites if suite not in TAGS), "unit")
        self.timeout = entry["timeout"]
        environment = [f"{name}={value}" for name, value in entry["env"].items()]
        self.command = shlex.join((["env", *environment] if environment else []) + entry["cmd"])
        self.command = f"cd {shlex.quote(entry.get('workdir') or str(folder))} && {self.command}"

    def runs_from(self, flavour):
        return flavour == "plain" or "sanitize" in self.tags or flavour in self.tags

    def company(self, flavour):
        """What run-plan.sh may run beside it: the plan's last column."""
        if "alone" in self.tags and flavour == "plain":
            return "alone"
        return "idle" if "idle" in self.tags else ""

    def wanted(self, suites):
        return self.suite in suites if suites else self.suite not in OWN_VERB


def tests_of(build, flavour):
    folder = build / flavour
    return [Test(entry, folder) for entry in json.loads((folder / "meson-info/intro-tests.json").read_text())]


def drivers_for(test, flavour, chosen):
    """The guest drivers to run a test with; `guest` stands for a run that no driver plays a part in."""
    only = [driver for driver in GUEST_DRIVERS if driver in test.tags]
    if only:
        return [driver for driver in chosen if driver in only]
    if "each-driver" not in test.tags:
        return ["guest"]
    preferred = SANITIZED_ON.get(flavour)
    return [preferred] if preferred in chosen else chosen


def rows_of(test, flavour, options):
    """(in the guest or not, row) for every run of a test."""
    flavour_prefix = "" if flavour == "plain" else flavour + "/"
    timeout = int(test.timeout * SLOWNESS[flavour]) or 86400
    if "guest" not in test.tags:
        yield False, [test.suite, flavour_prefix + test.name, flavour_prefix, timeout, flavour, "none", test.command]
        return
    if options.drivers == ["host"]:
        only = [driver for driver in GUEST_DRIVERS if driver in test.tags]
        prefix = "host/" + flavour_prefix
        if only:
            reason = f"this machine is not the guest: needs the guest's {' or '.join(only)} driver"
            yield False, [test.suite, prefix + test.name, prefix, "", flavour, "host", reason]
        else:
            yield False, [test.suite, prefix + test.name, prefix, timeout, flavour, "host", test.command]
        return
    for driver in drivers_for(test, flavour, options.drivers):
        prefix = f"{driver}/{flavour_prefix}"
        yield True, [test.suite, prefix + test.name, prefix, timeout, flavour, driver, test.command]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("/build"))
    parser.add_argument("--drivers", type=str.split, default=["venus"])
    parser.add_argument("--suites", type=str.split, default=[])
    parser.add_argument("--flavours", type=str.split, default=["plain"])
    parser.add_argument("--sanitized", action="store_true", help="exit 0 if a wanted test has the tag sanitize, else 1")
    parser.add_argument("folder", type=pathlib.Path, nargs="?")
    options = parser.parse_args()

    tests = tests_of(options.build, "plain")
    if options.sanitized:
        return 0 if any(test.runs_from("asan") and test.wanted(options.suites) for test in tests) else 1
    missing = set(options.suites) - {test.suite for test in tests}
    if missing:
        print(f"no such suite: {' '.join(sorted(missing))}; there are: {' '.join(sorted({test.suite for test in tests}))}")
        return 2

    plans = {False: [], True: []}
    for flavour in options.flavours:
        for test in tests_of(options.build, flavour):
            if test.wanted(options.suites) and test.runs_from(flavour):
                for in_guest, row in rows_of(test, flavour, options):
                    row.append(test.company(flavour))
                    plans[in_guest].append("\t".join(str(column) or "-" for column in row).replace("\n", " "))
    for in_guest, name in ((False, "plan-here.tsv"), (True, "plan-guest.tsv")):
        # Those that only wait begin first, beside all the others.
        plans[in_guest].sort(key=lambda line: not line.endswith("\tidle"))
        (options.folder / name).write_text("".join(line + "\n" for line in plans[in_guest]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
