package main

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

func counting(n int) func(yield func(int) error) error {
	return func(yield func(int) error) error {
		for i := range n {
			if err := yield(i); err != nil {
				return err
			}
		}
		return nil
	}
}

// The order is that of the list, whoever is ready first, and only a few are under way.
func TestInOrder(t *testing.T) {
	for _, n := range []int{1, 2, 8} {
		var got []int
		var listed, most atomic.Int64
		list := func(yield func(int) error) error {
			return counting(200)(func(i int) error { listed.Add(1); return yield(i) })
		}
		work := func(i int) int {
			if i%7 == 0 {
				time.Sleep(time.Millisecond)
			}
			return i
		}
		err := inOrder(t.Context(), n, list, work, func(i int) error {
			most.Store(max(most.Load(), listed.Load()-int64(len(got))))
			got = append(got, i)
			return nil
		})
		if err != nil || len(got) != 200 || !slices.IsSorted(got) {
			t.Errorf("%d at once: %v, %v", n, got, err)
		}
		if limit := int64(4*n + 2); most.Load() > limit {
			t.Errorf("%d at once: %d under way, at most %d expected", n, most.Load(), limit)
		}
	}
}

func TestInOrderEnds(t *testing.T) {
	wrong := errors.New("wrong")
	same := func(i int) int { return i }
	taken := 0
	err := inOrder(t.Context(), 4, counting(1000), same, func(i int) error {
		taken++
		if i == 17 {
			return wrong
		}
		return nil
	})
	if !errors.Is(err, wrong) || taken != 18 {
		t.Errorf("after %d: %v", taken, err)
	}

	// What was listed before an error is still taken, so that the first error in order is the one.
	taken = 0
	list := func(yield func(int) error) error { return errors.Join(counting(5)(yield), wrong) }
	if err := inOrder(t.Context(), 4, list, same, func(int) error { taken++; return nil }); !errors.Is(err, wrong) || taken != 5 {
		t.Errorf("after %d: %v", taken, err)
	}

	// Work that never ends does not keep it.
	ctx, cancel := context.WithCancel(t.Context())
	stuck := make(chan int)
	defer close(stuck)
	time.AfterFunc(10*time.Millisecond, cancel)
	err = inOrder(ctx, 2, counting(10), func(int) int { return <-stuck }, func(int) error { return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
