package main

import (
	"path/filepath"
	"strings"

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
	var format formatFlag
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
			if err := format.check(); err != nil {
				return err
			}
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
			engine, err := vet.New(s.policy)
			if err != nil {
				return err
			}
			sub := submission{app: a, engine: engine, session: s, country: args[0], confirmed: confirmed, format: format}
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
	format.add(c)
	c.Flags().StringArrayVar(&nbtls, "nbtls", nil, "`FILE` with the TLS certificate; may be repeated")
	c.Flags().StringArrayVar(&nbbs, "nbbs", nil, "`FILE` with the batch signature certificate; may be repeated")
	c.Flags().StringVar(&confirmed, "confirmed-by", "", "`HOW` the fingerprints were read back, e.g. phone (Governance 3.2)")
	return c
}

// submission gathers the files of one submit; nothing is recorded before all were
// read and vetted.
type submission struct {
	*app
	*session
	engine             *vet.Engine
	country, confirmed string
	format             formatFlag
	items              []submitted
}

// submitted is one file of the submission; old is set if its certificate is in the
// workspace already.
type submitted struct {
	registry.Submitted
	old    *registry.Certificate
	ofMany bool // the file holds others too
	result *vet.Result
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
		if err := s.turnAway(base, "private key in the file"); err != nil {
			return err
		}
		return refusef("treat the key as compromised: ask for a new key and certificate; delete the file and what carried it here",
			"%s holds a private key (EFGS-003); nothing of it was kept", name)
	}
	item, chosen, err := in.Submitted()
	if err != nil {
		return usagef("send the certificate alone, as PEM or DER; efgsta check "+name+" says what is in the file", "%s: %w", name, err)
	}
	if failed := s.engine.FileFailures(in, role); len(failed) > 0 {
		f := failed[0]
		if err := s.turnAway(base, f.ID+" "+f.Name); err != nil {
			return err
		}
		return refusef("send a file with certificates and nothing else; efgsta check "+name+" says what is in this one",
			"%s: %s %s: %s; nothing of it was kept", name, f.ID, f.Name, f.Message)
	}
	c := item.Cert
	old := s.Find(c.Thumbprint())
	if old != nil && (old.Country != s.country || old.Type != role) {
		return refusef("a certificate and its key serve one member in one role (Governance 2.3)", "%s: certificate %s was submitted before as %s %s", name, cert.ShortHex(old.SHA256), old.Country, old.Type)
	}
	for _, f := range s.items {
		if f.Certificate.Thumbprint() == c.Thumbprint() {
			return refusef("a certificate and its key serve one member in one role (Governance 2.3)", "%s: the same certificate is also in %s", name, f.Data.File)
		}
	}
	record := registry.SubmittedCertificate{Type: role, File: strings.ToValidUTF8(base, "\uFFFD"), Chosen: chosen}
	s.items = append(s.items, submitted{Submitted: registry.Submitted{Data: record, File: data, Certificate: c}, old: old, ofMany: len(in.Items) > 1})
	return nil
}

// turnAway records that a file was not taken in.
func (s *submission) turnAway(file, reason string) error {
	return s.Refuse(s.session.now, s.session.actor, registry.RefusalData{Country: s.country, File: strings.ToValidUTF8(file, "\uFFFD"), Reason: reason})
}

// vet judges every certificate beside all others that the workspace and this submission know.
func (s *submission) vet() error {
	known := s.Known()
	for _, f := range s.items {
		known = append(known, vet.Known{Certificate: f.Certificate, Role: f.Data.Type, Country: s.country, Source: "the " + string(f.Data.Type) + " of this submission"})
	}
	for i := range s.items {
		f := &s.items[i]
		f.result = s.engine.Vet(vet.Request{Certificate: f.Certificate, Role: f.Data.Type, Country: s.country, At: s.session.now, Others: known})
		f.result.File = f.Data.File
		f.Data.Verdict, f.Data.Policy = f.result.Verdict, s.policy.SHA256
		for _, finding := range f.result.Findings {
			if finding.Status == vet.StatusNotEvaluated {
				f.Data.NotEvaluated = append(f.Data.NotEvaluated, finding.ID)
			} else {
				f.Data.Failed = append(f.Data.Failed, finding.ID)
			}
		}
		if f.ofMany {
			s.notef("%s: %s", report.Escape(f.Data.File), report.Escape(f.Data.Chosen))
		}
	}
	return nil
}

