#!/bin/sh
# Installs presque, or removes it. It copies the files of this folder's bin/ and share/ to the same folders of a prefix, and
# changes nothing else.
set -eu
# What is installed is for all users, as it was packed.
umask 022

usage() {
    cat <<'END'
Usage: ./install.sh [--prefix DIR] [--uninstall]

  --prefix DIR   where to: DIR/bin/presque, DIR/share/...
                 [default: /usr/local for root, ~/.local for others]
  --uninstall    remove what this version has installed there; jobs and other data stay
END
}

fail() {
    echo "error: $1" >&2
    exit 1
}

prefix=
action=install
while [ $# -gt 0 ]; do
    case $1 in
        --prefix)
            [ $# -ge 2 ] || fail "--prefix needs a folder"
            prefix=$2
            shift
            ;;
        --prefix=*) prefix=${1#--prefix=} ;;
        --uninstall) action=uninstall ;;
        -h | --help)
            usage
            exit 0
            ;;
        *)
            usage >&2
            fail "unknown argument: $1"
            ;;
    esac
    shift
done
if [ -z "$prefix" ]; then
    if [ "$(id -u)" = 0 ]; then
        prefix=/usr/local
    else
        prefix=${HOME:?HOME is not set: give --prefix}/.local
    fi
fi

# The prefix is meant from where the user stands.
case $prefix in
    /*) ;;
    *) prefix=$PWD/$prefix ;;
esac
cd "$(dirname "$0")"
[ -f SHA256SUMS ] || fail "SHA256SUMS is missing here: unpack the whole archive"

# What is installed: a path a line.
files() {
    sed -n -e 's|^[0-9a-f]*  \(bin/.*\)$|\1|p' -e 's|^[0-9a-f]*  \(share/.*\)$|\1|p' SHA256SUMS
}

install_files() {
    # macOS has the second one.
    if command -v sha256sum >/dev/null; then
        sha256sum -c SHA256SUMS >/dev/null || fail "the files here are not those of the package: unpack it anew"
    elif command -v shasum >/dev/null; then
        shasum -a 256 -c SHA256SUMS >/dev/null || fail "the files here are not those of the package: unpack it anew"
    fi
    files | while read -r file; do
        mkdir -p "$prefix/$(dirname "$file")"
        # Under another name first: a program that runs cannot be written to, but it can be replaced.
        cp "$file" "$prefix/$file.new"
        case $file in
            bin/* | *.sh) chmod 755 "$prefix/$file.new" ;;
            *) chmod 644 "$prefix/$file.new" ;;
        esac
        mv -f "$prefix/$file.new" "$prefix/$file"
    done
    echo "Installed $("$prefix/bin/presque" --version) in $prefix"
    case :$PATH: in
        *":$prefix/bin:"*) ;;
        *) echo "$prefix/bin is not in the PATH: add it, or call $prefix/bin/presque" ;;
    esac
    if ! command -v redis-server >/dev/null && ! command -v valkey-server >/dev/null; then
        echo "presque up needs redis-server or valkey-server on the PATH, or the address of a Redis: --redis-url"
    fi
}

uninstall_files() {
    files | while read -r file; do
        rm -f "$prefix/$file"
    done
    # Other folders may be of others.
    for folder in share/presque/components share/presque share/doc/presque; do
        if [ -d "$prefix/$folder" ]; then
            rmdir "$prefix/$folder" 2>/dev/null || echo "$prefix/$folder has other files, and stays"
        fi
    done
    echo "Removed presque from $prefix"
}

"${action}_files"
