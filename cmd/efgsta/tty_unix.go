//go:build !windows

package main

import (
	"bytes"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

const ttyDevice = "/dev/tty"

// maxLine is what a terminal takes for one line, bytes.
const maxLine = 4096

// readSilently reads a line without echo. What was typed before is thrown away: it was
// shown, and it was no answer to this question. Ctrl-D is the end of input, also behind
// half an answer. The caller erases the line.
func readSilently(tty *os.File, prompt func()) ([]byte, error) {
	fd := int(tty.Fd())
	before, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return nil, err
	}
	silent := *before
	silent.Lflag &^= unix.ECHO
	silent.Lflag |= unix.ICANON | unix.ISIG
	silent.Iflag |= unix.ICRNL
	if err := unix.IoctlSetTermios(fd, setTermiosFlush, &silent); err != nil {
		return nil, err
	}
	defer unix.IoctlSetTermios(fd, setTermios, before)
	prompt()
	buf := make([]byte, maxLine)
	n, err := tty.Read(buf) // gives one line at most
	line, whole := bytes.CutSuffix(buf[:n], []byte("\n"))
	if err == nil && whole {
		return line, nil
	}
	clear(buf)
	if err == nil {
		err = io.EOF
	}
	return nil, err
}
