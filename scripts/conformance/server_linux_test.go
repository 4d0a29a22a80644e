//go:build conformance

package conformance

import (
	"os/exec"
	"syscall"
)

// dieWithTest has the kernel end the server when the test process is killed or
// times out, when nothing of ours runs any more.
func dieWithTest(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
