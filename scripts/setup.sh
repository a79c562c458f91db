# Sourced by the other scripts: makes .venv beside the checkout and brings it to the pins of the file named.
# Sets $python. Says what is missing, and installs it where it may (root on Debian).

setup() { # REQUIREMENTS
  root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
  cd "$root" || exit 1
  python=$root/.venv/bin/python
  local pins=$1 base stamp
  stamp=$(cat "$pins" pyproject.toml | sha256sum | cut -c1-16)
  if [ -x "$python" ] && [ -e ".venv/pins-$stamp" ]; then return; fi
  base=$(find_python)
  if ! [ -x "$python" ]; then
    echo "Making .venv with $("$base" --version) …" >&2
    if ! "$base" -m venv .venv 2>/dev/null; then
      rm -rf .venv
      install_debian python3-venv
      "$base" -m venv .venv
    fi
  fi
  echo "Installing the pinned packages of $pins …" >&2
  "$python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$pins"
  "$python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
  rm -f .venv/pins-*
  touch ".venv/pins-$stamp"
}

find_python() {
  local name
  for name in python3.11 python3.12 python3.13 python3.14 python3; do
    if command -v "$name" >/dev/null && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
      echo "$name"
      return
    fi
  done
  install_debian python3 python3-venv
  if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "Ryzen needs Python 3.11 or newer; this machine has $(python3 --version 2>&1). Install it, then run this again." >&2
    exit 1
  fi
  echo python3
}

install_debian() { # PACKAGES...
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing $* …" >&2
    apt-get update -qq >&2 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >&2
  else
    echo "Please install: $* (Debian's names), then run this again." >&2
    exit 1
  fi
}
