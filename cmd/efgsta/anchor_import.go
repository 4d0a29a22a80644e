package main

import (
	"context"
	"crypto/rand"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/efgsta/efgsta/pkg/anchor"
	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/pkg/vet"
)

func newAnchorImportCmd(a *app) *cobra.Command {
	var ws wsFlags
	var keys keyFlags
	var format formatFlag
	c := &cobra.Command{
		Use:   "import CERTIFICATE --key KEY",
		Short: "Take over an EFGSTA certificate that was made elsewhere",
		Long: `Takes over an existing self-signed EFGSTA certificate. It is vetted by template 4.5
first; then its private key must prove itself: it signs a fresh random number under a
prefix that nothing else begins with, once, and the journal keeps both. That is the
only signature that efgsta ever has made outside of a plan, a new certificate and the
statement of a roll. A certificate of a rehearsal has OU=REHEARSAL, any other has not.

Production takes over a key that is weaker than it must be only with an exception that
is in force: efgsta anchor exception --certificate CERTIFICATE proposes it beforehand.`,
		Example: `  efgsta anchor import efgsta.pem --key 'pkcs11:token=EFGSTA;object=efgsta-2026' --module /usr/lib/softhsm/libsofthsm2.so`,
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := format.check(); err != nil {
				return err
			}
			s, err := ws.open(a, deciding)
			if err != nil {
				return err
			}
			defer s.Close()
			return importAnchor(c.Context(), a, s, &keys, args[0], format)
		},
	}
	ws.add(c, a)
	keys.add(c)
	format.add(c)
	return c
}

// importAnchor vets first, and touches the key last.
func importAnchor(ctx context.Context, a *app, s *session, keys *keyFlags, file string, format formatFlag) error {
	if s.Anchor != nil {
		return usagef("show it with: efgsta anchor show", "this workspace has an EFGSTA already: %s", s.Anchor.SHA256)
	}
	wiring, err := keys.resolve(s.Dir)
	if err != nil {
		return err
	}
	an, err := readAnchor(file)
	if err != nil {
		return err
	}
	if err := s.vetAnchor(a, an.Certificate, file); err != nil {
		return err
	}
	key, err := keys.open(ctx, a, s.Workspace, wiring, an.Certificate.PublicKey.Std, "")
	if err != nil {
		return err
	}
	defer key.Close()
	if err := s.auditKey(a, key, an.Thumbprint().String()); err != nil {
		return err
	}
	proof, err := an.Prove(key, rand.Reader)
	if err != nil {
		return signError(err)
	}
	if err := wiring.write(s.Dir); err != nil {
		return err
	}
	err = s.ImportAnchor(s.now, s.actor, an.Certificate, registry.ImportData{
		AnchorData: registry.AnchorData{Algorithm: an.Algorithm.String(), Key: wiring.Key, Serial: key.serial(), KeyID: key.id()},
		File:       filepath.Base(file), Nonce: proof.Nonce, Signature: proof.Signature,
	})
	if err != nil {
		return err
	}
	return a.anchorMade(s, an, wiring.Key, "took over", format)
}

// readAnchor reads a certificate that is to be the EFGSTA.
func readAnchor(file string) (*anchor.Anchor, error) {
	data, err := readFile(file)
	if err != nil {
		return nil, err
	}
	an, err := anchor.Parse(file, data)
	if err != nil {
		return nil, refusef("the EFGSTA is one self-signed certificate, in PEM or DER, without its key", "%w", err)
	}
	return an, nil
}

// vetAnchor shows the verdict on a certificate that is to be the EFGSTA, and refuses
// whatever is not accepted.
func (s *session) vetAnchor(a *app, c *cert.Certificate, file string) error {
	engine, err := vet.New(s.policy)
	if err != nil {
		return err
	}
	result := engine.Vet(vet.Request{Certificate: c, Role: vet.EFGSTA, Country: "BE", At: s.now, Rehearsal: s.Config.Environment == registry.Rehearsal, Others: s.Known()})
	result.File = file
	if result.Verdict == vet.VerdictAccepted {
		return nil
	}
	if err := a.showResults([]*vet.Result{result}, s); err != nil {
		return err
	}
	return no()
}