// record writes what is new: certificates with their verdicts, and a confirmation
// that came later than its certificate.
func (s *submission) record() error {
	var files []registry.Submitted
	var confirmed []string
	for _, f := range s.items {
		switch {
		case f.old == nil:
			files = append(files, f.Submitted)
		case s.confirmed != "" && f.old.ConfirmedBy == "":
			confirmed = append(confirmed, f.old.SHA256)
		}
	}
	if len(files) > 0 {
		if err := s.Submit(s.session.now, s.session.actor, s.country, s.confirmed, files); err != nil {
			return err
		}
	}
	if len(confirmed) > 0 {
		return s.Confirm(s.session.now, s.session.actor, registry.ConfirmationData{Country: s.country, ConfirmedBy: s.confirmed, Certificates: confirmed})
	}
	return nil
}

// finish vets, records and shows; exit code 1 if anything is not accepted.
func (s *submission) finish() error {
	if err := s.vet(); err != nil {
		return err
	}
	if err := s.record(); err != nil {
		return err
	}
	show := s.table
	if s.format.json() {
		show = s.printJSON
	}
	if err := show(); err != nil {
		return err
	}
	for _, f := range s.items {
		if f.Data.Verdict != vet.VerdictAccepted {
			return no()
		}
	}
	return nil
}

func (s *submission) table() error {
	var results []*vet.Result
	for _, f := range s.items {
		results = append(results, f.result)
	}
	if err := s.showResults(results, s.session); err != nil {
		return err
	}
	unconfirmed := false
	for _, f := range s.items {
		what := "recorded"
		if f.old != nil {
			what = "recorded before:"
		}
		s.printf("%s %s %s %s\n", what, s.country, f.Data.Type, f.Certificate.Thumbprint())
		unconfirmed = unconfirmed || s.Find(f.Certificate.Thumbprint()).ConfirmedBy == ""
	}
	if unconfirmed {
		s.notef("read the fingerprints back to the contact by phone, then submit the same files with --confirmed-by phone (Governance 3.2)")
	}
	return nil
}

type submitJSON struct {
	Schema       string             `json:"schema"`
	Country      string             `json:"country"`
	Certificates []submitResultJSON `json:"certificates"`
}

type submitResultJSON struct {
	File        string        `json:"file"`
	Chosen      string        `json:"chosen"` // why this certificate of the file
	Type        vet.Role      `json:"type"`
	SHA256      string        `json:"sha256"`
	Subject     string        `json:"subject"`
	Verdict     vet.Verdict   `json:"verdict"`
	Findings    []vet.Finding `json:"findings"`
	New         bool          `json:"new"` // false: recorded before
	ConfirmedBy string        `json:"confirmedBy"`
}

func (s *submission) printJSON() error {
	doc := submitJSON{"efgsta.submit/v1", s.country, []submitResultJSON{}}
	for _, f := range s.items {
		findings := f.result.Findings
		if findings == nil {
			findings = []vet.Finding{}
		}
		doc.Certificates = append(doc.Certificates, submitResultJSON{
			File: f.Data.File, Chosen: f.Data.Chosen, Type: f.Data.Type, SHA256: f.Certificate.Thumbprint().String(), Subject: f.Certificate.Subject.String(),
			Verdict: f.Data.Verdict, Findings: findings, New: f.old == nil, ConfirmedBy: s.Find(f.Certificate.Thumbprint()).ConfirmedBy,
		})
	}
	return s.json(doc)
}

// showResults prints verdicts as check does.
func (a *app) showResults(results []*vet.Result, s *session) error {
	check := report.Check{Policy: s.policy, At: s.now, Results: results, Files: len(results)}
	return check.Table(a.out, a.reportOptions())
}
