// Package release holds what scripts/release.sh builds to its promises: static, and
// the same bytes again. Its test has the build tag "release", since it takes a while.
package release
