package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/efgsta/efgsta/pkg/cert"
)

// source is one file that a command line names, or that a walk finds.
type source struct {
	name   string
	walked bool // found in a directory: it is skipped if it holds nothing known
	once   bool // cannot be read again: the standard input, a pipe
}

// sources lists what paths stand for: files as they are named, directories walked in
// lexical order. Walked files that are none, or too large, are counted in skipped.
func sources(paths []string, skipped *int, yield func(source) error) error {
	stdin := false
	for _, path := range paths {
		if path == "-" {
			if stdin {
				return usagef("name it once", "- is there twice: the standard input can be read once")
			}
			stdin = true
			if err := yield(source{name: path, once: true}); err != nil {
				return err
			}
			continue
		}
		st, err := os.Stat(path)
		switch {
		case err != nil:
			return usagef(hintPath, "%w", err)
		case st.IsDir():
			// With the separator also a link to a directory is walked.
			err = walk(path+string(filepath.Separator), skipped, yield)
		default:
			err = yield(source{name: path, once: !st.Mode().IsRegular()})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func walk(dir string, skipped *int, yield func(source) error) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return usagef(hintPath, "%w", err)
		}
		if d.IsDir() {
			return nil
		}
		st, err := os.Stat(path) // of what a link points to
		switch {
		case err != nil && d.Type()&fs.ModeSymlink != 0, err == nil && (!st.Mode().IsRegular() || st.Size() > cert.MaxFile):
			*skipped++
			return nil
		case err != nil:
			return usagef(hintPath, "%w", err)
		}
		return yield(source{name: path, walked: true})
	})
}

// read reads a file, a pipe too, up to a little more than pkg/cert looks at. size is
// what it costs to keep the input, in bytes of the file.
func (s source) read(a *app, o cert.Options) (in *cert.Input, size int, err error) {
	var r io.Reader = a.in
	if s.name != "-" {
		f, err := os.Open(s.name)
		if err != nil {
			return nil, 0, usagef(hintPath, "%w", err)
		}
		defer f.Close()
		r = f
	}
	data, err := io.ReadAll(io.LimitReader(r, cert.MaxFile+1))
	if err != nil {
		if s.name == "-" {
			err = fmt.Errorf("standard input: %w", err)
		}
		return nil, 0, usagef(hintPath, "%w", err)
	}
	return cert.Open(s.name, data, o), len(data), nil
}

// nothing: neither a marker, nor DER, nor a container that is known.
func nothing(in *cert.Input) bool {
	if len(in.Items) > 0 || in.Kind != "" || in.PrivateKey {
		return false
	}
	for _, p := range in.Problems {
		if p.Kind != cert.ProblemNoCertificate {
			return false
		}
	}
	return true
}
