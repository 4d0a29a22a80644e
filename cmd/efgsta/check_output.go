package main

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"

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

// notInput refuses a -o that would put the report in the place of something that this
// run reads. A directory stands for every file in it.
func (f *checkFlags) notInput(run *checkRun) error {
	out, err := os.Stat(f.out)
	if f.out == "" || err != nil || !out.Mode().IsRegular() {
		return nil
	}
	same := func(name string) bool {
		st, err := os.Stat(name)
		return err == nil && os.SameFile(out, st)
	}
	refuse := func(what, name string) error {
		return usagef("name another file", "-o %s is %s %s: the report would take its place", f.out, what, name)
	}
	for i := range run.files {
		name := run.files[i].name
		if in, ok := run.app.in.(*os.File); ok && name == "-" {
			if st, err := in.Stat(); err == nil && os.SameFile(out, st) {
				return refuse("the", "standard input")
			}
		}
		if same(name) {
			return refuse("also the input", name)
		}
	}
	for _, flag := range f.files() {
		for _, name := range flag.names {
			err := filepath.WalkDir(name, func(path string, d fs.DirEntry, err error) error {
				if err == nil && !d.IsDir() && same(path) {
					return refuse("also "+flag.name, path)
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// readBy is what a flag names for reading.
type readBy struct {
	name  string
	names []string
}

func (f *checkFlags) files() []readBy {
	return []readBy{
		{"--policy", []string{f.policy}}, {"--waivers", []string{f.waivers}}, {"--password-file", []string{f.password.file}},
		{"--roots", []string{f.evidence.roots}}, {"--crl", f.evidence.crls}, {"--ocsp", f.evidence.ocsp},
		{"--with", f.known.with}, {"--other-environment", f.known.environments}, {"--blocklist", f.known.blocklists},
		{"--zlint", []string{f.zlint.name}},
	}
}
