//go:build !linux

package main

// noCoreDump keeps a PIN out of a core file where the system has such files.
func noCoreDump() error { return noCoreFile() }
