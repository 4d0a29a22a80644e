package main

import (
	"errors"
	"testing"

	"github.com/efgsta/efgsta/pkg/hsm"
)

// TestKeptPIN: a PIN is kept for the token that it was asked for, and no other gets it,
// even where the URI of both is the same.
func TestKeptPIN(t *testing.T) {
	first := hsm.TokenID{Module: "/m.so", Label: "EFGSTA", Serial: "1"}
	var others []hsm.TokenID
	for _, change := range []func(*hsm.TokenID){
		func(id *hsm.TokenID) { id.Module = "/n.so" }, func(id *hsm.TokenID) { id.Label = "X" }, func(id *hsm.TokenID) { id.Serial = "2" },
		func(id *hsm.TokenID) { id.Manufacturer = "X" }, func(id *hsm.TokenID) { id.Model = "X" },
	} {
		id := first
		change(&id)
		others = append(others, id)
	}
	for _, other := range others {
		asked := 0
		ask := func() ([]byte, error) { asked++; return []byte("123456"), nil }
		use := func(k *keptPIN, id hsm.TokenID) error {
			err := k.at(id)
			if err == nil {
				_, err = k.get(ask)
			}
			return err
		}
		var k keptPIN
		if err := errors.Join(use(&k, first), use(&k, first)); err != nil || asked != 1 {
			t.Errorf("one token: asked %d times, %v", asked, err)
		}
		if err := use(&k, other); err != nil || asked != 2 {
			t.Errorf("%+v: asked %d times, %v", other, asked, err)
		}
		one := keptPIN{only: true}
		if err := use(&one, first); err != nil {
			t.Error(err)
		}
		if err := use(&one, other); exitCode(err) != exitUsage || asked != 3 {
			t.Errorf("%+v gets the only PIN: asked %d times, %v", other, asked, err)
		}
	}
}
