package main

import (
	"context"
	"crypto"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/efgsta/efgsta/pkg/anchor"
	"github.com/efgsta/efgsta/pkg/hsm"
	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/pkg/release/gateway"
	"github.com/efgsta/efgsta/pkg/report"
	"github.com/efgsta/efgsta/pkg/sigalg"
	"github.com/efgsta/efgsta/pkg/vet"
)

// anchorCheck is what is known of an EFGSTA: the verdict on its certificate, who can
// verify what it signs, and what the token says of its key.
type anchorCheck struct {
	Schema    string        `json:"schema"`
	SHA256    string        `json:"sha256"`
	Verdict   vet.Verdict   `json:"verdict"`
	Findings  []vet.Finding `json:"findings"`
	Consumers []consumer    `json:"consumers"`
	Key       keyFacts      `json:"key"`
}

// consumer is a program that verifies signatures of the EFGSTA.
type consumer struct {
	Name string `json:"name"`
	Can  bool   `json:"can"`
	Why  string `json:"why"` // why not
}

// keyFacts are the private key's attributes; none is evaluated without a login.
type keyFacts struct {
	Where      string          `json:"where"`
	Opened     bool            `json:"opened"` // and it is the EFGSTA's
	Evaluated  bool            `json:"evaluated"`
	Attributes []attributeJSON `json:"attributes"`

	told []hsm.KeyAttribute
}

func newAnchorCheckCmd(a *app) *cobra.Command {
	var ws wsFlags
	var keys keyFlags
	var format formatFlag
	c := &cobra.Command{
		Use:   "check",
		Short: "Vet the EFGSTA and say who can verify what it signs",
		Long: `Vets the EFGSTA certificate against template 4.5 and says which consumers can
verify its signatures, and why not. With --pin-file or --pin-fd it also logs in to
the token, once, and shows the key's attributes; a key in a file is opened. Either way
it says whether that is the key of the EFGSTA (a token: as far as it tells).`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if err := format.check(); err != nil {
				return err
			}
			s, err := ws.open(a, looking)
			if err != nil {
				return err
			}
			defer s.Close()
			an, err := s.anchor()
			if err != nil {
				return err
			}
			engine, err := vet.New(s.policy)
			if err != nil {
				return err
			}
			result := engine.Vet(vet.Request{Certificate: an.Certificate, Role: vet.EFGSTA, Country: "BE", At: s.now,
				Rehearsal: s.Config.Environment == registry.Rehearsal, Others: s.Known()})
			result.File = "EFGSTA"
			facts, err := keys.facts(c.Context(), a, s, an)
			if err != nil {
				return err
			}
			check := anchorCheck{"efgsta.anchor-check/v1", an.Thumbprint().String(), result.Verdict, append([]vet.Finding{}, result.Findings...), consumers(an), facts}
			if !format.json() {
				err = a.showAnchorCheck(s, result, check)
			} else {
				err = a.json(check)
			}
			if err == nil && result.Verdict != vet.VerdictAccepted {
				return no()
			}
			return err
		},
	}
	ws.add(c, a)
	format.add(c)
	keys.addPIN(c)
	return c
}

func (a *app) showAnchorCheck(s *session, result *vet.Result, check anchorCheck) error {
	if err := a.showResults([]*vet.Result{result}, s); err != nil {
		return err
	}
	a.printf("\nWho can verify signatures of this EFGSTA:\n")
	var rows [][]string
	for _, c := range check.Consumers {
		can := "yes"
		if !c.Can {
			can = "no"
		}
		rows = append(rows, []string{c.Name, can, report.Escape(c.Why)})
	}
	a.table([]string{"consumer", "can", "why"}, rows)
	k := check.Key
	switch {
	case k.Evaluated:
		a.printf("\n%s\n", report.Escape(k.Where))
		a.showAttributes(k.told)
	case k.Opened:
		a.printf("\nkey: %s, an encrypted file, for rehearsals only; it is the key of this EFGSTA\n", report.Escape(k.Where))
	case strings.HasPrefix(k.Where, "file:"):
		a.printf("\nkey: %s, an encrypted file, for rehearsals only\n", report.Escape(k.Where))
	default:
		a.printf("\nkey: %s; its attributes were not evaluated (give --pin-file or --pin-fd to log in and read them)\n", report.Escape(k.Where))
	}
	return nil
}

