#!/usr/bin/env bash
# guide_plugin.sh INSTALLED DIR: does what the writer's guide says, word for word and with nothing but an installed package: all its C++
# blocks are one file, all its shell blocks one script, run in the new folder DIR. Leaves DIR/acme.so and DIR/report.
set -euo pipefail
installed=$1 dir=$2
export PATH=$installed/bin:$PATH PKG_CONFIG_PATH=$installed/lib/pkgconfig
guide=$installed/share/doc/aimanager/plugins/plugin_guide.md
[[ -f $guide ]] || guide=$(find "$installed" -name plugin_guide.md)
[[ $(grep -c '^```cpp$' "$guide") -ge 5 && $(grep -c '^```sh$' "$guide") -ge 3 ]]
mkdir "$dir"
cd "$dir"
awk '/^```cpp$/ {on = 1; next} /^```$/ {on = 0} on' "$guide" >acme.cpp
awk '/^```sh$/ {on = 1; next} /^```$/ {on = 0} on' "$guide" >commands.sh
bash -euo pipefail commands.sh >report 2>&1 || {
    cat report >&2
    echo "the guide's commands fail" >&2
    exit 1
}
# `plugin check` understood the answer, and `plugin list` has the plugin.
grep -q '^  pass  answer-is-understood$' report
grep -q '^         acme 1.0.0$' report
