//go:build unix

// Command peak runs a program and prints the most memory that it held, in bytes. It
// is small because that number is never less than the memory of whoever starts the
// program.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

func main() {
	cmd := exec.Command(os.Args[1], os.Args[2:]...)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		fmt.Fprintln(os.Stderr, "the system does not tell")
		os.Exit(1)
	}
	bytes := usage.Maxrss
	if runtime.GOOS != "darwin" {
		bytes *= 1024
	}
	fmt.Println(bytes)
}
