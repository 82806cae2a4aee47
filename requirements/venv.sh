#!/bin/sh
# Makes .venv with a Python from 3.11 on; a version that was tried (up to 3.13) is preferred.
set -eu

fits() { command -v "$1" >/dev/null && "$1" -c "import sys; sys.exit(not $2)" 2>/dev/null; }

if [ -x .venv/bin/python ] && fits .venv/bin/python 'sys.version_info >= (3, 11)'; then
    exit 0
fi
for python in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    if fits "$python" '(3, 11) <= sys.version_info < (3, 14)'; then
        exec "$python" -m venv --clear .venv
    fi
done
for python in ${PYTHON:-python3 python3.14}; do
    if fits "$python" 'sys.version_info >= (3, 14)'; then
        exec "$python" -m venv --clear .venv
    fi
done
echo "Python 3.11 or newer is needed, and python3 is $(python3 --version 2>&1 || echo missing). Install it (Debian: apt-get install python3 python3-venv), or name it: make PYTHON=/path/to/python3" >&2
exit 1
