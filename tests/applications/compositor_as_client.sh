#!/bin/bash
# compositor_as_client.sh PICTURE: weston with its Vulkan renderer, headless, in which a client shows a window
# that stands still, from shared memory: headless, weston takes no dma-bufs. The layers of the caller's environment are
# the compositor's alone. PICTURE is what it shows in the end.
set -euo pipefail

picture=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export XDG_RUNTIME_DIR=$folder

cat >"$folder/session" <<END
#!/bin/bash
# What runs inside: until six pictures are the same, and not the first one.
unset ENABLE_FENCEBRIDGE VK_INSTANCE_LAYERS VK_LOADER_DEBUG
photograph() {
    (cd "$folder/shot" && weston-screenshooter && mv -- * "\$1")
}
mkdir "$folder/shot"
photograph "$folder/empty.png"
GSK_RENDERER=cairo GDK_BACKEND=wayland gtk4-demo --run=links &
client=\$!
cp "$folder/empty.png" "$folder/last.png"
same=0
for ((tries = 0; same < 6 && tries < 150; ++tries)); do
    sleep 0.5
    photograph "$folder/now.png"
    if cmp -s "$folder/now.png" "$folder/last.png" && ! cmp -s "$folder/now.png" "$folder/empty.png"; then
        same=\$((same + 1))
    else
        same=0
    fi
    mv "$folder/now.png" "$folder/last.png"
done
((same < 6)) || cp "$folder/last.png" "$picture"
kill \$client
wait \$client
END
chmod +x "$folder/session"

cat >"$folder/weston.ini" <<END
[shell]
background-color=0xff204060
[autolaunch]
path=$folder/session
watch=true
END
weston --config="$folder/weston.ini" --backend=headless --renderer=vulkan --width=640 --height=480 \
    --shell=kiosk-shell.so --idle-time=0 --debug --fake-seat --socket=inner
