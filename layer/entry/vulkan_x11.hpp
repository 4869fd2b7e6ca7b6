// Vulkan's X11 surfaces, without the macros of Xlib's headers.
#pragma once

#include <vulkan/vulkan_core.h>

#include <xcb/xcb.h>

// Behind what they do not include.
#include <vulkan/vulkan_xcb.h>

// As X11/Xlib.h and X11/X.h have them.
struct _XDisplay;
using Display = _XDisplay;
using Window = unsigned long;
using VisualID = unsigned long;
#include <vulkan/vulkan_xlib.h>
