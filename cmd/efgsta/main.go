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
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, &app{
		in:  os.Stdin,
		out: os.Stdout,
		err: os.Stderr,
		env: os.Getenv,
		now: time.Now,
	}, os.Args[1:])
	stop()
	os.Exit(code)
}

// run executes one command line and returns the exit code. It is main without the process.
func run(ctx context.Context, a *app, args []string) (code int) {
	defer func() {
		if r := recover(); r != nil {
			a.bug(fmt.Sprint(r), debug.Stack())
			code = exitBug
		}
	}()
	root := newRootCmd(a)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitYes
	}
	if ctx.Err() != nil {
		err = &exitError{code: exitAborted, err: errAborted}
	}
	return a.fail(err)
}
