#!/bin/sh
# Builds the program for those who check and verify, without cgo and so without
# PKCS#11: a static file per system, and SHA256SUMS.
#
#   scripts/release.sh DIR [OS/ARCH…]
#
# The same commit and the same Go give the same bytes, wherever and by whomever they
# are built. With no OS/ARCH it builds all six.
set -eu

usage() {
	echo "usage: $0 DIR [OS/ARCH…]" >&2
	exit 2
}
[ $# -ge 1 ] || usage
mkdir -p "$1"
out=$(cd "$1" && pwd)
shift
[ $# -gt 0 ] || set -- linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64

cd "$(dirname "$0")/.."
version=$(sed -n 's/^const version = "\(.*\)"$/\1/p' cmd/efgsta/version.go)
[ -n "$version" ] || { echo "cmd/efgsta/version.go has no version" >&2; exit 1; }

vcs=true
if ! changed=$(git status --porcelain 2>/dev/null); then
	echo "no git checkout: the binaries will not name their commit" >&2
	vcs=false
elif [ -n "$changed" ]; then
	echo "the tree has changes that are not committed: the binaries say so (vcs.modified)" >&2
fi

# What is set around us must not show in the bytes.
unset GOEXPERIMENT GOWORK GODEBUG
export CGO_ENABLED=0 GOFLAGS=-mod=readonly GOAMD64=v1 GOARM64=v8.0 GOFIPS140=off GOWORK=off

if command -v sha256sum >/dev/null 2>&1; then sum=sha256sum; else sum="shasum -a 256"; fi
names=
for platform in "$@"; do
	os=${platform%/*} arch=${platform#*/}
	name=efgsta_${version}_${os}_${arch}
	[ "$os" = windows ] && name=$name.exe
	GOOS=$os GOARCH=$arch "${GO:-go}" build -trimpath -buildvcs=$vcs -ldflags '-s -w -buildid=' -o "$out/$name" ./cmd/efgsta
	names="$names $name"
done
cd "$out"
# shellcheck disable=SC2086 # a list of words
$sum $names >SHA256SUMS
cat SHA256SUMS
