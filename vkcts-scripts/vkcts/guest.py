"""A run in the project's guest: deqp-vk and the case lists go into the checkout's out/, which the guest sees.

The guest sees the checkout as /src, read-only, and gives back what lies in /job/out. A result that is there
already travels in the same way, so that a run in the guest goes on, too.
"""

import os
import pathlib
import shlex
import shutil

from . import case_lists
from .case_lists import load_mustpass
from .errors import InputError
from .groups import choose_groups

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
STAGE = CHECKOUT / "out" / "vkcts-guest"
RESULT_IN_GUEST = "/job/out"
LONGEST = 999999   # seconds: the most that ./run takes


def in_guest(path):
    return "/src/" + str(pathlib.Path(path).relative_to(CHECKOUT))


def _stage_binary(binary):
    """deqp-vk, and the folder of data beside it, where the guest finds them."""
    binary = pathlib.Path(binary)
    if binary.is_relative_to(CHECKOUT):
        return binary
    folder = STAGE / case_lists.file_sha256(binary)[:16]
    staged = folder / binary.name
    if not staged.exists():
        folder.mkdir(parents=True, exist_ok=True)
        if (binary.parent / "vulkan").is_dir():
            shutil.copytree(binary.parent / "vulkan", folder / "vulkan", dirs_exist_ok=True)
        shutil.copy2(binary, folder / "new")
        os.replace(folder / "new", staged)
    return staged


def command_in_guest(options, binary, mustpass, skips):
    """The same call, with the guest's paths and without what is for the outside."""
    command = ["/src/vkcts-scripts/run", "--deqp-vk", in_guest(binary), "--out", RESULT_IN_GUEST,
               "--groups", options.groups, "--fraction", options.fraction, "--timeout", f"{options.timeout:g}",
               "--start-timeout", f"{options.start_timeout:g}", "--jobs", str(options.jobs),
               "--batch", str(options.batch), "--rerun", str(options.rerun), "--runner", options.runner]
    if mustpass is not None:
        command += ["--mustpass", in_guest(mustpass)]
    for path in skips:
        command += ["--skips", in_guest(path)]
    for name in ("only", "present", "fence_source", "policy", "acquire", "guard", "device_id", "compositor",
                 "x_server"):
        if (value := getattr(options, name)) is not None:
            command += ["--" + name.replace("_", "-"), str(value)]
    if options.keep_logs:
        command.append("--keep-logs")
    return [*command, "--", *options.deqp_options] if options.deqp_options else command


def run(options):
    """Becomes ./run, whose exit status is that of the run in the guest. InputError before anything is started."""
    choose_groups(options.group_words)
    case_lists.parse_fraction(options.fraction)
    out = pathlib.Path(options.out).resolve()
    STAGE.mkdir(parents=True, exist_ok=True)
    mustpass = None
    if options.mustpass is not None:
        mustpass = STAGE / "mustpass.txt"
        mustpass.write_text("".join(case + "\n" for case in load_mustpass(options.mustpass)))
    skips = []
    for number, path in enumerate(options.skips):
        try:
            skips.append(pathlib.Path(shutil.copy(path, STAGE / f"skips-{number}.txt")))
        except OSError as error:
            raise InputError(f"cannot read {path}: {error.strerror}") from error
    previous = STAGE / "previous"
    shutil.rmtree(previous, ignore_errors=True)
    for side in ("off", "on"):
        if (out / side).is_dir():
            shutil.copytree(out / side, previous / side)
    there = shlex.join(command_in_guest(options, _stage_binary(options.deqp_vk), mustpass, skips))
    driver = options.driver or "venus"
    before = f"mkdir -p {RESULT_IN_GUEST} && "
    if previous.exists():
        before += f"cp -r {in_guest(previous)}/. {RESULT_IN_GUEST}/ && "
    if driver == "lavapipe":
        before += "export LIBGL_ALWAYS_SOFTWARE=1 && "   # for the compositor's GL
    command = [str(CHECKOUT / "run"), "exec", "--driver", driver, "--timeout", str(LONGEST), "--out", str(out), "--",
               "bash", "-c", before + "exec python3 -B " + there]
    # In our process's place: signals are ./run's, which brings the result out before it ends; so is the status.
    os.execv(command[0], command)
