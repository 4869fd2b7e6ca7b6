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

# What a 32-bit build has instead: no time for the optimiser and no -Wshadow, with which the 64-bit build is done; and
# the handles' types before all else (meson.build).
LEFT_OUT = {"-flto=auto", "-flto", "-O2", "-O3", "-g", "-g1", "-Wshadow"}
HANDLES = "vulkan_handles.hpp"


def folders_of(build):
    """Of each folder in layer/, its C++ sources and the command of one of them."""
    folders = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        source = (build / entry["file"]).resolve()
        if "layer" in source.parts and source.suffix == ".cpp":
            sources, _ = folders.setdefault(source.parent, ([], shlex.split(entry["command"])))
            sources.append(source)
    return folders


def for_32_bit(command, source, target):
    """The command for another source: its last word is the old one's."""
    command = [word for word in command if word not in LEFT_OUT]
    for option in ("-o", "-MF", "-MQ"):
        if option in command:
            command[command.index(option) + 1] = f"{target}{'.d' if option == '-MF' else ''}"
    return [*command[:-1], source, "-m32", "-O0", "-include", HANDLES]


def compiler_of(command):
    return [word for word in command[:2] if not word.startswith("-")]


def makes_32_bit_code(compiler, folder):
    probe = folder / "probe.cpp"
    probe.write_text("#include <string>\n#include <unistd.h>\nstd::string text;\n")
    return subprocess.run([*compiler, "-m32", "-c", probe, "-o", folder / "probe.o"], capture_output=True).returncode == 0


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    work = build / "32-bit"
    work.mkdir(exist_ok=True)
    folders = folders_of(build)
    if not folders:
        print("no source of the layer in compile_commands.json")
        return 1
    if not makes_32_bit_code(compiler_of(next(iter(folders.values()))[1]), work):
        print("the compiler makes no 32-bit code (Debian: g++-multilib)")
        return 77

    def compile_folder(folder, sources, command):
        # As one source: nine tenths of the time are the headers'.
        whole = work / f"{'-'.join(folder.parts[folder.parts.index('layer'):])}.cpp"
        text = "".join(f'#include "{source}"\n' for source in sorted(sources))
        if not whole.exists() or whole.read_text() != text:
            whole.write_text(text)
        done = subprocess.run(
            for_32_bit(command, whole, whole.with_suffix(".o")), cwd=build, capture_output=True, text=True)
        return done.returncode, done.stderr

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda item: compile_folder(item[0], *item[1]), folders.items()))
    failed = [said for status, said in results if status != 0]
    print(*failed, sep="\n")
    count = sum(len(sources) for sources, _ in folders.values())
    print(f"{count} sources in {len(folders)} folders, {len(failed)} of them not for 32 bits")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
