//go:build !windows

package main

const ttyDevice = "/dev/tty"
