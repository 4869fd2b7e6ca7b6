"""Runs of the Vulkan CTS with the layer off and on, and what the two come to: see ../README.md."""
