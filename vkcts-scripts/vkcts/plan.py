"""What a run is to do, before it does anything: the groups, their cases, and what the result says of itself."""

import dataclasses
import json
import os
import pathlib

from . import case_lists, store
from .errors import InputError
from .expectations import read_patterns
from .groups import choose_groups
from .layer_environment import ON, SETTINGS, SIDES, check_manifest, environment_of, layer_settings
from .run_options import settings_of
from .sessions import Sessions

MANIFEST_VARIABLES = ("VK_ADD_IMPLICIT_LAYER_PATH", "VK_IMPLICIT_LAYER_PATH")


@dataclasses.dataclass
class Plan:
    groups: list             # that can run here
    cases: dict              # {group's name: its cases}
    left_out: dict           # {group's name: why it cannot run here}
    sessions: Sessions
    settings: dict           # the layer's, on the side that has it
    manifest: pathlib.Path | None
    deqp_options: list
    sides: tuple
    about: dict              # {side: what its result says of itself}

    def environment(self, side):
        """A function of the session's variables to the whole environment of a process."""
        return lambda extra: environment_of(side, self.settings, self.manifest, extra)


def library_sha256(manifest):
    """The hash of the layer's library, where we know the manifest; None where the system's is used."""
    folders = [manifest] if manifest else [pathlib.Path(folder) for name in MANIFEST_VARIABLES
                                           for folder in os.environ.get(name, "").split(":") if folder]
    for folder in folders:
        for path in sorted(folder.glob("fencebridge*.json")):
            try:
                library = json.loads(path.read_text())["layer"]["library_path"]
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise InputError(f"{path} is no layer's manifest") from error
            if (path.parent / library).is_file():
                return case_lists.file_sha256(path.parent / library)
    return None


def make_plan(options):
    """InputError where something that was asked for is not there. Starts nothing but, without a mustpass, deqp-vk."""
    manifest = check_manifest(options.manifest) if options.manifest else None
    fraction = case_lists.parse_fraction(options.fraction)
    skips = [pattern for path in options.skips for pattern in read_patterns(path)]
    sessions = Sessions(options.compositor, options.x_server)
    chosen = choose_groups(options.group_words)
    left_out = {group.name: why for group in chosen if (why := sessions.missing(group.session))}
    if left_out and "all" not in options.group_words:
        raise InputError("; ".join(f"{name}: {why}" for name, why in left_out.items()))
    groups = [group for group in chosen if group.name not in left_out]
    settings = layer_settings(os.environ, settings_of(options))
    deqp_options = list(options.deqp_options)
    if options.device_id is not None:
        deqp_options.append(f"--deqp-vk-device-id={options.device_id}")

    if options.mustpass is not None:
        everything = case_lists.load_mustpass(options.mustpass)
    else:
        everything = case_lists.ask_deqp_vk([options.deqp_vk, *deqp_options],
                                            environment_of("off", {}, manifest))
    cases = {group.name: case_lists.cases_of_group(group, everything, fraction, skips) for group in groups}
    if not any(cases.values()):
        raise InputError("none of the chosen groups has a case: is it the right mustpass?")
    sides = (options.only,) if options.only else SIDES
    common = {
        "deqp_vk": {"path": options.deqp_vk, "sha256": case_lists.file_sha256(options.deqp_vk)},
        "case_lists": {name: {"cases": len(own), "sha256": case_lists.fingerprint(own)} for name, own in cases.items()},
        "options": {"deqp": deqp_options, "timeout": options.timeout, "fraction": options.fraction,
                    "sessions": sessions.names()},
        "left_out": left_out,
    }
    about = {side: {**common, "side": side, "settings": settings if side == ON else {},
                    "layer_sha256": library_sha256(manifest) if side == ON else None} for side in sides}
    return Plan(groups, cases, left_out, sessions, settings, manifest, deqp_options, sides, about)


def open_results(out, plan):
    """{side: Result to add to}. InputError where the folder has another run in it; then nothing is changed."""
    for side in SIDES:
        path = pathlib.Path(out) / side / "result.json"
        if not path.exists():
            continue
        if side in plan.sides:
            other = differences(store.read_json(path), plan.about[side])
            if other:
                raise InputError(f"{out} has another run in it ({'; '.join(other)}): give another --out")
    return {side: store.Result.go_on(pathlib.Path(out) / side, plan.about[side]) for side in plan.sides}


def differences(there, wanted):
    """In which points a result is not of the run that is wanted, in words."""
    found = []
    if there["deqp_vk"]["sha256"] != wanted["deqp_vk"]["sha256"]:
        found.append("another deqp-vk")
    if there["case_lists"] != wanted["case_lists"]:
        found.append("other cases")
    if there.get("layer_sha256") != wanted["layer_sha256"]:
        found.append("another build of the layer")
    for part in ("options", "settings"):
        for name in sorted({*there[part], *wanted[part]}):
            if there[part].get(name) != wanted[part].get(name):
                plain = name.removeprefix(SETTINGS).lower()
                found.append(f"{plain} was {there[part].get(name)}, is {wanted[part].get(name)}")
    return found
