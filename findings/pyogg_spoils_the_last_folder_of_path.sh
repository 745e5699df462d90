#!/usr/bin/env bash
# PyOgg 0.6.14a1 (PyPI), CPython 3.11, Linux: `import pyogg` makes the last folder of PATH unreachable, for this process and all that it starts.
#
# Expected: importing a library that binds libogg and libopus leaves the environment alone. Python's own `ctypes.util.find_library`,
# by which PyOgg looks for them, looks for libraries in PATH on Windows alone.
#
# Seen: its loader appends ";" + the working directory + ";" + its own folder to os.environ["PATH"] before it looks for each of
# eight libraries, on every system. Where ":" separates folders, the last one becomes a single folder named "/last;/cwd;/…/pyogg;/cwd;…", which does
# not exist. Programs of that folder are not found any more, without a message: PATH=/usr/bin:/opt/tool/bin loses /opt/tool/bin. What comes
# later is an ordinary FileNotFoundError far from the import. Without PATH in the environment the import does not raise: the KeyError falls
# into a bare `except`, is printed as a traceback eight times, and PyOgg says that no library is there, although libopus is.
#
# Exits 0 if it is so, 1 if it is not, 77 if PyOgg cannot be had here.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --no-deps --target "$work/site" pyogg==0.6.14a1 2>/dev/null || exit 77

mkdir "$work/last"
printf '#!/bin/sh\necho "the tool ran"\n' >"$work/last/tool-of-the-last-folder"
chmod +x "$work/last/tool-of-the-last-folder"

cat >"$work/try.py" <<'PY'
import os
import shutil
import subprocess

name = "tool-of-the-last-folder"
before = os.environ["PATH"]
print("before:", subprocess.run([name], capture_output=True, text=True).stdout.strip())

import pyogg

assert os.environ["PATH"] != before, "PATH is as it was"
added = os.environ["PATH"][len(before) :]
print("added to PATH:", added.count(";"), "semicolons, no colon:", ":" not in added)
print("found:", shutil.which(name))
try:
    subprocess.run([name])
    raise SystemExit("it is found all the same")
except FileNotFoundError as error:
    print("after:", error)
PY
said=$(cd "$work" && PATH="$PATH:$work/last" PYTHONPATH="$work/site" python3 try.py) || { printf '%s\n' "$said"; exit 1; }
printf '%s\n' "$said"
grep -q "^before: the tool ran$" <<<"$said"
grep -q "^found: None$" <<<"$said"

python=$(python3 -c 'import sys; print(sys.executable)')
(cd "$work" && env -u PATH PYTHONPATH="$work/site" "$python" -c 'import pyogg; print(pyogg.PYOGG_OGG_AVAIL, pyogg.PYOGG_OPUS_AVAIL)') \
  >"$work/without" 2>&1 || true
printf 'without PATH: %s times "KeyError: %s", then "%s"\n' "$(grep -c '^KeyError' "$work/without")" "'PATH'" "$(tail -n 1 "$work/without")"
grep -q "^False False$" "$work/without"
