package vet

import (
	"fmt"
	"testing"
	"time"

	"github.com/efgsta/efgsta/pkg/cert"
)

// Copies count once, thousands of one key are not all looked at, and a key that is
// shared across roles is still found by everybody.
func TestIndexManyOfOneKey(t *testing.T) {
	made := func(i int) *cert.Certificate {
		return &cert.Certificate{Raw: fmt.Appendf(nil, "certificate %d", i), SPKI: []byte("one key")}
	}
	ix := NewIndex()
	for range 3 {
		ix.Add(Known{Certificate: made(0), Role: NBBS, Country: "DE"})
	}
	if n := len(ix.sameKey(made(0))); n != 1 {
		t.Errorf("one certificate three times is found %d times", n)
	}
	for i := range 20000 {
		ix.Add(Known{Certificate: made(i), Role: NBBS, Country: "DE"})
	}
	if n := len(ix.sameKey(made(0))); n != maxSamePlace {
		t.Errorf("%d of one place are found, not %d", n, maxSamePlace)
	}
	ix.Add(Known{Certificate: made(30000), Role: NBTLS, Country: "DE"})
	same := ix.sameKey(made(0))
	if last := same[len(same)-1]; last.role != NBTLS {
		t.Errorf("the last that is found is of role %s", last.role)
	}
	start := time.Now()
	for i := range 20000 {
		ix.Add(Known{Certificate: made(40000 + i), Role: NBBS, Country: fmt.Sprint(i)})
	}
	if n := len(ix.sameKey(made(0))); n != maxSame {
		t.Errorf("%d are found, not %d", n, maxSame)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
}
