// Package conformance drives programs that we did not write (OpenSSL, a JDK, Chromium,
// MariaDB, pre-commit) over what efgsta makes. Its tests have the build tag "conformance"
// and fail where such a program is missing.
package conformance
