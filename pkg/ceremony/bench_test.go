package ceremony_test

import (
	"testing"
	"time"

	"github.com/efgsta/efgsta/pkg/ceremony"
	"github.com/efgsta/efgsta/pkg/ceremony/ceremonytest"
	"github.com/efgsta/efgsta/pkg/registry"
)

// BenchmarkGrowth holds opening a workspace and planning its next release with 1,000
// certificates against 100: the bar is that each certificate costs at most 1.2 times
// as much. The best of each counts.
func BenchmarkGrowth(b *testing.B) {
	countries := []string{"AT", "BE", "BG", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "HR", "HU", "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL"}
	const small, large = 100, 1000
	at := ceremonytest.Start
	spaces := map[int]*ceremonytest.Federation{}
	for _, n := range []int{small, large} {
		f := ceremonytest.New(b)
		for i := range n {
			f.Submit(ceremonytest.Spec{Country: countries[i%len(countries)]})
		}
		f.Release(at)
		spaces[n] = f
	}
	open, plan := map[int]time.Duration{}, map[int]time.Duration{}
	best := func(of map[int]time.Duration, n int, start time.Time) {
		if took := time.Since(start); of[n] == 0 || took < of[n] {
			of[n] = took
		}
	}
	for b.Loop() {
		for range 5 {
			for n, f := range spaces {
				_ = f.Close()
				start := time.Now()
				w, err := registry.Open(f.Dir)
				if err != nil {
					b.Fatal(err)
				}
				best(open, n, start)
				f.Workspace, start = w, time.Now()
				p, err := ceremony.Make(w, f.Policy, ceremonytest.Tool, at.Add(time.Hour))
				if err != nil {
					b.Fatal(err)
				}
				best(plan, n, start)
				if len(p.Plan.Certificates) != n {
					b.Fatalf("%d certificates planned of %d", len(p.Plan.Certificates), n)
				}
			}
		}
	}
	perEach := func(of map[int]time.Duration) float64 {
		return float64(of[large]) / float64(of[small]) * small / large
	}
	b.ReportMetric(float64(open[large].Milliseconds()), "ms/open1000")
	b.ReportMetric(float64(plan[large].Milliseconds()), "ms/plan1000")
	b.ReportMetric(perEach(open), "open1000/open100(each)")
	b.ReportMetric(perEach(plan), "plan1000/plan100(each)")
	b.ReportMetric(0, "ns/op")
}
