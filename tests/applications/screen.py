"""What the compositor shows of an application whose picture stands still."""

import os
import pathlib
import signal
import subprocess
import sys
import time

from application_run import SETS

HERE = pathlib.Path(__file__).resolve().parent
SCREENSHOT = HERE.parent / "compositors/screenshot.py"
SAME_PICTURES = 6
PATIENCE = 120  # seconds; the guest's processors are emulated


def take(compositor, file):
    subprocess.run([sys.executable, "-B", SCREENSHOT, compositor, file], check=True)
    return pathlib.Path(file).read_bytes()


def still_screen(application, layers, folder):
    """The screen as a PNG when so many pictures of it were the same, and not those of the empty screen."""
    file = folder / f"screen-{layers}.png"
    empty = take(application.place, file)
    variables = {**os.environ, **application.environment, **SETS[layers]}
    with (folder / "screen.log").open("wb") as log:
        program = subprocess.Popen(application.screen_argv, env=variables, stdin=subprocess.DEVNULL, stdout=log,
                                   stderr=log, start_new_session=True)
    try:
        last, same, deadline = empty, 0, time.monotonic() + PATIENCE
        while same < SAME_PICTURES and time.monotonic() < deadline:
            time.sleep(0.5)
            if program.poll() is not None:
                raise AssertionError("it has ended: " + (folder / "screen.log").read_text(errors="replace"))
            now = take(application.place, file)
            same = same + 1 if now == last and now != empty else 0
            last = now
    finally:
        for ending in (signal.SIGTERM, signal.SIGKILL):
            if program.poll() is None:
                os.killpg(program.pid, ending)
                try:
                    program.wait(5)
                except subprocess.TimeoutExpired:
                    pass
    gone = time.monotonic() + PATIENCE
    while take(application.place, folder / "gone.png") != empty and time.monotonic() < gone:
        time.sleep(0.2)
    return last if last != empty else None
