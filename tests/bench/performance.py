#!/usr/bin/env python3
"""Writes what `./run bench` measured as a page with tables and plots.

    performance.py PAGE RESULTS FOLDER

PAGE is docs/performance.md: what stands between its two marker lines is replaced. The new page goes to
FOLDER/performance.md, its plots to FOLDER/performance/ (by gnuplot). RESULTS is the list of ./run --json.
"""

import collections
import datetime
import json
import pathlib
import platform
import subprocess
import sys

BEGIN, END = "<!-- figures: written by ./run bench --docs -->", "<!-- end of the figures -->"
LAYERS = ("empty", "fencebridge", "vkbasalt", "mangohud", "mesa_overlay", "validation_idle")
PACKAGES = ("mesa-vulkan-drivers", "libvulkan1", "qemu-system-x86", "linux-image-amd64", "valgrind", "mangohud",
            "vkbasalt", "vulkan-validationlayers")


def number(value):
    if value is None:
        return ""
    if value == 0 or abs(value) >= 1000:
        return f"{value:.0f}"
    return f"{value:.3g}"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows] + [""]


class Figures:
    """What was measured, by name. A guest driver's figures begin with its name."""

    def __init__(self, results):
        self.all = {r["name"]: r for r in results if isinstance(r["value"], (int, float))}

    def value(self, name):
        return self.all[name]["value"] if name in self.all else None

    def text(self, name):
        return number(self.value(name))

    def with_bars(self):
        return [r for r in self.all.values() if r["bar"]]

    def under(self, prefix):
        return {name.removeprefix(prefix): r for name, r in self.all.items() if name.startswith(prefix)}


def version_of(package):
    asked = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True)
    return asked.stdout.strip() if asked.returncode == 0 else None


def machine():
    processor = "unknown processor"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            processor = line.split(":", 1)[1].strip()
    count = sum(line.startswith("processor") for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines())
    versions = [f"{package} {version}" for package in PACKAGES if (version := version_of(package))]
    return [f"Measured on {datetime.date.today().isoformat()}: {count} x {processor}, Linux {platform.release()}; "
            "pass-through and growth on that, with lavapipe; all else in the guest, whose processor QEMU emulates, "
            "with Venus and lavapipe (both draw on the same two cores).", "",
            "Versions: " + "; ".join(versions) + ".", ""]


def bars(figures):
    groups = collections.Counter(r["status"] for r in figures.with_bars())
    lines = ["### Bars", "", f"{groups['pass']} met, {groups['fail']} missed.", ""]
    missed = [r for r in figures.with_bars() if r["status"] == "fail"]
    rows = [[f"`{r['name']}`", number(r["value"]) + " " + (r["unit"] or ""), r["bar"], r["note"] or ""] for r in missed]
    return lines + (["Missed:", ""] + table(["figure", "value", "bar", ""], rows) if rows else [])


def passthrough(figures):
    calls = sorted({name.split("/")[0] for name in figures.under("passthrough/") if name.startswith("vk")})
    lines = ["### Pass-through", "", "Added to a call that hands nothing off, in nanoseconds (median of the differences "
             "to the call without a layer, sample by sample) and, in parentheses, in instructions. \"sharing\": an "
             "application that shares memory, though not in this call.", ""]

    def cell(call, layer):
        infix = "" if layer == "fencebridge" else f"{layer}/"
        ns = figures.text(f"passthrough/{call}/{infix}added_ns")
        count = figures.text(f"passthrough/{call}/{infix}added_instructions")
        return ns + (f" ({count})" if count else "")

    shown = [layer for layer in LAYERS + ("sharing",) if any(cell(call, layer) for call in calls)]
    rows = [[f"`{call}`", figures.text(f"passthrough/{call}/none/ns")] + [cell(call, layer) for layer in shown]
            for call in calls]
    lines += table(["call", "no layer"] + ["fencebridge, sharing" if s == "sharing" else s for s in shown], rows)
    rows = [[name.split("/")[0] if name.count("/") else "fencebridge", number(r["value"])]
            for name, r in figures.under("passthrough/creation/").items() if name.endswith("added_ms")]
    return lines + ["Instance and device, created and destroyed: added milliseconds.", ""] + table(["layer", "ms"], rows)


def handoffs(figures, driver):
    found = figures.under(f"{driver}/handoff/")
    cases = list(dict.fromkeys(name.rsplit("/", 1)[0] for name in found))
    rows = [[case] + [figures.text(f"{driver}/handoff/{case}/{figure}")
                      for figure in ("floor_us", "layer_us", "over_floor", "extra_system_calls", "extra_submits",
                                     "allocations")] for case in cases]
    return table([f"{driver}: what/buffers/state", "floor us", "layer us", "layer over floor", "extra system calls",
                  "extra submits", "allocations"], rows) if rows else []


def plain(figures, title, prefix):
    found = figures.under(prefix)
    rows = [[f"`{name}`", f"{number(r['value'])} {r['unit'] or ''}", r["bar"] or "", r["note"] or ""]
            for name, r in found.items()]
    return [f"### {title}", ""] + table(["figure", "value", "bar", ""], rows) if rows else []


