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

	"github.com/efgsta/efgsta/pkg/hsm"
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

// patienceOnInterrupt is how long an interrupted command ends in silence.
const patienceOnInterrupt = 500 * time.Millisecond

// catchInterrupts lets a command that asks or writes end in order on Ctrl-C, on Ctrl-\,
// and when its terminal goes. A second signal ends the process at once: a call of a
// PKCS#11 module cannot be cut short, and what is not published by then never is.
// Commands that only read go without: they hold nothing, and the handler would be a
// tenth of a short check.
func catchInterrupts(c *cobra.Command, _ []string) {
	ctx, cancel := context.WithCancel(context.Background())
	c.SetContext(ctx)
	caught := make(chan os.Signal, 2)
	signal.Notify(caught, os.Interrupt, syscall.SIGTERM)
	for _, s := range []os.Signal{syscall.SIGHUP, syscall.SIGQUIT} {
		if !signal.Ignored(s) { // as nohup asks for
			signal.Notify(caught, s)
		}
	}
	go func() {
		<-caught
		cancel()
		time.Sleep(patienceOnInterrupt)
		why := "the step under way ends first"
		if hsm.Busy() {
			why = "the PKCS#11 module has not answered yet"
		}
		fmt.Fprintf(c.ErrOrStderr(), "efgsta: interrupted, but %s; interrupt again to end at once\n", why)
		<-caught
		fmt.Fprint(c.ErrOrStderr(), "efgsta: aborted at once; what was not published is not published\nhint: efgsta status says where the workspace stands\n")
		os.Exit(exitAborted)
	}()
}
