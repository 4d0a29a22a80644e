package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/efgsta/efgsta/pkg/anchor"
	"github.com/efgsta/efgsta/pkg/hsm"
	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/pkg/report"
)

// auditKey holds a key in a token against what a key of the EFGSTA must be: sensitive,
// never extractable, made in the token, for signing and for nothing else. A rehearsal
// is told; production needs an entry in the journal that is in force. anchor is the SHA-256
// of the certificate that the key belongs to, "" if it is yet to be made: then no entry
// can be for it. planned are the proposals that the plan being signed, approved, brings
// into force.
func (s *session) auditKey(a *app, key *openedKey, anchor string, planned ...uint64) error {
	if key.token == nil {
		return nil // a file: keyFlags.open lets that pass in rehearsals only
	}
	t := key.token.Token()
	weak := hsm.Weaknesses(t.Attributes)
	if len(weak) == 0 {
		return nil
	}
	what := fmt.Sprintf("%s: %s", report.Escape(key.where), strings.Join(weak, ", "))
	p, inForce := s.MayUse(anchor, t.Serial, t.KeyID, weak, planned...)
	switch {
	case p != nil && inForce:
		a.notef("note: %s; allowed by journal event %d (%s: %s)", what, p.Event, p.Kind, report.Escape(p.Why))
		return nil
	case s.Config.Environment == registry.Rehearsal:
		a.notef("warning: %s; production would refuse this key", what)
		return nil
	case p != nil:
		return refusef("it counts once it is approved with a plan, which this version cannot do yet", "%s; the exception of journal event %d is proposed, not approved", what, p.Event)
	}
	hint := "make a key with: efgsta hsm keygen; nothing is excepted for an EFGSTA that is yet to be made"
	switch {
	case anchor != "" && s.Anchor == nil:
		hint = "propose an exception to the approvers: efgsta anchor exception --certificate FILE --key … --why …"
	case anchor != "":
		hint = "propose an exception to the approvers: efgsta anchor exception --why …, for a copy of the token: efgsta anchor spare --why …"
	}
	return refusef(hint, "%s; production does not sign with such a key", what)
}

func newAnchorExceptionCmd(a *app) *cobra.Command {
	return newProposalCmd(a, registry.KeyException, &cobra.Command{
		Use:   "exception [--certificate FILE] --key KEY --why TEXT",
		Short: "Propose that a key may sign although it is weaker than it must be",
		Long: `Logs in to the token, reads the attributes of the EFGSTA's key, and records what is
weaker than it must be, with the reason why it should be used all the same. That is a
proposal: in production it counts once the approvers have approved the plan that
shows it. A rehearsal, which needs no approvals, takes it at once.

As long as the workspace has no EFGSTA, --certificate names the one that is to be taken
over: anchor import finds the proposal by the fingerprint of that certificate.`,
		Example: `  efgsta anchor exception --why "imported in 2020, before keys were made in the token; replaced by the roll in May"
  efgsta anchor exception --certificate efgsta.pem --key 'pkcs11:token=EFGSTA;object=efgsta-2020' --module /opt/vendor/lib/libpkcs11.so --why "…"`,
	})
}

func newAnchorSpareCmd(a *app) *cobra.Command {
	return newProposalCmd(a, registry.SpareToken, &cobra.Command{
		Use:   "spare --key KEY --why TEXT",
		Short: "Record a second token that holds the EFGSTA's key",
		Long: `Logs in to another token and records that it holds the same key, so that it can sign
when the first is lost. The key must belong to the EFGSTA's certificate. A copy reads
as not made in its token; it may sign because of this entry, not because nobody looked.
In production the entry counts once the approvers have approved the plan that shows it.`,
		Example: `  efgsta anchor spare --key 'pkcs11:serial=5e1f;object=efgsta-2026' --why "clone of 2026-11-20, in the safe of the second site"`,
	})
}

func newProposalCmd(a *app, kind registry.ProposalKind, c *cobra.Command) *cobra.Command {
	var ws wsFlags
	var keys keyFlags
	var format formatFlag
	var why, certificate string
	c.Args = cobra.NoArgs
	c.RunE = func(c *cobra.Command, _ []string) error {
		if err := format.check(); err != nil {
			return err
		}
		if strings.TrimSpace(why) == "" {
			return usagef(`example: --why "clone of 2026-11-20, in the safe of the second site"`, "--why is needed: approvers decide by it")
		}
		s, err := ws.open(a, deciding)
		if err != nil {
			return err
		}
		defer s.Close()
		an, err := s.proposedFor(a, certificate)
		if err != nil {
			return err
		}
		return propose(c.Context(), a, s, &keys, an, kind, why, format)
	}
	ws.add(c, a)
	keys.add(c)
	format.add(c)
	if kind == registry.KeyException {
		c.Flags().StringVar(&certificate, "certificate", "", "the EFGSTA certificate in `FILE`, as long as the workspace has none")
	}
	c.Flags().StringVar(&why, "why", "", "the `REASON` that approvers and the journal get (required)")
	return c
}

