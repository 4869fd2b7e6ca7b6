#!/usr/bin/env python3
"""function_names.py VULKAN_CORE_H OUTPUT: every function of instances and devices in a header, as
F(name) lines for the recording layer, which so lacks none that the headers have."""

import pathlib
import re
import sys

# Layers make these themselves, all in one way (tests/support/test_layer.cpp).
OWN = {"CreateInstance", "CreateDevice", "GetInstanceProcAddr", "GetDeviceProcAddr"}
FIRST = "VkInstance|VkPhysicalDevice|VkDevice|VkQueue|VkCommandBuffer"

text = pathlib.Path(sys.argv[1]).read_text()
names = re.findall(rf"\(VKAPI_PTR \*PFN_vk(\w+)\)\((?:{FIRST})\s+\w+[,)]", text)
pathlib.Path(sys.argv[2]).write_text("".join(f"F({name})\n" for name in dict.fromkeys(names) if name not in OWN))
