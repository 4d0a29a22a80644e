//go:build cgo && unix

package hsm

import "testing"

// TestGoFaultsStayGos: what Go code does wrong is a panic as ever, not a crash of a module.
func TestGoFaultsStayGos(t *testing.T) {
	GuardCrashes("a fault of Go code was taken for a crash of a module\n", 3)
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	var nowhere *struct{ n int }
	nowhere.n++
}
