# guest-env.sh DRIVER: the environment of every command that runs in the guest (or in the chroot or, with
# the driver `host`, on the machine itself). Sourced, never run.
# shellcheck shell=bash

case $1 in
venus) export VK_DRIVER_FILES=/usr/share/vulkan/icd.d/virtio_icd.json ;;
lavapipe) export VK_DRIVER_FILES=/usr/share/vulkan/icd.d/lvp_icd.json ;;
# The guest's GPU is this machine's llvmpipe: shaders that it found in a cache, compiled for other vectors (below)
# or under valgrind, ended it.
none) export MESA_SHADER_CACHE_DISABLE=true ;;
esac
export FENCEBRIDGE_DRIVER=$1
export FENCEBRIDGE_JOB=${FENCEBRIDGE_JOB:-/job}

# The layer of the build tree, from the manifest there. Whether it is switched on is the caller's choice.
export VK_IMPLICIT_LAYER_PATH=${FENCEBRIDGE_BUILD:-/build/plain}/manifest

# llvmpipe with 256-bit vectors crashes on some emulated CPUs; Mesa's device-select layer crashes in
# front of compositors with version 5 of linux-dmabuf.
export LP_NATIVE_VECTOR_WIDTH=128 NODEVICE_SELECT=1
