package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/efgsta/efgsta/pkg/cert"
)

// source is one file that a command line names, or that a walk finds.
type source struct {
	name   string
	walked bool   // found in a directory: it is skipped if it holds nothing known
	once   bool   // cannot be read again: the standard input, a pipe
	unread string // why a walk cannot read it; "" if it can
	lost   error  // why a path of the command line cannot be read; nil if it can
}

// sources lists what paths stand for: files as they are named, directories walked in
// lexical order. Walked files that are none are counted in skipped, unless their name
// says that they are certificates.
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
			err = yield(source{name: path, lost: usagef(hintPath, "%w", err)})
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
		switch {
		case err != nil && path == dir:
			return yield(source{name: filepath.Clean(dir), lost: usagef(hintPath, "%w", err)})
		case err != nil:
			return yield(source{name: path, walked: true, unread: because(err)})
		case d.IsDir():
			return nil
		}
		st, err := os.Stat(path) // of what a link points to
		s := source{name: path, walked: true}
		switch {
		case err != nil:
			s.unread = because(err)
		case !st.Mode().IsRegular():
			s.unread = "it is neither a file nor a directory"
		case st.Size() > cert.MaxFile:
			s.unread = fmt.Sprintf("too large: it has %d bytes, at most %d are read", st.Size(), cert.MaxFile)
			return yield(s)
		}
		if s.unread != "" && d.Type() != 0 && !claims(path) {
			*skipped++ // a link that leads nowhere or to a directory, a device, a pipe
			return nil
		}
		return yield(s)
	})
}

// because is what the system says, without the path, which stands before it in a report.
func because(err error) string {
	var where *fs.PathError
	if errors.As(err, &where) {
		err = where.Err
	}
	return "it cannot be read: " + err.Error()
}

// claims reports whether the name of a file says that it is a certificate, or what one is sent in.
func claims(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".pem", ".crt", ".cer", ".der", ".p7b", ".p7c", ".p12", ".pfx", ".csr":
		return true
	}
	return false
}

// read reads a file, a pipe too, up to a little more than pkg/cert looks at. size is
// what it costs to keep the input, in bytes of the file.
func (s source) read(a *app, o cert.Options) (in *cert.Input, size int, err error) {
	switch {
	case s.lost != nil:
		return nil, 0, s.lost
	case s.unread != "":
		return unreadable(s.name, s.unread), 0, nil
	}
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
