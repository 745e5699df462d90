# Makes the checkout ready to run: sourced by the scripts beside it, from any directory, with any user.
#
#   set_up run    what the program needs
#   set_up test   that, and what its checks and tests need
#
# A virtual environment `.venv` in the checkout, with the exact versions of locks/, made once and again only when those, the
# program's own description in pyproject.toml, or the interpreter change. Nothing outside the checkout is touched, but for Debian packages that are missing, which only root
# installs; each step is said in one line on stderr. Afterwards `$python` is the environment's interpreter and the
# network is not needed any more.

root=$(CDPATH= cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd -P)
venv=$root/.venv
python=$venv/bin/python
stamp=$venv/.set-up-for

say() { printf '%s\n' "set-up: $*" >&2; }

give_up() {
  say "$1"
  [ -z "${2-}" ] || say "  try: $2"
  exit 1
}

# The checkout is on the path whatever the working directory is; the user's own Python settings stay out. Compiled files are kept: without
# them each of the suite's thousands of processes compiles the program anew, half of what it costs to start.
export PYTHONPATH=$root PYTHONNOUSERSITE=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
unset PYTHONHOME PYTHONDONTWRITEBYTECODE PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV VIRTUAL_ENV

# --- Debian packages ---------------------------------------------------------------------------------------------

_apt_lists_fresh=

# Installs what is named, where root has apt. Returns 1, having said why, where that cannot be.
_apt_install() {
  if ! command -v apt-get >/dev/null; then
    say "this system has no apt-get: please install what Debian calls: $*"
    return 1
  fi
  if [ "$(id -u)" -ne 0 ]; then
    say "not root, so these packages are left to an administrator: apt-get install $*"
    return 1
  fi
  say "installing Debian packages: $*"
  local log
  log=$(mktemp) || return 1
  if [ -z "$_apt_lists_fresh" ]; then
    # A mirror of something unrelated may be out of reach; what counts is whether the install below succeeds.
    apt-get update >"$log" 2>&1 || true
    _apt_lists_fresh=yes
  fi
  # Waits for another apt of this machine, such as unattended upgrades on a machine that has just booted.
  if DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    -o DPkg::Lock::Timeout=180 "$@" >>"$log" 2>&1 </dev/null 9>&-; then
    rm -f "$log"
    return 0
  fi
  say "apt-get could not install them; its last lines:"
  tail -n 5 "$log" >&2
  rm -f "$log"
  return 1
}

_header_of_python() { "$1" -c 'import os, sysconfig; print(os.path.join(sysconfig.get_path("include"), "Python.h"))'; }

# What the tests use of the system, one `package test-that-it-is-there` a line.
_test_packages() {
  cat <<'LIST'
libportaudio2 ldconfig -p | grep -q libportaudio
pulseaudio command -v pulseaudio
pulseaudio-utils command -v pactl
libasound2-plugins ls /usr/lib/*/alsa-lib/libasound_module_pcm_pulse.so
pipewire command -v pipewire
pipewire-pulse command -v pipewire-pulse
wireplumber command -v wireplumber
dbus-daemon command -v dbus-daemon
tshark command -v tshark
coturn command -v turnserver
openssh-server test -x /usr/sbin/sshd
openssh-client command -v ssh
nftables command -v nft
iproute2 command -v ip
procps command -v ps
util-linux command -v nsenter
ffmpeg command -v ffprobe
mkvtoolnix command -v mkvmerge
mpv command -v mpv
opus-tools command -v opusdec
tcpdump command -v tcpdump
gstreamer1.0-tools command -v gst-launch-1.0
gstreamer1.0-plugins-base ls /usr/lib/*/gstreamer-1.0/libgstopus.so
gstreamer1.0-plugins-good ls /usr/lib/*/gstreamer-1.0/libgstisomp4.so
gstreamer1.0-plugins-bad ls /usr/lib/*/gstreamer-1.0/libgstpcapparse.so
tmux command -v tmux
zsh command -v zsh
fish command -v fish
man-db command -v man
mandoc command -v mandoc
LIST
}

