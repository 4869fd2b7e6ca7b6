#!/usr/bin/env python3
"""Stands in for weston, sway, Xwayland and Xvfb, by the name that it is called by: it says that it is up, and waits.

DISPLAY_STAND_IN: "dies at start", or "dies with FILE": once that file has more than three lines (and then no more).
"""

import os
import pathlib
import sys
import time

NAME = pathlib.Path(sys.argv[0]).name
MANNER = os.environ.get("DISPLAY_STAND_IN", "")


def argument(name):
    return sys.argv[sys.argv.index(name) + 1]


def main():
    if "--version" in sys.argv:
        print("weston 14.0.2")
        return
    if MANNER == "dies at start":
        sys.exit("no screen here")
    if NAME.startswith("X"):
        assert NAME == "Xvfb" or os.environ["WAYLAND_DISPLAY"], "Xwayland needs a compositor"
        os.write(int(argument("-displayfd")), b"42\n")
    else:
        socket = next((word.removeprefix("--socket=") for word in sys.argv if word.startswith("--socket=")), None)
        if socket is None:
            socket = pathlib.Path(argument("--config")).read_text().split("$XDG_RUNTIME_DIR/")[1].split()[0]
        (pathlib.Path(os.environ["XDG_RUNTIME_DIR"]) / socket).touch()
    while True:
        time.sleep(0.02)
        if MANNER.startswith("dies with "):
            file = pathlib.Path(MANNER.removeprefix("dies with "))
            died = file.with_suffix(".died")
            if not died.exists() and file.exists() and len(file.read_text().splitlines()) > 3:
                died.touch()
                sys.exit(3)


if __name__ == "__main__":
    main()
