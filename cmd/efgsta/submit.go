package main

import (
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/pkg/report"
	"github.com/efgsta/efgsta/pkg/vet"
)

func newSubmitCmd(a *app) *cobra.Command {
	var ws wsFlags
	var nbtls, nbbs []string
	var confirmed string
	c := &cobra.Command{
		Use:   "submit CC --nbtls FILE --nbbs FILE",
		Short: "Take in a member state's certificates and vet them",
		Long: `Takes in the certificates of a member state, vets them against Section 4 and
records files and verdicts. A file with a chain is taken for the certificate that
issued none of the others. A file that holds a private key is not taken in: its
bytes are kept nowhere.

Exit code 1 when a certificate is refused; it is recorded all the same and stays
out of every plan until a conforming one follows.`,
		Example: "  efgsta submit DE --nbtls nbtls.pem --nbbs nbbs.pem --confirmed-by phone",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if len(nbtls)+len(nbbs) == 0 {
				return usagef("example: efgsta submit DE --nbtls nbtls.pem --nbbs nbbs.pem", "nothing is submitted: give --nbtls, --nbbs or both")
			}
			s, err := ws.open(a, deciding)
			if err != nil {
				return err
			}
			defer s.Close()
			if s.Member(args[0]) == nil {
				return usagef("add it with: efgsta member add "+report.Escape(args[0])+" --name NAME --contact CONTACT", "%s is not a member of this workspace", report.Escape(args[0]))
			}
			sub := submission{app: a, session: s, country: args[0], confirmed: confirmed}
			for _, f := range nbtls {
				if err := sub.read(f, vet.NBTLS); err != nil {
					return err
				}
			}
			for _, f := range nbbs {
				if err := sub.read(f, vet.NBBS); err != nil {
					return err
				}
			}
			return sub.finish()
		},
	}
	ws.add(c, a)
	c.Flags().StringArrayVar(&nbtls, "nbtls", nil, "`FILE` with the TLS certificate; may be repeated")
	c.Flags().StringArrayVar(&nbbs, "nbbs", nil, "`FILE` with the batch signature certificate; may be repeated")
	c.Flags().StringVar(&confirmed, "confirmed-by", "", "`HOW` the fingerprints were read back, e.g. phone (Governance 3.2)")
	return c
}

// submission gathers the files of one submit; nothing is recorded before all were read.
type submission struct {
	*app
	*session
	country, confirmed string
	files              []registry.Submitted
	known              []registry.SubmittedCertificate // already in the workspace
}

// read takes one file: which certificate of it is meant, and whether it may come in.
func (s *submission) read(name string, role vet.Role) error {
	data, err := readFile(name)
	if err != nil {
		return err
	}
	base := filepath.Base(name)
	in := cert.Read(base, data)
	if in.PrivateKey {
		const reason = "private key in the file"
		if err := s.Refuse(s.session.now, s.session.actor, registry.RefusalData{Country: s.country, File: base, Reason: reason}); err != nil {
			return err
		}
		return refusef("treat the key as compromised: ask for a new key and certificate; delete the file and what carried it here",
			"%s holds a private key (EFGS-003); nothing of it was kept", name)
	}
	item, chosen, err := in.Submitted()
	if err != nil {
		return usagef("send the certificate alone, as PEM or DER; efgsta check "+report.Escape(name)+" says what is in the file", "%s: %w", name, err)
	}
	c := item.Cert
	if old := s.Find(c.Thumbprint()); old != nil {
		if old.Country != s.country || old.Type != role {
			return refusef("a certificate and its key serve one member in one role (Governance 2.3)", "%s: certificate %s was submitted before as %s %s", name, cert.ShortHex(old.SHA256), old.Country, old.Type)
		}
		s.known = append(s.known, old.SubmittedCertificate)
		return nil
	}
	for _, f := range s.files {
		if f.Certificate.Thumbprint() == c.Thumbprint() {
			return refusef("a certificate and its key serve one member in one role (Governance 2.3)", "%s: the same certificate is also in %s", name, f.Data.File)
		}
	}
	s.files = append(s.files, registry.Submitted{Data: registry.SubmittedCertificate{Type: role, File: base, Chosen: chosen}, File: data, Certificate: c})
	return nil
}

// finish vets what was read, shows the verdicts and records files and verdicts.
func (s *submission) finish() error {
	engine, err := vet.New(s.policy)
	if err != nil {
		return err
	}
	known := s.Known()
	for _, f := range s.files {
		known = append(known, vet.Known{Certificate: f.Certificate, Role: f.Data.Type, Country: s.country, Source: "the " + string(f.Data.Type) + " of this submission"})
	}
	var results []*vet.Result
	allGood := true
	for i := range s.files {
		f := &s.files[i]
		r := engine.Vet(vet.Request{Certificate: f.Certificate, Role: f.Data.Type, Country: s.country, At: s.session.now, Others: known})
		r.File = f.Data.File
		f.Data.Verdict, f.Data.Policy = r.Verdict, s.policy.SHA256
		for _, finding := range r.Findings {
			f.Data.Failed = append(f.Data.Failed, finding.ID)
		}
		results = append(results, r)
		allGood = allGood && r.Verdict == vet.VerdictAccepted
		if f.Data.Chosen != "" {
			s.notef("%s: %s", report.Escape(f.Data.File), report.Escape(f.Data.Chosen))
		}
	}
	for _, k := range s.known {
		s.printf("%s: certificate %s was submitted before; nothing changed\n", report.Escape(k.File), cert.ShortHex(k.SHA256))
	}
	if len(s.files) == 0 {
		return nil
	}
	if err := s.showResults(results, s.session); err != nil {
		return err
	}
	if err := s.Submit(s.session.now, s.session.actor, s.country, s.confirmed, s.files); err != nil {
		return err
	}
	for _, f := range s.files {
		s.printf("recorded %s %s %s\n", s.country, f.Data.Type, f.Certificate.Thumbprint())
	}
	if s.confirmed == "" {
		s.notef("read the fingerprints back to the contact by phone, then say so with --confirmed-by phone (Governance 3.2)")
	}
	if !allGood {
		return no()
	}
	return nil
}

// showResults prints verdicts as check does.
func (a *app) showResults(results []*vet.Result, s *session) error {
	check := report.Check{Policy: s.policy, At: s.now, Results: results, Files: len(results)}
	return check.Table(a.out, a.reportOptions())
}
