#!/usr/bin/env python3
"""What deqp-runner takes for deqp-vk: runs the real one, and keeps its stderr, where the layer's evidence is.

deqp-runner throws away what a process said once its cases have passed. VKCTS_DEQP_VK names the binary,
VKCTS_RECORDS the folder for each process's NAME.stderr.raw and NAME.json ({"ending", "cases"}). The second
is written when deqp-vk has ended; deqp-runner kills us for a hang, and the kernel then kills deqp-vk.
"""

import json
import os
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from vkcts import child                                      # noqa: E402
from vkcts.deqp_process import DIED, ENDED, is_whole         # noqa: E402
from vkcts.qpa import Ended, read_whole                      # noqa: E402
from vkcts.store import write_atomically                     # noqa: E402

PATHS = ("--deqp-caselist-file=", "--deqp-log-filename=", "--deqp-shadercache-filename=")


def absolute(argument):
    """deqp-runner's paths hold in the folder where it starts us, and deqp-vk wants to be in its own."""
    for option in PATHS:
        if argument.startswith(option):
            return option + os.path.abspath(argument.removeprefix(option))
    return argument


def main():
    binary = os.environ["VKCTS_DEQP_VK"]
    record = pathlib.Path(os.environ["VKCTS_RECORDS"]) / f"process-{os.getpid()}"
    arguments = [absolute(argument) for argument in sys.argv[1:]]
    log = next((a.removeprefix(PATHS[1]) for a in arguments if a.startswith(PATHS[1])), None)
    with open(f"{record}.stderr.raw", "wb") as stderr:
        process = child.start([binary, *arguments], environment=os.environ, stdout=None, stderr=stderr,
                              folder=os.path.dirname(binary))
        status = process.wait()
    ending, ended = DIED, 0
    if log is not None and os.path.exists(log):
        reader, events = read_whole(log)
        ended = sum(isinstance(event, Ended) for event in events)
        if is_whole(reader, status):
            ending = ENDED
    write_atomically(f"{record}.json", json.dumps({"ending": ending, "cases": ended}))
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())
