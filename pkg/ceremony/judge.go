package ceremony

import (
	"fmt"
	"time"

	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/pkg/release"
	"github.com/efgsta/efgsta/pkg/trustlist"
	"github.com/efgsta/efgsta/pkg/vet"
)

// vet sorts the workspace's certificates into those that pass and those kept out.
// What a list removed once, or the operator revoked, stays out, whatever is said of it today.
func (p *Plan) vet(w *registry.Workspace, engine *vet.Engine, at time.Time, last *release.Verified) ([]vet.Accepted, error) {
	known := w.Known()
	waivers, err := w.Waivers()
	if err != nil {
		return nil, err
	}
	removed := map[string]trustlist.Removal{}
	if last != nil {
		for _, r := range last.List.Removed {
			removed[r.SHA256] = r
		}
	}
	var accepted []vet.Accepted
	for _, c := range w.Certificates() {
		evidence, err := w.Evidence(c.SHA256)
		if err != nil {
			return nil, err
		}
		a, result, err := engine.Accept(vet.Request{Certificate: c.Certificate, Role: c.Type, Country: c.Country, At: at, Workspace: true, Intake: true, Others: known, Evidence: evidence, Waivers: waivers})
		out := KeptOut{Country: c.Country, Type: c.Type, SHA256: c.SHA256, Subject: c.Subject}
		barred := w.Barred(c.Certificate)
		if barred != nil {
			barred.Judge(result)
			out.leaves = barred.Reason
		}
		r, once := removed[c.SHA256]
		if once {
			result.Findings, result.Verdict = append(result.Findings, returning(r)), vet.VerdictRefused
		}
		if err != nil || barred != nil || once {
			if out.leaves == "" {
				out.leaves = endedWaiver(w, c, result, at)
			}
			out.Verdict, out.Findings = result.Verdict, result.Findings
			p.KeptOut = append(p.KeptOut, out)
			continue
		}
		accepted = append(accepted, a)
		p.Certificates = append(p.Certificates, PlannedCertificate{Country: c.Country, Type: c.Type, SHA256: c.SHA256, Findings: notNil(result.Findings)})
	}
	return accepted, nil
}

// returning is the finding about a certificate that a list removed. It comes from
// the list and not from a rule, so it has no id.
func returning(r trustlist.Removal) vet.Finding {
	return vet.Finding{
		Name: "removed-before", Severity: vet.SeverityError, Status: vet.StatusFail, Clause: "Governance 3.4",
		Message: fmt.Sprintf("removed from the list on %s (%s): a removed certificate never comes back", r.Since.Format(time.DateOnly), r.Reason),
		Fix:     "bring a new certificate with a new key",
	}
}

func notNil(f []vet.Finding) []vet.Finding {
	if f == nil {
		return []vet.Finding{}
	}
	return f
}
