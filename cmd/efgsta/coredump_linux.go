package main

import "syscall"

// prSetDumpable is PR_SET_DUMPABLE of linux/prctl.h.
const prSetDumpable = 4

// noCoreDump keeps a PIN out of a core file and away from debuggers of the same user.
// The binding and the module hold copies that nobody can erase, so this stays in force.
func noCoreDump() error {
	if err := noCoreFile(); err != nil {
		return err
	}
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, prSetDumpable, 0, 0); errno != 0 {
		return errno
	}
	return nil
}
