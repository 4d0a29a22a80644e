package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/pkg/report"
	"github.com/efgsta/efgsta/pkg/vet"
)

func newSubmitCmd(a *app) *cobra.Command {
	var ws wsFlags
	var nbtls, nbbs []string
	var confirmed string
	var format formatFlag
	var password passwordFlag
	var evidence evidenceFlags
	c := &cobra.Command{
		Use:   "submit CC [FILE…] [--nbtls FILE] [--nbbs FILE]",
		Short: "Take in a member state's certificates and vet them",
		Long: `Takes in the certificates of a member state, vets them against Section 4 and
records files and verdicts. A file with a chain is taken for the certificate that
issued none of the others. A file that holds a private key is not taken in: its
bytes are kept nowhere.

Of a FILE without a flag, such as a PKCS#7, a PKCS#12 or a zip archive, every
certificate that is no CA is taken for what its content says; where that is not
clear, nothing is taken. The password of an encrypted file is asked for.

Exit code 1 when a certificate is refused; it is recorded all the same and stays
out of every plan until a conforming one follows.`,
		Example: `  efgsta submit DE --nbtls nbtls.pem --nbbs nbbs.pem --confirmed-by phone
  efgsta submit DE certificates.zip --password-file password --confirmed-by phone`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := format.check(); err != nil {
				return err
			}
			if len(args)-1+len(nbtls)+len(nbbs) == 0 {
				return usagef("example: efgsta submit DE --nbtls nbtls.pem --nbbs nbbs.pem", "nothing is submitted: give --nbtls, --nbbs or a file with both")
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
			sub := submission{app: a, engine: engine, session: s, country: args[0], confirmed: confirmed, format: format, password: password}
			if sub.given, err = evidence.read(); err != nil {
				return err
			}
			sub.given.notes(a)
			for _, f := range args[1:] {
				if err := sub.read(c.Context(), f, ""); err != nil {
					return err
				}
			}
			for _, f := range nbtls {
				if err := sub.read(c.Context(), f, vet.NBTLS); err != nil {
					return err
				}
			}
			for _, f := range nbbs {
				if err := sub.read(c.Context(), f, vet.NBBS); err != nil {
					return err
				}
			}
			return sub.finish()
		},
	}
	ws.add(c, a)
	format.add(c)
	password.add(c)
	evidence.add(c)
	repeatedVar(c, &nbtls, "nbtls", "`FILE` with the TLS certificate; may be repeated")
	repeatedVar(c, &nbbs, "nbbs", "`FILE` with the batch signature certificate; may be repeated")
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
	password           passwordFlag
	given              given
	items              []submitted
}

// submitted is one file of the submission; old is set if its certificate is in the
// workspace already.
type submitted struct {
	registry.Submitted
	old    *registry.Certificate
	tell   bool // how it was chosen is not plain
	result *vet.Result
}

// turnAway records that a file was not taken in.
func (s *submission) turnAway(file, reason string) error {
	return s.Refuse(s.session.now, s.session.actor, registry.RefusalData{Country: s.country, File: strings.ToValidUTF8(file, "\uFFFD"), Reason: reason})
}

// vet judges every certificate beside all others that the workspace and this submission know.
func (s *submission) vet() error {
	known := s.Known()
	waivers, err := s.Waivers()
	if err != nil {
		return err
	}
	var together []vet.Known
	for _, f := range s.items {
		k := vet.Known{Certificate: f.Certificate, Role: f.Data.Type, Country: s.country, Source: "the " + string(f.Data.Type) + " of this submission"}
		known.Add(k)
		together = append(together, k)
	}
	for i := range s.items {
		f := &s.items[i]
		before, err := s.Evidence(f.Certificate.Thumbprint().String())
		if err != nil {
			return err
		}
		f.result = s.engine.Vet(vet.Request{Certificate: f.Certificate, Role: f.Data.Type, Country: s.country, At: s.session.now, Workspace: true, Intake: true, Others: known, Submission: together,
			Evidence: s.given.Over(before), Waivers: waivers})
		s.Barred(f.Certificate).Judge(f.result)
		f.result.File = f.Data.File
		f.Data.Verdict, f.Data.Policy = f.result.Verdict, s.policy.SHA256
		for _, finding := range f.result.Findings {
			switch {
			case finding.ID == "": // a decision of the operator, which is in the journal itself
			case finding.Status == vet.StatusNotEvaluated:
				f.Data.NotEvaluated = append(f.Data.NotEvaluated, finding.ID)
			default:
				f.Data.Failed = append(f.Data.Failed, finding.ID)
			}
		}
		if f.tell {
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
	if err := s.recordEvidence(); err != nil {
		return err
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

// recordEvidence keeps what was given for the TLS certificates, so that the plan can
// judge by it. It comes before the certificates: after a crash the same submission is repeated.
func (s *submission) recordEvidence() error {
	var which []string
	for _, f := range s.items {
		if f.Data.Type == vet.NBTLS {
			which = append(which, f.Certificate.Thumbprint().String())
		}
	}
	if s.given.Evidence == nil || len(which) == 0 {
		return nil
	}
	return s.SetEvidence(s.session.now, s.session.actor, s.country, which, s.given.Evidence)
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
	check := report.Check{Header: report.Header{Policy: s.policy, At: s.now}, Results: results, Files: len(results)}
	return check.Table(a.out, a.reportOptions())
}
