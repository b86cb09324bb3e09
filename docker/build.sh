#!/usr/bin/env bash
# Builds what the image runs into a virtual environment; the Dockerfile and the tests run the same steps.
#
#   docker/build.sh /opt/vipcare        PYTHON=python3.12 for another Python
#
# 1. hatchling, from docker/build.lock, in an environment that is thrown away;
# 2. our wheel, with it and without a network;
# 3. the target: what runs, from docker/runtime.lock, wheels only, each with its hash; no pip;
# 4. our wheel on top; compiled, and tried once.
set -euo pipefail

if (($# != 1)); then
  echo "usage: docker/build.sh TARGET" >&2
  exit 2
fi
source=$(cd "$(dirname "$0")/.." && pwd)
target=$1
if [[ -e $target ]] && [[ -n $(ls -A "$target") ]]; then
  echo "docker/build.sh: $target is there already: remove it, or name another" >&2
  exit 2
fi
python=${PYTHON:-python3}
"$python" - <<'PY'
import sys
v = sys.version_info[:2]
sys.exit(0 if v >= (3, 11) else "vipcare needs Python 3.11 or newer, this is %d.%d: set PYTHON" % v)
PY

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
pip=("$work/maker/bin/python" -m pip --quiet --disable-pip-version-check)
hashed=(--require-hashes --only-binary ":all:" --no-deps)

echo "the tools that build"
"$python" -m venv "$work/maker"
"${pip[@]}" install "${hashed[@]}" --requirement "$source/docker/build.lock"

echo "vipcare's wheel"
"${pip[@]}" wheel --no-deps --no-build-isolation --wheel-dir "$work" "$source"

echo "what it needs"
"$python" -m venv --without-pip "$target"
"${pip[@]}" --python "$target/bin/python" install "${hashed[@]}" \
  --no-compile --requirement "$source/docker/runtime.lock"
"${pip[@]}" --python "$target/bin/python" install --no-deps --no-index --no-compile "$work"/*.whl

echo "compiled, and tried once"
"$target/bin/python" -m compileall -q -j 0 "$target"
install -m 755 "$source/docker/healthcheck.py" "$target/bin/healthcheck"
"$target/bin/vipcare" --version
