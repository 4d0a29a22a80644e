package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/efgsta/efgsta/pkg/ceremony"
	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/pkg/release"
	"github.com/efgsta/efgsta/policy"
)

// wsFlags are the flags of every workspace command.
type wsFlags struct {
	dir     string
	at      string
	command *cobra.Command
}

func (f *wsFlags) add(c *cobra.Command, a *app) {
	f.command = c
	c.Flags().StringVar(&f.dir, "workspace", defaultDir(a), "workspace `DIR` (or EFGSTA_WORKSPACE)")
	c.Flags().StringVar(&f.at, "at", "", "act as if it were this `TIME` (RFC 3339 or YYYY-MM-DD); in production only to look")
}

// holder is this process, for whoever finds the workspace locked.
func (a *app) holder(c *cobra.Command) registry.Holder {
	return registry.Holder{PID: os.Getpid(), Command: c.CommandPath(), Since: a.now().UTC().Truncate(time.Second)}
}

func defaultDir(a *app) string {
	if dir := a.env("EFGSTA_WORKSPACE"); dir != "" {
		return dir
	}
	return "."
}

// access says whether a command decides something or only looks.
type access bool

const (
	deciding access = true
	looking  access = false
)

// session is an open workspace with what every command on it needs.
type session struct {
	*registry.Workspace
	policy *policy.Policy
	now    time.Time
	actor  string
}

// open locks and replays the workspace, finishes what an interrupted command left
// and loads the policy.
func (f *wsFlags) open(a *app, use access) (*session, error) {
	now, err := a.clock(f.at)
	if err != nil {
		return nil, err
	}
	w, err := registry.OpenAs(f.dir, a.holder(f.command))
	if err != nil {
		return nil, err
	}
	s := &session{Workspace: w, now: now, actor: a.actor()}
	if err := s.prepare(a, f.at != "", use); err != nil {
		w.Close()
		return nil, err
	}
	return s, nil
}

func (s *session) prepare(a *app, atGiven bool, use access) error {
	if atGiven && use == deciding && s.Config.Environment == registry.Production {
		return usagef("leave --at out: in production the time of a decision is the time it is made", "--at is only for looking in a production workspace")
	}
	for _, n := range s.Notes {
		a.notef("efgsta: %s", n)
	}
	if err := ceremony.CheckAnchor(s.Workspace); err != nil {
		return err
	}
	recoverAt := s.now
	if use == looking {
		// --at says where to look from, not when something happened.
		recoverAt = a.now().UTC().Truncate(time.Second)
	}
	if recoverAt.Before(s.LastEvent()) {
		recoverAt = s.LastEvent()
	}
	notes, err := ceremony.Recover(s.Workspace, recoverAt, s.actor)
	if err != nil {
		return err
	}
	for _, n := range notes {
		a.notef("efgsta: %s", n)
	}
	if s.policy, err = policy.Load(s.Config.Policy); err != nil {
		return usagef("policies of this version: "+strings.Join(policy.Names(), ", "), "%s: policy %q: %w", registry.ConfigFile, s.Config.Policy, err)
	}
	return nil
}

// clock is the given time, or now.
func (a *app) clock(at string) (time.Time, error) {
	if at == "" {
		return a.now().UTC().Truncate(time.Second), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, at); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, usagef("examples: 2026-11-22T10:00:00Z or 2026-11-22", "--at %q is not a time", at)
}

// maxActor is the longest name that the journal takes, in bytes.
const maxActor = 128

// actor is the person at the keyboard, as the system knows them, for the journal.
func (a *app) actor() string {
	for _, name := range []string{"EFGSTA_OPERATOR", "USER", "LOGNAME", "USERNAME"} {
		if v := a.env(name); v != "" {
			return strings.ToValidUTF8(v[:min(len(v), maxActor)], "\uFFFD")
		}
	}
	return "operator"
}

// maxInput is the largest file that a command reads whole, in bytes.
const maxInput = release.MaxTotal

// hintPath goes with whatever the system says of a path.
const hintPath = "check the path, and that this user may read it; a relative path starts at the current directory"

// readFile reads a file named on the command line.
func readFile(path string) ([]byte, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, usagef(hintPath, "%w", err)
	}
	if st.IsDir() {
		return nil, usagef("name a file", "%s is a directory", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, usagef(hintPath, "%w", err)
	}
	defer f.Close()
	// A pipe or device does not tell its size.
	data, err := io.ReadAll(io.LimitReader(f, maxInput+1))
	if err != nil {
		return nil, usagef(hintPath, "%w", err)
	}
	if len(data) > maxInput {
		return nil, usagef("", "%s has more than %d bytes, which is all that is read", path, maxInput)
	}
	return data, nil
}

// interrupted gives the prompts of a command its Ctrl-C.
func interrupted(ctx context.Context) <-chan struct{} { return ctx.Done() }

// day shows a time as people plan with it.
func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// daysLeft is the number of whole days from now until t, negative when past.
func daysLeft(now, t time.Time) int { return int(t.Sub(now) / (24 * time.Hour)) }

func plural(n int, one string) string {
	if n == 1 {
		return fmt.Sprintf("%d %s", n, one)
	}
	return fmt.Sprintf("%d %ss", n, one)
}
