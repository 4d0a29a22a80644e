//go:build !cgo || !unix

package hsm

// GuardCrashes does nothing here: without cgo there is no module that could crash, and
// Windows ends a process that crashed by itself.
func GuardCrashes(string, int) {}

// Busy is not known here.
func Busy() bool { return false }
