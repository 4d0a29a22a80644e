//go:build unix

package main

import "syscall"

// noCoreFile sets the size of core files to nothing.
func noCoreFile() error { return syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}) }
