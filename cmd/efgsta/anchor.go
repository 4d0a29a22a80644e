package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/efgsta/efgsta/pkg/anchor"
	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/pkg/release/gateway"
	"github.com/efgsta/efgsta/pkg/report"
	"github.com/efgsta/efgsta/pkg/sigalg"
	"github.com/efgsta/efgsta/pkg/vet"
)

func newAnchorCmd(a *app) *cobra.Command {
	c := &cobra.Command{Use: "anchor", Short: "The EFGSTA certificate", Args: cobra.NoArgs}
	c.AddCommand(newAnchorCreateCmd(a), newAnchorImportCmd(a), newAnchorShowCmd(a), newAnchorCheckCmd(a), newAnchorExceptionCmd(a), newAnchorSpareCmd(a), newAnchorRollCmd(a))
	return c
}

// anchorAlgorithm is one choice of --algorithm: key, scheme and hash in one word.
type anchorAlgorithm struct {
	name, key string
	scheme    sigalg.Scheme
	hash      crypto.Hash
}

var anchorAlgorithms = []anchorAlgorithm{
	{"rsa-3072", "rsa-3072", sigalg.RSAPKCS1v15, crypto.SHA256},
	{"rsa-4096", "rsa-4096", sigalg.RSAPKCS1v15, crypto.SHA256},
	{"rsa-pss-3072", "rsa-3072", sigalg.RSAPSS, crypto.SHA256},
	{"rsa-pss-4096", "rsa-4096", sigalg.RSAPSS, crypto.SHA256},
	{"ecdsa-p256", "ecdsa-p256", sigalg.ECDSA, crypto.SHA256},
	{"ecdsa-p384", "ecdsa-p384", sigalg.ECDSA, crypto.SHA384},
	{"ecdsa-p521", "ecdsa-p521", sigalg.ECDSA, crypto.SHA512},
}

func algorithmNames() []string {
	var names []string
	for _, alg := range anchorAlgorithms {
		names = append(names, alg.name)
	}
	return names
}

func newAnchorCreateCmd(a *app) *cobra.Command {
	var ws wsFlags
	var keys keyFlags
	var algorithm, organization string
	var days int
	var format formatFlag
	c := &cobra.Command{
		Use:   "create --organization NAME --key KEY",
		Short: "Make the self-signed EFGSTA certificate by template 4.5",
		Long: `Makes the self-signed EFGSTA certificate by template 4.5 of the governance
document. The template is vetted before any key is used or made. If there is no
key of that name yet, one is made: in the file (rehearsal only), or in the token,
where it can never be read out.

The algorithm decides who can verify: rsa-3072 with PKCS#1 v1.5, the default, is
verified by every known consumer; rsa-pss, which governance 4.1 recommends, cannot
be verified by the deployed gateway (see: efgsta anchor check).`,
		Example: `  efgsta anchor create --organization "European Commission" --key file:keys/efgsta.p8
  efgsta anchor create --algorithm ecdsa-p256 --organization "European Commission" \
      --key 'pkcs11:token=EFGSTA;object=efgsta-2026' --module /usr/lib/softhsm/libsofthsm2.so`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if err := format.check(); err != nil {
				return err
			}
			i := slices.IndexFunc(anchorAlgorithms, func(alg anchorAlgorithm) bool { return alg.name == algorithm })
			if i < 0 {
				return usagef("one of: "+strings.Join(algorithmNames(), ", "), "--algorithm %q is not known", algorithm)
			}
			if organization == "" {
				return usagef(`example: --organization "European Commission"`, "--organization is needed (Governance 4.5: o=<Provider>)")
			}
			s, err := ws.open(a, deciding)
			if err != nil {
				return err
			}
			defer s.Close()
			return createAnchor(c.Context(), a, s, &keys, format, anchorAlgorithms[i].key, anchor.Params{
				Organization: organization,
				Rehearsal:    s.Config.Environment == registry.Rehearsal,
				NotBefore:    s.now,
				Days:         days,
				Scheme:       anchorAlgorithms[i].scheme,
				Hash:         anchorAlgorithms[i].hash,
			})
		},
	}
	ws.add(c, a)
	keys.add(c)
	format.add(c)
	c.Flags().StringVar(&algorithm, "algorithm", "rsa-3072", strings.Join(algorithmNames(), ", "))
	c.Flags().StringVar(&organization, "organization", "", "`NAME` of the provider, the certificate's O (required)")
	c.Flags().IntVar(&days, "days", 730, "validity in days, one to two years (Governance 4.2)")
	return c
}

// createAnchor reads from top to bottom like the paper script: check all there is to
// check, then touch the key, then record.
func createAnchor(ctx context.Context, a *app, s *session, keys *keyFlags, format formatFlag, keyAlgorithm string, p anchor.Params) error {
	if s.Anchor != nil {
		return usagef("show it with: efgsta anchor show", "this workspace has an EFGSTA already: %s", s.Anchor.SHA256)
	}
	wiring, err := keys.resolve(s.Dir)
	if err != nil {
		return err
	}
	engine, err := vet.New(s.policy)
	if err != nil {
		return err
	}
	if err := anchor.Lint(engine, p, rand.Reader); err != nil {
		return refused(err)
	}
	key, err := keys.open(ctx, a, s.Workspace, wiring, nil, keyAlgorithm)
	if err != nil {
		return err
	}
	defer key.Close()
	if got := keyName(key.Public()); got != keyAlgorithm {
		return usagef("name another key, or give --algorithm to fit it", "%s is a %s key, not %s", key.where, got, keyAlgorithm)
	}
	if err := s.auditKey(a, key, ""); err != nil {
		return err
	}
	made, err := anchor.Create(engine, p, key, rand.Reader)
	if err != nil {
		return refused(err)
	}
	if err := wiring.write(s.Dir); err != nil {
		return err
	}
	crt := made.Certificate
	err = s.SetAnchor(s.now, s.actor, crt, registry.AnchorData{
		Algorithm: made.Algorithm.String(), Key: wiring.Key, Serial: key.serial(), KeyID: key.id(),
	})
	if err != nil {
		return err
	}
	return a.anchorMade(s, made, wiring.Key, "made", format)
}

// anchorMade shows a new EFGSTA and what comes next.
func (a *app) anchorMade(s *session, an *anchor.Anchor, key, verb string, format formatFlag) error {
	if format.json() {
		if err := a.json(newAnchorJSON(s, an, key)); err != nil {
			return err
		}
	} else {
		a.printf("%s EFGSTA %s\n", verb, an.Thumbprint())
		a.showAnchor(an)
	}
	if err := gateway.CheckAnchor(an.Certificate); err != nil {
		a.notef("warning: %s", report.Escape(err.Error()))
	}
	a.notef("next: efgsta anchor check, then: efgsta anchor show --pem > efgsta.pem for whoever verifies")
	return nil
}
