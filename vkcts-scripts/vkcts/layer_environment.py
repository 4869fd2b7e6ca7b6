"""The environment that switches the layer on or off for a deqp-vk process, and makes both visible."""

import os
import pathlib

from .errors import InputError

OFF = "off"
ON = "on"
SIDES = (OFF, ON)
SETTINGS = "VK_FENCEBRIDGE_"


def check_manifest(folder):
    """The absolute path of a folder with the layer's manifest. InputError where there is none."""
    path = pathlib.Path(folder).resolve()
    if not any(path.glob("fencebridge*.json")):
        raise InputError(f"no manifest of the layer in {folder}")
    return path


def layer_settings(environment, chosen):
    """The layer's settings of a run, by variable: the caller's own VK_FENCEBRIDGE_*, and above them the chosen.

    chosen: {variable without the prefix: value or None}. The log level is ours: evidence is read from the log.
    """
    settings = {name: value for name, value in environment.items() if name.startswith(SETTINGS)}
    settings.update({SETTINGS + name: value for name, value in chosen.items() if value is not None})
    settings[SETTINGS + "LOG_LEVEL"] = "info"
    return dict(sorted(settings.items()))


def environment_of(side, settings, manifest, extra=None):
    """The whole environment for one side. extra: {variable: value, or None for "not set"}, e.g. a session's."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    for name in ("ENABLE_FENCEBRIDGE", "DISABLE_FENCEBRIDGE"):
        environment.pop(name, None)
    # The loader's filters could switch the layer on or off on their own.
    for name in ("VK_INSTANCE_LAYERS", "VK_LOADER_LAYERS_ENABLE", "VK_LOADER_LAYERS_DISABLE"):
        if "FENCEBRIDGE" in environment.get(name, ""):
            raise InputError(f"{name} names the layer: run switches it on and off itself")
    environment["VK_LOADER_DEBUG"] = "layer"
    if manifest is not None:
        environment["VK_ADD_IMPLICIT_LAYER_PATH"] = str(manifest)
    if side == ON:
        environment["ENABLE_FENCEBRIDGE"] = "1"
        environment.update(settings)
    else:
        environment["DISABLE_FENCEBRIDGE"] = "1"
    for name, value in (extra or {}).items():
        if value is None:
            environment.pop(name, None)
        else:
            environment[name] = value
    return environment
