package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/efgsta/efgsta/pkg/vet"
)

const (
	zlintTime   = 30 * time.Second // for one certificate; it takes hundredths of one
	zlintStderr = 4 << 10          // bytes of stderr that are kept
	zlintHint   = "install it with: go install github.com/zmap/zlint/v3/cmd/zlint@latest, and name the program, which that puts into $(go env GOPATH)/bin"
)

// zlintFlag names an installed zlint, which is run as a program and never linked.
type zlintFlag struct{ name string }

func (f *zlintFlag) add(c *cobra.Command) {
	c.Flags().StringVar(&f.name, "zlint", "", "run the installed zlint at `PATH` over TLS certificates, as a second opinion (EFGS-831, EFGS-832)")
}

// start finds the zlint that the flag names; nil if it names none. It can be used
// until ctx ends or stop is called, which waits until nothing of it runs any more.
func (f *zlintFlag) start(ctx context.Context) (z *vet.Zlint, stop func(), err error) {
	if f.name == "" {
		return nil, func() {}, nil
	}
	dir, err := os.MkdirTemp("", "efgsta-zlint-")
	if err != nil {
		return nil, nil, usagef("", "--zlint: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	program := &zlintProgram{ctx: ctx, dir: dir, time: zlintTime}
	stop = func() {
		cancel()
		program.running.Lock()
		defer program.running.Unlock()
		os.RemoveAll(dir)
	}
	if z, err = findZlint(f.name, program); err != nil {
		stop()
	}
	return z, stop, err
}

// findZlint makes sure that a program is zlint, before anything is judged by it, and
// makes it the one that z runs.
func findZlint(name string, z *zlintProgram) (*vet.Zlint, error) {
	path, err := exec.LookPath(name)
	if err == nil {
		path, err = filepath.Abs(path) // zlint runs in a directory of its own
	}
	if err != nil {
		return nil, usagef(zlintHint, "--zlint %w", err)
	}
	z.path = path
	said, err := z.run(nil, "-version")
	if err != nil {
		return nil, usagef(zlintHint, "--zlint %s: asked for its version: %w", name, err)
	}
	version, ok := strings.CutPrefix(strings.TrimSpace(string(said)), "ZLint version ")
	if !ok || strings.ContainsAny(version, "\r\n") {
		return nil, usagef(zlintHint, "--zlint %s is not zlint: asked for its version it says something else", name)
	}
	list, err := z.run(nil, "-list-lints-json")
	if err != nil {
		return nil, usagef(zlintHint, "--zlint %s: asked for its lints: %w", name, err)
	}
	known, err := vet.NewZlint("zlint "+zlintVersion(path, version), list, z)
	if err != nil {
		return nil, usagef(zlintHint, "--zlint %s: %w", name, err)
	}
	return known, nil
}

// zlintVersion is what zlint says of itself, or the version of its module where it was
// built with go install and does not know.
func zlintVersion(path, said string) string {
	if said != "dev-unknown" {
		return said
	}
	if info, err := buildinfo.ReadFile(path); err == nil && strings.HasPrefix(info.Main.Version, "v") {
		return info.Main.Version
	}
	return said
}

// zlintProgram runs zlint; safe for concurrent use.
type zlintProgram struct {
	ctx  context.Context
	path string
	dir  string // its working directory
	time time.Duration

	running sync.RWMutex // held for reading by each run
}

// RunZlint lints a certificate. It gets nothing else of the file that it came from.
func (z *zlintProgram) RunZlint(der []byte) ([]byte, error) { return z.run(der, "-format", "der") }

var (
	errZlintTime = errors.New("no end in time")
	errZlintSize = errors.New("it prints too much")
)

// run gives zlint input and returns its output. Neither it nor what it starts is
// alive afterwards; its environment is empty.
func (z *zlintProgram) run(input []byte, args ...string) ([]byte, error) {
	z.running.RLock()
	defer z.running.RUnlock()
	ctx, stop := context.WithTimeoutCause(z.ctx, z.time, errZlintTime)
	defer stop()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	cmd := exec.CommandContext(ctx, z.path, args...)
	out := &limited{most: vet.MaxZlintResult, full: func() { cancel(errZlintSize) }}
	errs := &limited{most: zlintStderr, full: func() {}}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), out, errs
	cmd.Dir, cmd.Env = z.dir, []string{}
	cmd.WaitDelay = time.Second
	ownGroup(cmd)
	err := cmd.Run()
	if err == nil {
		return out.kept, nil
	}
	killGroup(cmd)
	cause := context.Cause(ctx)
	var exit *exec.ExitError
	switch {
	case errors.Is(cause, errZlintTime):
		return nil, fmt.Errorf("%w: %s", errZlintTime, z.time)
	case errors.Is(cause, errZlintSize):
		return nil, fmt.Errorf("%w: more than %d bytes", errZlintSize, out.most)
	case cause != nil:
		return nil, cause
	case errors.As(err, &exit):
		if line := firstMessage(errs.kept); line != "" {
			return nil, fmt.Errorf("%w: %s", err, line)
		}
	}
	return nil, err
}

// firstMessage is the first line of stderr, without what differs from run to run: zlint
// logs as time="…" level=fatal msg="…".
func firstMessage(stderr []byte) string {
	line, _, _ := bytes.Cut(bytes.TrimSpace(stderr), []byte("\n"))
	text := strings.TrimSpace(string(line))
	if _, quoted, ok := strings.Cut(text, " msg="); ok {
		if msg, err := strconv.Unquote(quoted); err == nil {
			return msg
		}
		return quoted
	}
	return text
}
