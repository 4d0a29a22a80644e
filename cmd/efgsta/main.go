// Command efgsta is the offline trust-anchor toolkit of the European Federation
// Gateway Service: it vets member states' certificates, signs them and the trust
// list with the EFGSTA key, and packs what the online side imports.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

func main() {
	os.Exit(run(&app{in: os.Stdin, out: os.Stdout, err: os.Stderr, env: os.Getenv, now: time.Now}, os.Args[1:]))
}

// run executes one command line and returns the exit code. It is main without the process.
func run(a *app, args []string) (code int) {
	defer func() {
		if r := recover(); r != nil {
			a.bug(fmt.Sprint(r), debug.Stack())
			code = exitBug
		}
	}()
	root := newRootCmd(a)
	root.SetArgs(args)
	ran, err := root.ExecuteC()
	if err == nil && a.lost != nil {
		err = usagef("the command itself succeeded; free some space or redirect elsewhere to see its result", "the result could not be shown: %w", a.lost)
	}
	if err == nil {
		return exitYes
	}
	if ctx := ran.Context(); ctx != nil && ctx.Err() != nil {
		err = &exitError{code: exitAborted, err: errAborted}
	}
	return a.fail(err)
}

// catchInterrupts lets a command that asks or writes end in order on Ctrl-C. A
// second one ends the process the hard way. Commands that only read go without:
// they hold nothing, and the handler would be a tenth of a short check.
func catchInterrupts(c *cobra.Command, _ []string) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	c.SetContext(ctx)
}
