package main

import "context"

// inOrder calls work for every item of list on n goroutines, and take with each
// outcome on its own one, in the order of the items and as soon as it is their turn.
// No more than a few items per goroutine are under way, however slow take is. It
// ends with the first error of take or list, or when ctx ends; then it does not wait
// for work that still runs, since a read from a pipe cannot be cancelled: the caller
// is to end the process.
func inOrder[T, R any](ctx context.Context, n int, list func(yield func(T) error) error, work func(T) R, take func(R) error) error {
	if n == 1 && ctx.Done() == nil {
		// Nothing can end it early, so it needs no goroutine.
		return list(func(item T) error { return take(work(item)) })
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type job struct {
		item T
		done chan R
	}
	window, jobs := make(chan job, 4*n), make(chan job)
	worker := func() {
		for j := range jobs {
			j.done <- work(j.item)
		}
	}
	var listed error // set before window is closed
	go func() {
		defer close(window)
		defer close(jobs)
		workers := 0
		listed = list(func(item T) error {
			j := job{item, make(chan R, 1)}
			select {
			case window <- j:
			case <-ctx.Done():
				return ctx.Err()
			}
			select {
			case jobs <- j:
				return nil
			default: // all are busy: a single file needs one, and no thread for the others
				if workers < n {
					workers++
					go worker()
				}
			}
			select {
			case jobs <- j:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	for {
		var j job
		var more bool
		select {
		case j, more = <-window:
		case <-ctx.Done():
			return ctx.Err()
		}
		if !more {
			return listed
		}
		select {
		case r := <-j.done:
			if err := take(r); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
