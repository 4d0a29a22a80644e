package main

import (
	"io"
	"os"

	"github.com/efgsta/efgsta/pkg/atomicfile"
)

// output is where a report goes: stdout, or the file of -o, which a reader sees as it
// was or as a whole, never half. What is not a regular file (a device, a pipe) is
// written to as it is.
type output struct {
	io.Writer
	commit  func() error
	discard func()
}

func openOutput(a *app, name string) (*output, error) {
	if name == "" {
		return &output{a.out, func() error { return nil }, func() {}}, nil
	}
	const hint = "name a file in a directory that can be written to"
	if st, err := os.Stat(name); err == nil && !st.Mode().IsRegular() {
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return nil, usagef(hint, "-o: %w", err)
		}
		return &output{f, f.Close, func() { f.Close() }}, nil
	}
	p, err := atomicfile.Begin(name, 0o644)
	if err != nil {
		return nil, usagef(hint, "-o: %w", err)
	}
	commit := func() error {
		if err := p.Commit(); err != nil {
			return usagef(hint, "-o: %w", err)
		}
		return nil
	}
	return &output{p, commit, p.Discard}, nil
}
