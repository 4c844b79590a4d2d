#!/usr/bin/env bash
# A27: runs the tests of the instrumentation and the catalogue on each Python and Django that we support and this machine offers.
#
#   tests/matrix.sh                 every pair
#   tests/matrix.sh --ends          the oldest and the newest pair of this machine, side by side, for CI
#   tests/matrix.sh 3.12/6.0 ...    these pairs
#   tests/matrix.sh ... -- -k name  what follows -- goes to pytest
#
# Each pair has a virtual environment under .matrix/, made once and again when constraints.txt, pyproject.toml or this script change.
# Exit code 1 when a pair fails, or when there is none to run. Nothing newer than bash 3.2 is used, which macOS has.

set -u
cd "$(dirname "$0")/.." || exit 1

PYTHONS="3.11 3.12 3.13"
DJANGOS="4.2 5.2 6.0 6.1"
FOLDER=.matrix
TESTS="tests/instrumentation tests/catalog"

supports() { # PYTHON DJANGO: whether Django itself supports the pair
    case "$2/$1" in
        4.2/3.13) return 1 ;;
        6.*/3.11) return 1 ;;
        *) return 0 ;;
    esac
}

interpreter() { # PYTHON: prints the path of a working interpreter, or fails
    # A command that is there may still not run: pyenv leaves one on PATH for versions that are not switched on.
    if "python$1" -c '' 2>/dev/null; then
        command -v "python$1"
        return 0
    fi
    for found in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$1".*/bin/python; do
        if "$found" -c '' 2>/dev/null; then
            echo "$found"
            return 0
        fi
    done
    return 1
}

packages() { # INTERPRETER DJANGO: prints what the tests need, a requirement a line: the extra `dev` without what only the gates and boards use
    "$1" - "$2" <<'PYTHON'
import re, sys, tomllib

GATES = re.compile(r"(build|django-stubs|grafana-foundation-sdk|import-linter|mypy|ruff|types-.*)$")
# What the pinned version does not support: another one, or none.
INSTEAD = {"4.2": {"djangorestframework": "djangorestframework==3.16.1", "django-tasks-db": None}, "6.1": {"django-prometheus": None}}

with open("pyproject.toml", "rb") as file:
    extras = tomllib.load(file)["project"]["optional-dependencies"]

def needed(extra):
    for requirement in extras[extra]:
        name, inner = re.match(r"([\w.-]+)(?:\[([\w,-]+)\])?", requirement).groups()
        if name == "otelkit":
            for other in inner.split(","):
                yield from needed(other)
        elif not GATES.match(name):
            yield INSTEAD.get(sys.argv[1], {}).get(name, requirement)

print("\n".join(sorted(set(filter(None, needed("dev"))))))
PYTHON
}

environment() { # INTERPRETER DJANGO PLACE: makes the virtual environment, unless it is as it should be
    wanted="$("$1" -VV) $2 $(cat constraints.txt pyproject.toml tests/matrix.sh | cksum)"
    if [ "$(cat "$3/made-of" 2>/dev/null)" = "$wanted" ]; then
        return 0
    fi
    rm -rf "$3"
    mkdir -p "$3"
    packages "$1" "$2" >"$3/requirements.txt" || return 1
    # The exact versions of our own environment, but for Django and what is chosen with it.
    grep -ivE "^(django$(sed -n 's/^\([A-Za-z0-9_.-]*\)==.*/|\1/p' "$3/requirements.txt" | tr -d '\n'))==" constraints.txt >"$3/constraints.txt"
    "$1" -m venv "$3/venv" &&
        "$3/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
            -c "$3/constraints.txt" "Django~=$2.0" -e . -r "$3/requirements.txt" &&
        echo "$wanted" >"$3/made-of"
}

tests() { # PLACE [PYTEST ARGUMENT ...]
    where=$1
    shift
    # The tests choose their own warnings and settings; what failed is remembered for each pair by itself.
    # shellcheck disable=SC2086  # a list of folders
    "$where/venv/bin/python" -m pytest -q -o "cache_dir=$where/cache" $TESTS "$@"
}

run() { # PYTHON DJANGO [PYTEST ARGUMENT ...]: one line on stdout and in the table; fails where the tests do
    python=$1 django=$2
    shift 2
    pair="Python $python  Django $django"
    place="$FOLDER/py$python-django$django"
    echo "$pair  begins; it takes some minutes"
    if ! environment "$(interpreter "$python")" "$django" "$place" >"$place-setup.txt" 2>&1; then
        outcome="FAILED  its environment could not be made: $(tail -n 1 "$place-setup.txt")"
    else
        tests "$place" "$@" >"$place/output.txt" 2>&1
        code=$?
        said=$(tail -n 1 "$place/output.txt")
        if [ $code -eq 0 ]; then
            outcome="passed  $said"
        # Two pairs side by side start many servers. What fails is tried once more, by itself; what breaks without naming a test is not.
        elif [ $code -eq 1 ] && tests "$place" "$@" --last-failed --last-failed-no-failures none >"$place/again.txt" 2>&1; then
            outcome="passed  $said; what failed passes by itself:"
        else
            outcome="FAILED  $said"
        fi
    fi
    echo "$pair  $outcome"
    echo "$pair  $outcome" >>"$TABLE"
    test -f "$place/output.txt" && grep -E '^(FAILED|ERROR) tests/' "$place/output.txt" | sed 's/^/    /' | head -n 20
    case $outcome in
        passed*) return 0 ;;
    esac
    return 1
}

wanted="" ends=""
while [ $# -gt 0 ]; do
    case $1 in
        --ends) ends=yes ;;
        --) shift && break ;;
        [0-9]*/[0-9]*) wanted="$wanted $1" ;;
        *) echo "matrix.sh does not know $1. It takes --ends, pairs like 3.12/6.0, and -- before what pytest shall get." >&2 && exit 2 ;;
    esac
    shift
done

missing="" pairs=""
for python in $PYTHONS; do
    if ! interpreter "$python" >/dev/null; then
        echo "Python $python is not installed here (no python$python on PATH, none in pyenv), so its pairs are left out."
        missing="$missing $python"
        continue
    fi
    for django in $DJANGOS; do
        supports "$python" "$django" && pairs="$pairs $python/$django"
    done
done
for pair in $wanted; do
    case "$pairs " in
        *" $pair "*) ;;
        *) echo "$pair cannot run here. This machine offers:${pairs:- none}." >&2 && exit 1 ;;
    esac
done
pairs=${wanted:-$pairs}
if [ -z "$pairs" ]; then
    echo "No pair can run here. Install one of Python $PYTHONS." >&2
    exit 1
fi
if [ -n "$ends" ]; then
    # shellcheck disable=SC2086  # a list of pairs
    pairs=$(printf '%s\n' $pairs | sed -n '1p;$p' | uniq)
fi

mkdir -p "$FOLDER"
TABLE="$FOLDER/table.txt"
: >"$TABLE"
failed=0
if [ -n "$ends" ]; then
    running=""
    for pair in $pairs; do
        run "${pair%/*}" "${pair#*/}" "$@" &
        running="$running $!"
    done
    for process in $running; do
        wait "$process" || failed=1
    done
else
    for pair in $pairs; do
        run "${pair%/*}" "${pair#*/}" "$@" || failed=1
    done
fi
echo
cat "$TABLE"
[ -n "$missing" ] && echo "Left out, because not installed: Python$missing"
exit $failed
