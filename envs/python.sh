#!/bin/sh
# Prints the first Python that the environment can be made with: the one given, or else the
# environment's own and those of the path.
[ $# -gt 0 ] || set -- .venv/bin/python python3.11 python3.12 python3.13 python3.14 python3 python
for python; do
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
    case $version in
    3.11 | 3.12 | 3.13 | 3.14)
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
    echo "Python 3.11, 3.12, 3.13 or 3.14 with its venv module is needed. Found: ${found:-none of $*}."
    echo "Install one (on Debian and Ubuntu with its package for venv, such as python3-venv), or without"
    echo "root by uv or conda. One that is not on the path is named so: make setup PYTHON=/path/to/python3"
} >&2
exit 1
