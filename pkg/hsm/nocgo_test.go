//go:build !cgo

package hsm

import (
	"errors"
	"testing"
)

func TestWithoutCgo(t *testing.T) {
	_, err := Open(fakeConfig(), nil)
	refusedWith(t, err, "pkcs11:token=EFGSTA;object=anchor", "build with cgo")
	if !errors.Is(err, ErrNotBuilt) {
		t.Errorf("open: %v", err)
	}
	if _, err := Generate(fakeConfig(), "rsa-3072"); !errors.Is(err, ErrNotBuilt) {
		t.Errorf("generate: %v", err)
	}
}