_install_test_packages() {
  # Debian keeps ldconfig, nft and ip out of an ordinary user's path.
  local PATH=$PATH:/usr/sbin:/sbin package check
  local -a missing=()
  while read -r package check; do
    bash -c "$check" >/dev/null 2>&1 || missing+=("$package")
  done < <(_test_packages)
  # PESQ is compiled when it is installed.
  command -v gcc >/dev/null || missing+=(gcc libc6-dev)
  [ -e "$(_header_of_python "$1")" ] || missing+=("$(_debian_python "$1")-dev")
  [ ${#missing[@]} -eq 0 ] ||
    _apt_install "${missing[@]}" || say "going on without them: tests that need one are skipped and name it"
  # Each by itself: not every Debian-like system has it as a package (Debian 13 has no janus), and the others shall not fail with it.
  local program
  for program in chromium firefox-esr janus; do
    command -v "$program" >/dev/null ||
      _apt_install "$program" || say "going on without $program: the tests that talk to it are skipped"
  done
}

# --- Python ------------------------------------------------------------------------------------------------------

# What Debian calls the interpreter: `python3.11` for any 3.11.
_debian_python() { "$1" -c 'import sys; print("python%d.%d" % sys.version_info[:2])'; }

_find_python() {
  local candidate
  for candidate in ${BLINK_PYTHON:+"$BLINK_PYTHON"} python3 python3.14 python3.13 python3.12 python3.11 python; do
    # The full path of the interpreter itself: a version manager's shim may mean something else in another directory.
    "$candidate" -c 'import sys; sys.version_info >= (3, 11) or sys.exit(1); print(sys.executable)' 2>/dev/null && return
  done
  if _apt_install python3 >&2 && python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    command -v python3
    return
  fi
  return 1
}

_make_venv() {
  local base=$1 debian
  say "making a virtual environment in .venv with $("$base" -V 2>&1)"
  rm -rf -- "$venv"
  # Debian keeps ensurepip, which puts pip into a new environment, in a package of its own.
  if ! "$base" -c 'import ensurepip, venv' 2>/dev/null; then
    debian=$(_debian_python "$base")
    if ! _apt_install "$debian-venv"; then
      # An installed pip of 22.3 or later can work on an environment that has none.
      if "$base" -m venv --without-pip "$venv" 2>/dev/null && "$base" -m pip --python "$python" --version >/dev/null 2>&1; then
        return 0
      fi
      rm -rf -- "$venv"
      give_up "Python's venv module is not complete and there is no pip." "sudo apt-get install $debian-venv"
    fi
  fi
  "$base" -m venv "$venv" >&2 || give_up "the virtual environment could not be made (is the checkout writable?)."
}

_pip() {
  local -a pip=("$python" -m pip)
  # `--without-pip` above: the system's pip works on the environment from outside.
  "$python" -c 'import pip' 2>/dev/null || pip=("$1" -m pip --python "$python")
  shift
  "${pip[@]}" --quiet "$@" </dev/null >&2 9>&-
}

# The packages of a lock, by their hashes, and then the checkout itself. The lock names all that is needed (a test sees to it), so
# nothing is left to resolve, nor to download for building.
_install() {
  local base=$1 purpose=$2 lock status=0
  lock=$(mktemp) || return 1
  cat -- "$root/locks/$purpose.txt" >"$lock"
  if [ "$purpose" = test ] && { ! command -v gcc >/dev/null || [ ! -e "$(_header_of_python "$base")" ]; }; then
    say "no C compiler or no Python headers: going on without pesq; its tests are skipped"
    awk '/^[^ ]/ { left_out = /^pesq==/ } !left_out' "$root/locks/$purpose.txt" >"$lock"
  fi
  _pip "$base" install --require-hashes --no-deps --requirement "$lock" || status=1
  rm -f -- "$lock"
  [ "$status" -eq 0 ] && _pip "$base" install --no-deps --no-build-isolation --editable "$root"
}

# What the environment was made of. A checkout that was moved is set up again: its path is in the environment.
_ingredients() {
  "$python" - "$root" <<'PY'
import hashlib
import pathlib
import sys
import tomllib

root = pathlib.Path(sys.argv[1])
recipe = b"".join((root / name).read_bytes() for name in ("locks/run.txt", "locks/test.txt", "scripts/lib/setup.sh"))
described = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
recipe += repr([described["project"], described["build-system"], described["tool"]["setuptools"]]).encode()
print(hashlib.sha256(recipe).hexdigest(), sys.version.split()[0], root)
PY
}

_is_set_up() {
  local purpose=$1 wanted
  [ -r "$stamp" ] && wanted=$(_ingredients 2>/dev/null) || return 1
  [ "$(cat "$stamp")" = "test $wanted" ] || [ "$(cat "$stamp")" = "$purpose $wanted" ]
}

set_up() {
  local purpose=$1 base started=$SECONDS
  _is_set_up "$purpose" && return 0
  # Two scripts may be started at once in one checkout: the second waits, and finds the work done.
  if command -v flock >/dev/null; then
    exec 9<"${BASH_SOURCE[0]}"
    flock 9
    _is_set_up "$purpose" && exec 9<&- && return 0
  fi
  base=$(_find_python) || give_up "Python 3.11 or later was not found." \
    "apt-get install python3 as root, or BLINK_PYTHON=/path/to/python3.12 $0"
  [ "$purpose" != test ] || _install_test_packages "$base"
  # Also false for an environment whose interpreter was removed, or replaced by one of another version.
  "$python" -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || _make_venv "$base"
  say "installing the pinned Python packages into .venv (once; needs the network)"
  rm -f -- "$stamp"
  _install "$base" "$purpose" || give_up "pip could not install what locks/$purpose.txt names; its message is above." \
    "the same command again, with a working network"
  printf '%s %s\n' "$purpose" "$(_ingredients)" >"$stamp"
  exec 9<&-
  say "done in $((SECONDS - started)) s"
}
