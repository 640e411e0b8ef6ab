#!/bin/sh
# Makes docs/two-browsers.png, the picture at the top of README.md, from the evidence of a scenario:
#   picture.sh [ARTIFACTS]    (default: artifacts)
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
shots=${1:-$top/artifacts}/screenshots
step=3-talk-a-conversation
for browser in chromium firefox; do
    [ -f "$shots/$step-$browser.png" ] || {
        echo "picture: $shots has no $step-$browser.png; run the scenario first" >&2
        exit 1
    }
done
# Side by side with a seam between them, in a palette, as a page of text needs few colours.
ffmpeg -v error -y -i "$shots/$step-chromium.png" -i "$shots/$step-firefox.png" -filter_complex "\
[0]scale=960:-1:flags=lanczos,pad=iw+4:ih:0:0:color=0x999999[left];\
[1]scale=960:-1:flags=lanczos[right];\
[left][right]hstack,split[all][again];[again]palettegen=max_colors=128[palette];\
[all][palette]paletteuse=dither=none" "$top/docs/two-browsers.png"
echo "docs/two-browsers.png: $(wc -c <"$top/docs/two-browsers.png") bytes"
