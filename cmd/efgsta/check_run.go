package main

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/report"
	"github.com/efgsta/efgsta/pkg/vet"
)

// keptBytes is how much of the files, together, stays in memory between the two
// passes of a check; the first one stays in any case. What is beyond it is read
// again, so that memory does not grow with the number of files, and a short run
// reads each file once.
const keptBytes = 256 << 10

// checkRun vets files in two passes. A key that two certificates share must be a
// finding of both, also of the one that comes first: so the first pass reads every
// file and notes what certificates are compared by, and the second vets each and
// writes its verdict, in the order of the command line.
type checkRun struct {
	app      *app
	engine   *vet.Engine
	req      vet.Request // what every certificate is asked
	options  cert.Options
	jobs     int
	progress *progress

	files   []file
	kept    int // bytes
	skipped int
	lost    []error // of paths of the command line that cannot be read
	keys    others
}

// file is what the second pass needs of one that the first has read.
type file struct {
	source
	sha256 cert.Thumbprint
	input  *cert.Input // nil: it is to be read again
}

// scanned is what the first pass reads.
type scanned struct {
	source
	input *cert.Input
	size  int
	err   error
}

// gather is the first pass. What cannot be read gets a verdict as well (EFGS-001), so
// that one such file does not cost the others theirs.
func (r *checkRun) gather(ctx context.Context, paths []string) error {
	unfit := 0
	list := func(yield func(source) error) error { return sources(paths, &unfit, yield) }
	err := inOrder(ctx, r.jobs, list, r.scan, func(s scanned) error {
		switch {
		case s.err != nil:
			if !s.walked {
				r.lost = append(r.lost, s.err)
			}
			s.unread, s.lost = because(s.err), nil
			s.input = unreadable(s.name, s.unread)
		case s.walked && nothing(s.input) && !claims(s.name):
			r.skipped++
			return nil
		}
		f := file{source: s.source, sha256: s.input.SHA256}
		r.keys.add(s.input, r.req)
		if s.once || len(r.files) == 0 || r.kept+s.size <= keptBytes {
			r.kept += s.size
			f.input = s.input
		}
		r.files = append(r.files, f)
		r.progress.show("reading: %d files", len(r.files))
		return nil
	})
	r.skipped += unfit
	r.progress.clear()
	return err
}

// unread is the mistake of a command line that names what cannot be read; nil if it does not.
func (r *checkRun) unread() error {
	if n := len(r.lost); n > 1 {
		return usagef(hintOf(r.lost[0]), "%w (and %s more that cannot be read)", r.lost[0], plural(n-1, "path"))
	} else if n == 1 {
		return r.lost[0]
	}
	return nil
}

func (r *checkRun) scan(s source) (out scanned) {
	out.source = s
	defer func() {
		if p := recover(); p != nil {
			out.input = r.failedInternally(s.name, p)
		}
	}()
	out.input, out.size, out.err = s.read(r.app, r.options)
	return out
}

// vet is the second pass: take gets the results of each file.
func (r *checkRun) vet(ctx context.Context, take func([]*vet.Result) error) error {
	defer r.progress.clear()
	done := 0
	list := func(yield func(*file) error) error {
		for i := range r.files {
			if err := yield(&r.files[i]); err != nil {
				return err
			}
		}
		return nil
	}
	err := inOrder(ctx, r.jobs, list, r.vetFile, func(results []*vet.Result) error {
		done++
		r.progress.show("vetting: %d of %d files", done, len(r.files))
		return take(results)
	})
	if err != nil {
		return err
	}
	return take(r.engine.Waivers(r.req.Waivers, r.req.At))
}

func (r *checkRun) vetFile(f *file) (results []*vet.Result) {
	defer func() {
		if p := recover(); p != nil {
			results = r.engine.Input(r.failedInternally(f.name, p), r.req)
		}
	}()
	in := f.input
	f.input = nil
	if in == nil {
		var err error
		if in, _, err = f.read(r.app, r.options); err != nil {
			in = unreadable(f.name, "it could be read before, and cannot be read now: "+err.Error())
		} else if in.SHA256 != f.sha256 {
			in = unreadable(f.name, "it was changed while it was checked: check it again")
		}
	}
	return r.engine.Input(in, r.req)
}

// unreadable is a file that gets a verdict although there is nothing to vet.
func unreadable(name, why string) *cert.Input {
	return &cert.Input{File: name, Problems: []cert.Problem{{Kind: cert.ProblemUnreadable, Index: -1, Msg: why}}}
}

// failedInternally makes a panic a finding about the file that led to it: the other
// files still get their verdicts.
func (r *checkRun) failedInternally(name string, p any) *cert.Input {
	why := fmt.Sprintf("efgsta failed internally on this file: %v", p)
	if r.app.env("EFGSTA_DEBUG") != "" {
		why += "\n" + string(debug.Stack())
	}
	return unreadable(name, why)
}

// write is the second pass, into the report. It reports whether all is well.
func (r *checkRun) write(ctx context.Context, f *checkFlags, h report.Header) (bool, error) {
	out, err := openOutput(r.app, f.out)
	if err != nil {
		return false, err
	}
	defer out.discard()
	o := report.Options{Quiet: f.quiet}
	if f.out == "" {
		o.Width, o.Colour = r.app.width(), r.app.colour()
		if isTerminal(r.app.out) {
			r.progress.w = nil // the verdicts themselves show how far it is
		}
	}
	w, err := report.NewWriter(out, f.format, h, o)
	if err != nil {
		return false, err
	}
	defer w.Discard()
	err = r.vet(ctx, func(results []*vet.Result) error {
		for _, res := range results {
			if err := w.Result(res); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	if err := w.Close(len(r.files), r.skipped); err != nil {
		return false, err
	}
	return w.Failed() == 0, out.commit()
}

// several reports whether a check may take long enough to be interrupted.
func several(paths []string) bool {
	if len(paths) > 1 {
		return true
	}
	st, err := os.Stat(paths[0])
	return err == nil && st.IsDir()
}