def gnuplot(folder, name, title, script, data):
    (folder / f"{name}.dat").write_text(data)
    program = f"""set terminal svg size 760,380 dynamic font "sans,13" background "#ffffff"
set output '{folder / name}.svg'
set title '{title}'
set grid ytics lc rgb '#dddddd'
set border 3
set tics nomirror
set key left top
{script.replace('DATA', str(folder / (name + '.dat')))}
"""
    subprocess.run(["gnuplot", "-"], input=program, text=True, check=True)
    (folder / f"{name}.dat").unlink()
    return f"![{title}](performance/{name}.svg)"


def bar_plot(folder, name, title, unit, rows, logarithmic=False):
    data = "".join(f'"{label}" {value}\n' for label, value in rows if value is not None)
    script = f"""set style fill solid 0.8
set boxwidth 0.6
set ylabel '{unit}'
set xtics rotate by -20
unset key
{'set logscale y' if logarithmic else 'set yrange [*<0:*]'}
plot 'DATA' using 0:2:xtic(1) with boxes lc rgb '#3465a4', '' using 0:2:(sprintf('%.3g', $2)) with labels offset 0,0.7"""
    return gnuplot(folder, name, title, script, data)


def plots(figures, folder):
    folder.mkdir(parents=True, exist_ok=True)
    layers = [layer for layer in LAYERS if layer != "fencebridge"]
    pages = [bar_plot(folder, "passthrough", "Added to vkQueueSubmit (nothing handed off)", "ns",
                      [("fencebridge", figures.value("passthrough/vkQueueSubmit/added_ns")),
                       ("fencebridge, sharing", figures.value("passthrough/vkQueueSubmit/sharing/added_ns"))] +
                      [(layer, figures.value(f"passthrough/vkQueueSubmit/{layer}/added_ns")) for layer in layers])]
    counts = sorted(int(name.split("/")[0]) for name in figures.under("growth/resources/vkQueueSubmit/")
                    if name.endswith("added_ns"))
    if counts:
        data = "".join(f"{n} {figures.value(f'growth/resources/vkQueueSubmit/{n}/added_ns')}\n" for n in counts)
        pages.append(gnuplot(folder, "growth", "Added to vkQueueSubmit, by tracked resources", """set logscale x
set yrange [0:*]
set ylabel 'ns'
set xlabel 'tracked resources'
plot 'DATA' using 1:2 with linespoints lw 2 lc rgb '#3465a4' notitle""", data))
    for driver, source in (("venus", "fence"), ("lavapipe", "proxy")):
        cases = figures.under(f"{driver}/handoff/release/{source}/")
        sizes = sorted({int(name.split("/")[0]) for name in cases})
        if not sizes:
            continue
        data = "".join(f"{n} " + " ".join(str(cases[f"{n}/{state}/{what}_us"]["value"]) for state in ("pending", "idle")
                                          for what in ("floor", "layer")) + "\n" for n in sizes)
        pages.append(gnuplot(folder, f"release-{driver}", f"A release on {driver}, source {source}",
                             """set logscale x 2
set yrange [0:*]
set ylabel 'us in vkQueueSubmit'
set xlabel 'dma-bufs handed out in one submit'
plot 'DATA' using 1:2 with linespoints lw 2 dt 2 lc rgb '#888888' title 'floor, work pending', \
'' using 1:3 with linespoints lw 2 lc rgb '#3465a4' title 'layer, work pending', \
'' using 1:4 with linespoints lw 1 dt 2 lc rgb '#c0a060' title 'floor, work done', \
'' using 1:5 with linespoints lw 1 lc rgb '#ce5c00' title 'layer, work done'""", data))
    rows = [(f"{driver} {label}", figures.value(f"{driver}/blocked/submit/{way}"))
            for driver in ("venus", "lavapipe") for way, label in (("off", "off"), ("layer", "layer"), ("wait", "CPU wait"))]
    pages.append(bar_plot(folder, "blocked", "vkQueueSubmit blocked, 30 ms of work", "us", rows, logarithmic=True))
    return pages


def main():
    page, results, target = map(pathlib.Path, sys.argv[1:])
    text = page.read_text()
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    figures = Figures(json.loads(results.read_text()))
    lines = machine() + bars(figures)
    for plot in plots(figures, target / "performance"):
        lines += [plot, ""]
    lines += passthrough(figures) + ["### Hand-offs", ""]
    for driver in ("venus", "lavapipe"):
        lines += handoffs(figures, driver)
    for driver in ("venus", "lavapipe"):
        for title, prefix in (("Blocked", "blocked/"), ("Presents", "present/"), ("Whole frames", "frames/")):
            lines += plain(figures, f"{title}, {driver}", f"{driver}/{prefix}")
    lines += plain(figures, "Growth", "growth/") + plain(figures, "Trace", "trace/")
    (target / "performance.md").write_text(before + BEGIN + "\n\n" + "\n".join(lines) + "\n" + END + after)
    return 0


if __name__ == "__main__":
    sys.exit(main())
