//go:build conformance && !linux

package conformance

import "os/exec"

func dieWithTest(*exec.Cmd) {}
