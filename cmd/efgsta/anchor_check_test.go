package main

import (
	"crypto"
	"crypto/rsa"
	"math/big"
	"strings"
	"testing"

	"github.com/efgsta/efgsta/pkg/anchor"
	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/sigalg"
)

// TestConsumersOfImportedAnchors: what anchor create does not make can be imported.
// What it makes is tried with the consumers themselves, scripts/conformance.
func TestConsumersOfImportedAnchors(t *testing.T) {
	for _, c := range []struct {
		name string
		bits uint
		hash crypto.Hash
		no   map[string]string
	}{
		{"SHA-384", 3072, crypto.SHA384, map[string]string{"strict national clients": "SHA-256 only"}},
		{"RSA-4096 fits", 4096, crypto.SHA256, nil},
		{"RSA-8192 does not fit", 8192, crypto.SHA256, map[string]string{"gateway column (1368 of 690)": "1368 characters"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := new(big.Int).Lsh(big.NewInt(1), c.bits)
			key, err := sigalg.FromStd(&rsa.PublicKey{N: n.Sub(n, big.NewInt(1)), E: 65537})
			if err != nil {
				t.Fatal(err)
			}
			alg, err := sigalg.New(sigalg.RSAPKCS1v15, c.hash)
			if err != nil {
				t.Fatal(err)
			}
			an := &anchor.Anchor{Certificate: &cert.Certificate{PublicKey: key, Algorithm: alg}, Algorithm: alg}
			for _, got := range consumers(an) {
				if got.Name == "online gateway" {
					continue // looks at the whole certificate: TestCheckAnchorAccepts and its neighbours
				}
				want, no := c.no[got.Name]
				if got.Can == no || !strings.Contains(got.Why, want) || got.Can != (got.Why == "") {
					t.Errorf("%+v", got)
				}
			}
		})
	}
}
