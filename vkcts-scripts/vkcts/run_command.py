"""`run`: the groups without the layer and with it, then the comparison."""

import pathlib
import signal
import sys

from . import deqp_runner, driver, guest, own_runner, plan as plans, reruns
from .comparison import compare
from .errors import UNTRUSTED, InputError, RunError
from .expectations import Expectations
from .groups import NO_SESSION
from .own_runner import How, OwnRunner
from .progress import Progress
from .run_options import parse
from .store import only_one, write_atomically
from .writers import as_csv, as_junit, summary

REGRESSED = 1


class Stopped(BaseException):
    """A signal asks us to end."""

    def __init__(self, number):
        super().__init__(number)
        self.status = 128 + number


def _stop(number, _frame):
    raise Stopped(number)


def choose_runner(wanted):
    """deqp-runner's path, or None for our own. InputError where it is asked for and not installed."""
    if wanted == "own":
        return None
    path = deqp_runner.installed()
    if path is None and wanted == "deqp-runner":
        raise InputError("deqp-runner is not installed (or is another program of that name)")
    return path


class Run:
    """One call of `run`."""

    def __init__(self, options, plan, program):
        self.options = options
        self.plan = plan
        self.program = program
        self.how = {side: How(options.deqp_vk, plan.deqp_options, plan.environment(side), options.timeout,
                              options.start_timeout, options.jobs, options.batch, options.keep_logs)
                    for side in plan.sides}

    def all(self, out):
        """Everything that is still to be done. The exit status."""
        results = plans.open_results(out, self.plan)
        try:
            for side, result in results.items():
                own_runner.take_in_what_was_left(result, side, self.plan.groups)
                self._check_driver(side, result)
            self._save_lists(out)
            progress = self._progress(results)
            try:
                self._run_groups(results, progress)
                for result in results.values():
                    result.about["complete"] = True
                    result.save()
                if len(results) == 2 and self.options.rerun:
                    reruns.run(results, self.plan, self.how, self.options.rerun, progress)
            finally:
                progress.end()
            return self._conclude(out, results)
        finally:
            for result in results.values():
                result.close()

    def _check_driver(self, side, result):
        with self.plan.sessions.make(NO_SESSION, result.logs) as session:
            found = driver.identify(result, side, self.how[side], session)
        there = result.about.get("driver")
        if there is not None and there != found:
            raise InputError(f"{result.folder} is of another driver or device: it was {there}, it is {found}")
        result.about["driver"] = found
        result.save()

    def _save_lists(self, out):
        folder = pathlib.Path(out) / "cases"
        folder.mkdir(exist_ok=True)
        for group in self.plan.groups:
            write_atomically(folder / f"{group.slug}.txt", "".join(f"{case}\n" for case in self.plan.cases[group.name]))

    def _progress(self, results):
        total = sum(len(cases) for cases in self.plan.cases.values())
        progress = Progress(total * len(results), sum(len(result.cases()) for result in results.values()))
        runner = "deqp-runner" if self.program else "own runner"
        for group, why in self.plan.left_out.items():
            progress.say(f"left out: {group}: {why}")
        if progress.done:
            progress.say(f"going on with a run that has {progress.text()}")
        progress.say(f"{total} cases of {len(self.plan.groups)} groups, {runner}")
        return progress

    def _run_groups(self, results, progress):
        for group in self.plan.groups:
            for side, result in results.items():
                known = result.cases()
                todo = [case for case in self.plan.cases[group.name] if case not in known]
                if not todo:
                    continue
                progress.part(group.name, side, len(todo))
                with self.plan.sessions.make(group.session, result.logs) as session:
                    if self.program:
                        deqp_runner.DeqpRunner(result, side, group, self.how[side], session, progress,
                                               self.program).run(todo)
                    else:
                        OwnRunner(result, side, group, self.how[side], session, progress).run(todo)

    @staticmethod
    def _conclude(out, results):
        if len(results) < 2:
            for side, result in results.items():
                print(f"layer {side}: {len(result.cases())} cases in {result.folder}; "
                      "compare holds two such folders against each other")
            return 0
        comparison = compare(*results.values(), Expectations())
        text = summary(comparison)
        for name, content in (("summary.txt", text), ("comparison.csv", as_csv(comparison)),
                              ("junit.xml", as_junit(comparison))):
            write_atomically(pathlib.Path(out) / name, content)
        sys.stdout.write(text)
        return REGRESSED if comparison.regressions else 0


def main(arguments):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    out = None
    try:
        options = parse(arguments)
        if options.guest:
            return guest.run(options)
        plan = plans.make_plan(options)
        program = choose_runner(options.runner)
        # Absolute: deqp-vk runs in a folder of its own.
        out = pathlib.Path(options.out).resolve()
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot make the folder {out}: {error.strerror}") from error
        with only_one(out):
            return Run(options, plan, program).all(out)
    except (InputError, RunError) as error:
        print(f"run: {error}", file=sys.stderr)
        return error.status
    except OSError as error:
        print(f"run: {error}; what was recorded stays", file=sys.stderr)
        return UNTRUSTED
    except Stopped as stopped:
        print(f"run: stopped; the same command goes on{f' with what is in {out}' if out else ''}", file=sys.stderr)
        return stopped.status
