#!/usr/bin/env python3
"""32_bit.py BUILD: compiles the layer's sources for 32-bit applications, with the build folder's own commands.

Many games are 32-bit, and there a Vulkan handle is another type and a size_t another number. The headers are those
of the machine, which has no 32-bit libraries: nothing is linked. (cross/i386-linux-gnu.ini builds the whole.)

Exit status 77: the compiler makes no 32-bit code here."""

import concurrent.futures
import json
import os
import pathlib
import shlex
import subprocess
import sys

# What a 32-bit build has instead: no time for the optimiser, whose warnings the 64-bit build has had, and the
# handles' types before all else (meson.build).
LEFT_OUT = {"-flto=auto", "-flto", "-O2", "-O3", "-g", "-g1"}
HANDLES = "vulkan_handles.hpp"


def commands_of(build):
    """(source, command) of each C++ source in layer/."""
    for entry in json.loads((build / "compile_commands.json").read_text()):
        source = (build / entry["file"]).resolve()
        if "layer" in source.parts and source.suffix == ".cpp":
            yield source, shlex.split(entry["command"])


def for_32_bit(command, target):
    command = [word for word in command if word not in LEFT_OUT]
    for option in ("-o", "-MF", "-MQ"):
        if option in command:
            command[command.index(option) + 1] = f"{target}{'.d' if option == '-MF' else ''}"
    return [*command[:-2], "-m32", "-O0", "-include", HANDLES, *command[-2:]]


def compiler_of(command):
    return [word for word in command[:2] if not word.startswith("-")]


def makes_32_bit_code(compiler, folder):
    probe = folder / "probe.cpp"
    probe.write_text("#include <string>\n#include <unistd.h>\nstd::string text;\n")
    return subprocess.run([*compiler, "-m32", "-c", probe, "-o", folder / "probe.o"], capture_output=True).returncode == 0


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    folder = build / "32-bit"
    folder.mkdir(exist_ok=True)
    commands = dict(commands_of(build))
    if not commands:
        print("no source of the layer in compile_commands.json")
        return 1
    if not makes_32_bit_code(compiler_of(next(iter(commands.values()))), folder):
        print("the compiler makes no 32-bit code (Debian: g++-multilib)")
        return 77

    def compile_one(number, command):
        target = folder / f"{number}.o"
        return subprocess.run(for_32_bit(command, target), cwd=build, capture_output=True, text=True)

    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for source, done in zip(commands, pool.map(compile_one, range(len(commands)), commands.values())):
            if done.returncode != 0:
                failed += 1
                print(f"{source}:\n{done.stderr}")
    print(f"{len(commands)} sources, {failed} of them not for 32 bits")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
