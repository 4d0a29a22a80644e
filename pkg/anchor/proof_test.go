package anchor_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"testing"

	"github.com/efgsta/efgsta/pkg/anchor"
	"github.com/efgsta/efgsta/pkg/ceremony/ceremonytest"
)

func TestProof(t *testing.T) {
	key := ceremonytest.ECKey(t)
	a := create(t, key, func(*anchor.Params) {})
	p, err := a.Prove(key, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.CheckProof(p); err != nil {
		t.Error(err)
	}
	again, err := a.Prove(key, rand.Reader)
	if err != nil || bytes.Equal(again.Nonce, p.Nonce) {
		t.Errorf("the nonce is not fresh: %v", err)
	}

	if _, err := a.Prove(ceremonytest.ECKey(t), rand.Reader); !errors.Is(err, anchor.ErrKey) {
		t.Errorf("another key: %v", err)
	}
	other := create(t, key, func(p *anchor.Params) { p.Organization = "Other" })
	for name, check := range map[string]error{
		"another certificate of the key": other.CheckProof(p),
		"another nonce":                  a.CheckProof(anchor.Proof{Nonce: again.Nonce, Signature: p.Signature}),
		"short nonce":                    a.CheckProof(anchor.Proof{Nonce: p.Nonce[:31], Signature: p.Signature}),
		"nothing":                        a.CheckProof(anchor.Proof{}),
	} {
		if !errors.Is(check, anchor.ErrProof) {
			t.Errorf("%s: %v", name, check)
		}
	}
	// A token that signs something else is found out.
	if _, err := a.Prove(&ceremonytest.Signer{Signer: key, FailAt: 1, Lie: true}, rand.Reader); err == nil {
		t.Error("a lying token proved possession")
	}
}