// gatewayColumn is the size of the gateway's column "signature", characters.
const gatewayColumn = 690

// consumers says for each known verifier whether it can verify this anchor's signatures;
// docs/compatibility.md has the same for every algorithm, and the tests that tried it.
func consumers(an *anchor.Anchor) []consumer {
	gatewayWhy, strict, byName, javaCMS, column := "", "", "", "", ""
	if err := gateway.CheckAnchor(an.Certificate); err != nil {
		gatewayWhy = err.Error()
	}
	switch {
	case an.Algorithm.Scheme == sigalg.RSAPSS:
		strict = "one national client puts SHA256with before the key's algorithm, which is PKCS#1 v1.5 for RSA"
		byName = "the name RSASSA-PSS stands for no hash: its program must set the parameters"
		javaCMS = "BouncyCastle finds no RSASSA-PSS in the JDK: its program must give it BouncyCastle's provider"
	case an.Algorithm.Scheme != sigalg.RSAPKCS1v15:
		strict = "one national client puts SHA256with before the key's algorithm, and no Java has SHA256withEC"
	case an.Algorithm.Hash != crypto.SHA256:
		strict = "one national client takes SHA-256 only"
	}
	size := signatureText(an)
	if size > gatewayColumn {
		column = fmt.Sprintf("%d characters, the column holds %d", size, gatewayColumn)
	}
	var out []consumer
	for _, c := range []struct{ name, why string }{
		{"online gateway", gatewayWhy},
		{"strict national clients", strict},
		{"OpenSSL", ""},
		{"JDK by algorithm name", byName},
		{"JDK with parameters", ""},
		{"CMS in Java, JDK provider", javaCMS},
		{"CMS in Java, BouncyCastle", ""},
		{fmt.Sprintf("gateway column (%d of %d)", size, gatewayColumn), column},
	} {
		out = append(out, consumer{c.name, c.why == "", c.why})
	}
	return out
}

// signatureText is the longest base64 text of an operator signature, characters.
func signatureText(an *anchor.Anchor) int {
	n := (an.Certificate.PublicKey.Bits() + 7) / 8
	if an.Algorithm.Scheme == sigalg.ECDSA {
		// SEQUENCE of two INTEGERs, each up to one octet longer than the order, with
		// up to three octets of header for the SEQUENCE and two for each INTEGER.
		n = 3 + 2*(2+n+1)
	}
	return base64.StdEncoding.EncodedLen(n)
}

// facts are what can be said of the anchor's private key: with a PIN from a file or
// descriptor, what the token says; otherwise where it is.
func (f *keyFlags) facts(ctx context.Context, a *app, s *session, an *anchor.Anchor) (keyFacts, error) {
	wiring, err := f.resolve(s.Dir)
	if err != nil {
		return keyFacts{}, err
	}
	if !f.pinGiven() {
		return keyFacts{Where: wiring.Key, Attributes: []attributeJSON{}}, nil
	}
	key, err := f.open(ctx, a, s.Workspace, wiring, an.Certificate.PublicKey.Std, "")
	if err != nil {
		return keyFacts{}, err
	}
	defer key.Close()
	if !an.Owns(key.Public()) { // of a file; what a token holds was compared when it was opened
		return keyFacts{}, usagef("name the right key in "+hsmFile, "%s is not the key of the EFGSTA", key.where)
	}
	if key.isFile {
		return keyFacts{Where: wiring.Key, Opened: true, Attributes: []attributeJSON{}}, nil
	}
	t := key.token.Token()
	return keyFacts{key.where, true, true, newAttributesJSON(t.Attributes), t.Attributes}, nil
}
