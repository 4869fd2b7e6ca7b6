#!/usr/bin/env python3
"""Merges what the tests of the plans left behind into one list, and says what it comes to.

Reads JOB/plan-*.tsv (what should have run), JOB/finished.tsv (what ended, and how) and JOB/results/*.jsonl
(what the programs said of their cases); writes JOB/results.json. A case that began and did not end, and a
test that was to run and did not, are failures: silence is never a pass. Nor is a skip without a reason. A case
that failed beside other tests and passed alone (see run-plan.sh) is named as unsteady.
"""

import argparse
import json
import pathlib
import signal
import sys

SKIP_STATUS = 77
STATUSES = ("pass", "fail", "skip")
UNSTEADY = "failed beside other tests, passed alone"


def entry(suite, name, status, note="", value=None, unit=None, bar=None):
    return {"suite": suite, "name": name, "status": status, "value": value, "unit": unit, "bar": bar, "note": note}


def how_it_ended(status, limit):
    if status == 124:
        return f"timed out after {limit} s"
    if status == 99:
        return "a sanitizer's report, see the log"
    if 128 < status < 160:
        return f"killed by {signal.Signals(status - 128).name}"
    return f"exit status {status}"


def read_events(path):
    """The program's JSON lines. One that cannot be read was cut off when its writer died."""
    events = []
    if path.exists():
        for line in path.read_text(errors="replace").splitlines():
            try:
                events.append(json.loads(line))
            except ValueError:
                events.append({"event": "start", "name": "a line cut off in the results"})
    return events


def entries_of_events(suite, prefix, events, ending):
    begun = {}
    for event in events:
        name = event.get("name", "?")
        kind = event.get("event")
        if kind == "start":
            begun[name] = None
            continue
        if kind == "end":
            begun.pop(name, None)
        status = event.get("status")
        yield entry(suite, prefix + name, status if status in STATUSES else "fail", event.get("note") or "",
                    event.get("value"), event.get("unit"), event.get("bar"))
    for name in begun:
        yield entry(suite, prefix + name, "fail", f"did not end: {ending}")


def entries_of_test(job, row, finished, missing_note):
    suite, name, prefix, limit, *_ = row
    prefix = "" if prefix == "-" else prefix
    slug = name.replace("/", "--")
    events = read_events(job / "results" / f"{slug}.jsonl")
    if slug not in finished:
        yield from entries_of_events(suite, prefix, events, missing_note)
        if not any(event.get("event") == "start" for event in events):
            yield entry(suite, name, "fail", f"did not run: {missing_note}")
        return
    first = read_events(job / "results" / f"{slug}.first.jsonl")
    failed_first = {case["name"]: case["note"]
                    for case in entries_of_events(suite, "", first, "it was stopped at its time limit")
                    if case["status"] == "fail"}
    status, remark = finished[slug]
    if status == "skip":
        yield entry(suite, name, "skip", remark)
        return
    status = int(status)
    ending = how_it_ended(status, limit)
    if events:
        entries = list(entries_of_events(suite, prefix, events, ending))
        for case in entries:
            note = failed_first.get(case["name"].removeprefix(prefix))
            if note is not None and case["status"] == "pass":
                case["note"] = f"{UNSTEADY}: {note}"
            elif note is not None and case["status"] == "skip":
                case.update(status="fail", note=f"failed first, then skipped: {note}")
        yield from entries
        if status not in (0, SKIP_STATUS) and not any(e["status"] == "fail" for e in entries):
            yield entry(suite, name, "fail", f"no case failed, but: {ending}")
        return
    lines = (job / "logs" / f"{slug}.log").read_text(errors="replace").strip().splitlines()
    last = lines[-1].strip() if lines else ""
    if status == 0:
        yield entry(suite, name, "pass")
    elif status == SKIP_STATUS:
        yield entry(suite, name, "skip", last)
    else:
        yield entry(suite, name, "fail", ending + (f": {last}" if last else ""))


def collect(job, missing_note):
    finished = {}
    if (job / "finished.tsv").exists():
        for line in (job / "finished.tsv").read_text().splitlines():
            slug, status, remark = line.split("\t", 2)
            finished[slug] = (status, remark)
    results = []
    for plan in sorted(job.glob("plan-*.tsv")):
        for line in plan.read_text().splitlines():
            results += entries_of_test(job, line.split("\t"), finished, missing_note)
    for result in results:
        if result["status"] == "skip" and not result["note"].strip():
            result.update(status="fail", note="skipped without saying what the machine lacks")
    return results


def show_values(results):
    rows = [("", "", "value", "unit", "bar")] + [
        (r["status"], r["name"], f"{r['value']:g}" if isinstance(r["value"], (int, float)) else str(r["value"]),
         r["unit"] or "", "" if r["bar"] is None else str(r["bar"])) for r in results if r["value"] is not None]
    if len(rows) == 1:
        return
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for row in rows:
        print(f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]:>{widths[2]}} {row[3]:<{widths[3]}}  {row[4]}".rstrip())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("job", type=pathlib.Path)
    parser.add_argument("--missing", default="the run ended before it", help="why a test of the plan did not run")
    parser.add_argument("--values", action="store_true", help="a table of the measured values")
    parser.add_argument("--quiet", action="store_true", help="only write the list")
    options = parser.parse_args()

    results = collect(options.job, options.missing)
    (options.job / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    count = {status: sum(r["status"] == status for r in results) for status in STATUSES}
    if not options.quiet:
        if options.values:
            show_values(results)
        for status, title in (("skip", "skipped"), ("fail", "failed")):
            for r in results:
                if r["status"] == status:
                    print(f"{title}: {r['suite']}: {r['name']}: {r['note']}")
        for r in results:
            if r["note"].startswith(UNSTEADY):
                print(f"unsteady: {r['suite']}: {r['name']}: {r['note']}")
        if not results:
            print("no tests ran")
        print(f"{count['pass']} passed, {count['fail']} failed, {count['skip']} skipped")
    return 1 if count["fail"] or not results else 0


if __name__ == "__main__":
    sys.exit(main())
