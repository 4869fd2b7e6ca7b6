"""The command line of `run`."""

import argparse
import pathlib
import shutil

from .errors import InputError
from .layer_environment import SIDES

EPILOG = """exit status: 0 no regression; 1 regressions; 2 bad input; 3 the run went wrong, or the layer was not where
it should have been. An interrupted run goes on when the same command is given again."""


class Parser(argparse.ArgumentParser):
    """Errors as every other bad input: one line."""

    def error(self, message):
        raise InputError(f"{message}; try --help")


def positive(kind):
    def check(text):
        value = kind(text)
        if not 0 < value < 1e7:
            raise ValueError(text)
        return value
    check.__name__ = "number above 0"
    return check


def parser():
    options = Parser(prog="run", description="Runs groups of the Vulkan CTS without the layer and with it, and "
                     "compares the two.", epilog=EPILOG, allow_abbrev=False)
    options.add_argument("--deqp-vk", metavar="FILE", required=True, help="the deqp-vk that you have built")
    options.add_argument("--mustpass", metavar="PATH",
                         help="the mustpass: external/vulkancts/mustpass/main of the CTS, or a file of cases "
                         "(default: all cases that deqp-vk has)")
    options.add_argument("--out", metavar="DIR", default="vkcts-result",
                         help="the result's folder; a run that is there is gone on with (default: vkcts-result)")
    options.add_argument("--groups", metavar="LIST", default="all",
                         help="names between commas: all, wsi, synchronization.basic, or a pattern dEQP-VK.*; "
                         "see --list-groups (default: all that can run here)")
    options.add_argument("--list-groups", action=_ListGroups, nargs=0, help="name the groups, and end")
    options.add_argument("--fraction", metavar="I,N", default="0,1",
                         help="of each group every Nth case, from the Ith on")
    options.add_argument("--skips", metavar="FILE", action="append", default=[],
                         help="cases not to run: a regular expression a line")
    options.add_argument("--timeout", metavar="SEC", type=positive(float), default=120.0,
                         help="for one case (default: 120)")
    options.add_argument("--start-timeout", metavar="SEC", type=positive(float), default=300.0,
                         help="until a process begins its first case (default: 300)")
    options.add_argument("--jobs", metavar="N", type=positive(int), default=1, help="processes at a time (default: 1)")
    options.add_argument("--batch", metavar="N", type=positive(int), default=500, help="cases a process (default: 500)")
    options.add_argument("--rerun", metavar="N", type=int, default=3,
                         help="how often cases that differ run again on both sides, to tell flakes (default: 3)")
    options.add_argument("--only", choices=SIDES, help="only this side; nothing is compared")
    options.add_argument("--runner", choices=("auto", "own", "deqp-runner"), default="auto",
                         help="who runs the lists (default: deqp-runner where it is installed)")
    options.add_argument("--keep-logs", action="store_true", help="keep all test logs, not only those of bad cases")

    layer = options.add_argument_group("the layer")
    layer.add_argument("--manifest", metavar="DIR", help="of a layer that is not installed: BUILD/manifest")
    layer.add_argument("--present", choices=("auto", "native", "owned", "wait"))
    layer.add_argument("--fence-source", choices=("auto", "semaphore", "fence", "proxy", "wait"))
    layer.add_argument("--policy", choices=("auto", "transfers", "touch", "always", "off"))
    layer.add_argument("--acquire", choices=("auto", "import", "thread", "poll"))
    layer.add_argument("--guard", choices=("auto", "on", "off"))

    machine = options.add_argument_group("the machine")
    machine.add_argument("--device-id", metavar="N", type=positive(int),
                         help="deqp-vk's --deqp-vk-device-id, from 1 on")
    machine.add_argument("--compositor", metavar="NAME", help="weston or sway (default: the first that is installed)")
    machine.add_argument("--x-server", metavar="NAME",
                         help="Xwayland (on the compositor) or Xvfb (no DRI3) (default: the first that is installed)")
    machine.add_argument("--guest", action="store_true", help="in the project's guest, by ./run exec")
    machine.add_argument("--driver", choices=("venus", "lavapipe"), help="the guest's driver (default: venus)")
    options.add_argument("deqp_options", metavar="-- OPTION...", nargs="*", help="further options of deqp-vk")
    return options


class _ListGroups(argparse.Action):
    def __call__(self, *_):
        from .groups import GROUPS
        for group in GROUPS:
            print(f"{group.name:<36} {' '.join(group.patterns)}")
        raise SystemExit(0)


def parse(arguments):
    """The options, checked as far as they can be by themselves. InputError."""
    options = parser().parse_args(arguments)
    found = shutil.which(pathlib.Path(options.deqp_vk).absolute()) or shutil.which(options.deqp_vk)
    if found is None:
        raise InputError(f"no program {options.deqp_vk}: --deqp-vk is the deqp-vk that you have built")
    options.deqp_vk = str(pathlib.Path(found).resolve())
    if options.rerun < 0:
        raise InputError("--rerun is a number from 0 on")
    if options.driver and not options.guest:
        raise InputError("--driver picks a driver of the guest: it goes with --guest")
    if options.guest and options.manifest:
        raise InputError("the guest has a layer of its own: --manifest does not go with --guest")
    for word in options.deqp_options:
        if not word.startswith("--deqp-"):
            raise InputError(f"what is {word}? Options of deqp-vk begin with --deqp-, and come behind --")
    own = [word for word in options.deqp_options if word.split("=")[0] in (
        "--deqp-case", "--deqp-caselist-file", "--deqp-caselist", "--deqp-stdin-caselist", "--deqp-fraction",
        "--deqp-log-filename", "--deqp-runmode", "--deqp-vk-device-id")]
    if own:
        raise InputError(f"{own[0]} is run's own: use --groups, --mustpass, --fraction, --device-id")
    options.group_words = [word.strip() for word in options.groups.split(",") if word.strip()]
    if not options.group_words:
        raise InputError("--groups names no group; see --list-groups")
    return options


def settings_of(options):
    """{setting: value or None}, for layer_environment.layer_settings()."""
    return {"PRESENT": options.present, "FENCE_SOURCE": options.fence_source, "POLICY": options.policy,
            "ACQUIRE": options.acquire, "GUARD": options.guard}
