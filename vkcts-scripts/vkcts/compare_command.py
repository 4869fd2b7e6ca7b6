"""`compare`: two results against each other, with what is known of the driver."""

import pathlib
import sys

from .comparison import compare
from .errors import InputError
from .expectations import read_expectations
from .run_options import Parser
from .store import Result, write_atomically
from .writers import as_csv, as_junit, summary, verdict_line

REGRESSED = 1
EPILOG = "exit status: 0 no regression; 1 regressions; 2 the two cannot be compared, or bad input"


def parser():
    options = Parser(prog="compare", description="Compares two results of run: regressions, fixes, flakes, and the "
                     "groups that prove nothing on this driver.", epilog=EPILOG, allow_abbrev=False)
    options.add_argument("results", metavar="RESULT", nargs="+",
                         help="a folder of run's (its off/ and on/ are compared), or two results, such as A/on B/on")
    options.add_argument("--expectations", metavar="DIR",
                         help="a folder with NAME-fails.txt, NAME-skips.txt, NAME-flakes.txt for --driver NAME")
    options.add_argument("--driver", metavar="NAME")
    options.add_argument("--fails", metavar="FILE", action="append", default=[], help="case,Status a line: no news")
    options.add_argument("--skips", metavar="FILE", action="append", default=[],
                         help="a regular expression a line: cases to leave out")
    options.add_argument("--flakes", metavar="FILE", action="append", default=[],
                         help="a regular expression a line: cases that count as flakes")
    options.add_argument("--partial", action="store_true", help="also of runs that are not complete")
    options.add_argument("--csv", metavar="FILE", help="one line a case")
    options.add_argument("--junit", metavar="FILE")
    options.add_argument("--summary", metavar="FILE", help="the text that is printed")
    options.add_argument("--quiet", action="store_true", help="print the last line only")
    return options


def open_results(paths):
    """Two Results, from two folders or from one with both."""
    if len(paths) == 1:
        folder = pathlib.Path(paths[0])
        if (folder / "result.json").exists():
            raise InputError(f"{folder} is one result: compare needs two, or the folder with off/ and on/")
        return Result.open(folder / "off"), Result.open(folder / "on")
    if len(paths) != 2:
        raise InputError(f"compare takes two results, not {len(paths)}")
    return Result.open(paths[0]), Result.open(paths[1])


def main(arguments):
    try:
        options = parser().parse_args(arguments)
        if (options.expectations is None) != (options.driver is None):
            raise InputError("--expectations and --driver go together")
        known = read_expectations(options.expectations, options.driver, options.fails, options.skips, options.flakes)
        comparison = compare(*open_results(options.results), known, options.partial)
        text = summary(comparison)
        for path, content in ((options.csv, as_csv), (options.junit, as_junit), (options.summary, lambda _: text)):
            if path is not None:
                try:
                    write_atomically(path, content(comparison))
                except OSError as error:
                    raise InputError(f"cannot write {path}: {error.strerror}") from error
    except InputError as error:
        print(f"compare: {error}", file=sys.stderr)
        return error.status
    sys.stdout.write(verdict_line(comparison) + "\n" if options.quiet else text)
    return REGRESSED if comparison.regressions else 0
