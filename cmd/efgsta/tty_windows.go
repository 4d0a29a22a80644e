package main

import (
	"os"

	"golang.org/x/term"
)

const ttyDevice = "CONIN$"

// readSilently reads a line without echo.
func readSilently(tty *os.File, prompt func()) ([]byte, error) {
	prompt()
	return term.ReadPassword(int(tty.Fd()))
}
