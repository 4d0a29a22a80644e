package main

// redirected cannot be told here: a handle that is not open fails when it is read.
func redirected(int) error { return nil }
