package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/creack/pty"
)

// typed is a program for sessions: "typed TEXT PROGRAM…" runs a program on a terminal
// of its own and types TEXT there once it asks. Results and remarks go where they
// always go; the exit code is the program's.
func typed() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: typed TEXT PROGRAM…")
		os.Exit(2)
	}
	c := exec.Command(os.Args[2], os.Args[3:]...)
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	control, err := pty.Start(c)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	go func() {
		var screen strings.Builder
		for b := make([]byte, 1); ; {
			if _, err := io.ReadFull(control, b); err != nil {
				return
			}
			if screen.Write(b); strings.HasSuffix(screen.String(), "words: ") {
				fmt.Fprintln(control, os.Args[1])
			}
		}
	}()
	err = c.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		os.Exit(exit.ExitCode())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}