func noSpare(what string) error {
	return usagef("name the other token: --key 'pkcs11:serial=…;object=…'", "%s is in the first token, which is no spare", what)
}

// sameKeyURI reports whether two URIs say the same, however they are written.
func sameKeyURI(a, b string) bool {
	x, errX := hsm.ParseURI(a)
	y, errY := hsm.ParseURI(b)
	return a == b || errX == nil && errY == nil && x.String() == y.String()
}

type proposalJSON struct {
	Schema string `json:"schema"`
	New    bool   `json:"new"` // false: proposed before
	registry.ProposalData
	InForce bool `json:"inForce"`
}

// proposedFor is the certificate that a proposal is about: the workspace's EFGSTA, or the
// one in file that is to be taken over and would be taken over but for its key.
func (s *session) proposedFor(a *app, file string) (*anchor.Anchor, error) {
	if s.Anchor == nil && file == "" {
		return nil, usagef("make one with: efgsta anchor create; for one that exists: efgsta anchor exception --certificate FILE", "this workspace has no EFGSTA")
	}
	if file == "" {
		return s.anchor()
	}
	an, err := readAnchor(file)
	if err != nil {
		return nil, err
	}
	if s.Anchor != nil {
		if an.Thumbprint().String() != s.Anchor.SHA256 {
			return nil, usagef("leave --certificate out", "%s is not the EFGSTA of this workspace", file)
		}
		return an, nil
	}
	return an, s.vetAnchor(a, an.Certificate, file)
}

func propose(ctx context.Context, a *app, s *session, keys *keyFlags, an *anchor.Anchor, kind registry.ProposalKind, why string, format formatFlag) error {
	own, err := readWiring(s.Dir)
	if err != nil {
		return err
	}
	if kind == registry.SpareToken && (keys.key == "" || sameKeyURI(keys.key, own.Key)) {
		return noSpare("the key that " + hsmFile + " names")
	}
	wiring, err := keys.resolve(s.Dir)
	if err != nil {
		return err
	}
	if strings.HasPrefix(wiring.Key, "file:") {
		return usagef("give --key 'pkcs11:token=…;object=…' --module FILE", "a key in a file is for rehearsals only and needs no entry")
	}
	key, err := keys.open(ctx, a, s.Workspace, wiring, an.Certificate.PublicKey.Std, "")
	if err != nil {
		return err
	}
	t := key.token.Token()
	if err := key.Close(); err != nil {
		a.notef("warning: the token did not close cleanly: %s", report.Escape(err.Error()))
	}
	if kind == registry.SpareToken && s.Anchor.Serial != "" && t.Serial == s.Anchor.Serial && t.KeyID == s.Anchor.KeyID {
		return noSpare(report.Escape(key.where))
	}
	d := registry.ProposalData{Kind: kind, Anchor: an.Thumbprint().String(), Token: t.Label, Serial: t.Serial, Key: wiring.Key, KeyID: t.KeyID, Weaknesses: append([]string{}, hsm.Weaknesses(t.Attributes)...), Why: why}
	if kind == registry.KeyException && len(d.Weaknesses) == 0 {
		return usagef("sign with it as it is; a second token that holds it is recorded with: efgsta anchor spare", "%s is as strict as it must be: there is nothing to except", report.Escape(key.where))
	}
	p, added, err := s.Propose(s.now, s.actor, d)
	if err != nil {
		return err
	}
	inForce := s.InForce(p)
	if format.json() {
		return a.json(proposalJSON{"efgsta.proposal/v1", added, d, inForce})
	}
	verb := "recorded"
	if !added {
		verb = "recorded before:"
	}
	a.printf("%s %s, journal event %d: %s\n", verb, kind, p.Event, report.Escape(key.where))
	for _, w := range d.Weaknesses {
		a.printf("  %s\n", w)
	}
	if !inForce {
		a.notef("it counts once it is approved with the next plan")
	}
	return nil
}
