#!/bin/sh
# Prints the first Python that the environment can be made with: the one given, or else the
# environment's own and those of the path.
[ $# -gt 0 ] || set -- .venv/bin/python python3.11 python3.12 python3.13 python3 python
for python; do
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
    case $version in
    3.11 | 3.12 | 3.13)
        if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
            echo "$python"
            exit
        fi
        version="$version without its venv module"
        ;;
    esac
    found="$found${found:+, }$python is Python $version"
done
{
    echo "Python 3.11, 3.12 or 3.13 with its venv module is needed. Found: ${found:-none of $*}."
    echo "Install one of them, or name one that is not on the path: make PYTHON=/path/to/python3."
    echo "Debian and Ubuntu keep the module in a package of its own: apt-get install python3-venv."
} >&2
exit 1
