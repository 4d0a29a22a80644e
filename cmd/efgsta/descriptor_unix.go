//go:build !windows

package main

import (
	"errors"

	"golang.org/x/sys/unix"
)

// redirected refuses a descriptor that nobody handed to this process: what it opened
// itself, the Go runtime included, is closed on exec, and no redirection is.
func redirected(fd int) error {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	if err != nil {
		return errors.New("it is not open")
	}
	if flags&unix.FD_CLOEXEC != 0 {
		return errors.New("it is not redirected")
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFIFO, unix.S_IFREG, unix.S_IFSOCK, unix.S_IFCHR:
		return nil
	}
	return errors.New("it is neither a file nor a pipe, socket or terminal")
}
