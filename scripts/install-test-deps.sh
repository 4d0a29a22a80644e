#!/bin/sh
# Installs the programs that the tests drive and that are not written in Go.
#
#   scripts/install-test-deps.sh test          C compiler, OpenSSL, SoftHSM, NSS, 7-Zip, xmllint
#   scripts/install-test-deps.sh conformance   the same, and a JDK, BouncyCastle, MariaDB, Chromium, HTML Tidy,
#                                              poppler and pre-commit
#   scripts/install-test-deps.sh bench         those of the tests, and OpenSSL's PKCS#11 engine
#
# On Debian and Ubuntu it says what is missing and why, and installs that with
# apt-get. Elsewhere it says what to install, and fails if something is missing.
# With everything in place it does nothing, quickly.
set -eu

usage() {
	echo "usage: $0 test|conformance|bench" >&2
	exit 2
}
[ $# -eq 1 ] || usage
conformance=
bench=
case $1 in
test) ;;
conformance) conformance=yes ;;
bench) bench=yes ;;
*) usage ;;
esac

# Servers live in sbin, which is not on everybody's path.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

packages=
# need PROGRAM-OR-WORDS PACKAGE WHY: notes a missing part.
need() {
	echo "missing: $1 ($3)" >&2
	packages="$packages $2"
}
have() { command -v "$1" >/dev/null 2>&1; }

have_compiler() { have cc && echo '#include <stdlib.h>' | cc -E - >/dev/null 2>&1; }
have_softhsm_module() {
	for f in "${SOFTHSM2_MODULE:-}" /usr/lib/softhsm/libsofthsm2.so /usr/lib/*/softhsm/libsofthsm2.so \
		/usr/lib64/softhsm/libsofthsm2.so /usr/lib64/pkcs11/libsofthsm2.so \
		/usr/local/lib/softhsm/libsofthsm2.so /opt/homebrew/lib/softhsm/libsofthsm2.so; do
		[ -f "$f" ] && return 0
	done
	return 1
}
have_softokn() {
	for f in /usr/lib/*/libsoftokn3.so /usr/lib/*/nss/libsoftokn3.so /usr/lib64/libsoftokn3.so; do
		[ -f "$f" ] && return 0
	done
	return 1
}
have_bouncy_castle() {
	for f in bcprov bcpkix bcutil; do
		[ -f "/usr/share/java/$f.jar" ] || return 1
	done
}
# java and javac both answer only where a JDK is: a JRE cannot run a source file.
have_jdk() { have javac && have keytool && java -version >/dev/null 2>&1; }

have_engine() { have openssl && openssl engine pkcs11 >/dev/null 2>&1; }

have_compiler || need "a C compiler with headers" "gcc libc6-dev" "PKCS#11 modules are called through cgo"
have openssl || need openssl openssl "makes certificates that Go cannot, and verifies what we sign"
{ have softhsm2-util && have_softhsm_module; } || need SoftHSM softhsm2 "a PKCS#11 token for each test that needs one"
{ have certutil && have_softokn; } || need NSS "libnss3 libnss3-tools" "a second PKCS#11 module that shares nothing with SoftHSM"
{ have 7zz || have 7z; } || need 7-Zip 7zip "makes the encrypted zip archives that are read"
have xmllint || need xmllint libxml2-utils "holds the JUnit reports to their schema"
if [ -n "$conformance" ]; then
	have_bouncy_castle || need BouncyCastle "libbcprov-java libbcpkix-java libbcutil-java" "makes and verifies CMS as the gateway's Java does"
	have_jdk || need "a JDK, 11 or later" default-jdk-headless "verifies rows as the gateway's Java does"
	{ have mariadbd && have mariadb && have mariadb-install-db; } ||
		need MariaDB "mariadb-server mariadb-client" "imports the exported SQL; the tests start a server of their own"
	have chromium || need Chromium "chromium fonts-dejavu-core" "shows and prints the HTML report"
	have tidy || need "HTML Tidy" tidy "looks for what HTML does not allow"
	{ have pdftotext && have pdfinfo; } || need poppler poppler-utils "reads what Chromium printed"
	{ have pre-commit && have git; } || need pre-commit "pre-commit git" "runs the hook that this repository offers"
fi

if [ -n "$bench" ]; then
	have_engine || need "OpenSSL's PKCS#11 engine" libengine-pkcs11-openssl "signs with a token as openssl does, to compare with"
fi

if [ -z "$packages" ]; then
	exit 0
fi
if ! have apt-get; then
	echo "this is not Debian or Ubuntu: install what is missing with your own package manager; Debian calls it:$packages" >&2
	exit 1
fi
if [ "$(id -u)" -eq 0 ]; then
	as_root=
elif have sudo; then
	as_root=sudo
else
	echo "not root and no sudo: ask for these packages:$packages" >&2
	exit 1
fi

echo "installing with apt-get:$packages" >&2
# env, because sudo drops variables.
apt() { $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q "$@"; }
if ! ls /var/lib/apt/lists/*_Packages* >/dev/null 2>&1; then
	apt update
fi
# shellcheck disable=SC2086 # a list of words
apt install -y --no-install-recommends $packages || {
	apt update # the lists may be older than the packages they name
	apt install -y --no-install-recommends $packages
}
