package ceremony

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/pkg/release"
	"github.com/efgsta/efgsta/pkg/vet"
)

// ErrDrop marks a request to drop a certificate that is not there to be dropped.
var ErrDrop = errors.New("drop")

// ErrEvidence marks a plan that would take a certificate off the list for good only
// because evidence about it is missing or stale.
var ErrEvidence = errors.New("evidence")

// minDrop is the least part of a thumbprint that names a certificate, in hex digits:
// what every report shows of it.
const minDrop = 16

// Dropped is a certificate of the last list that nothing was found against, and that
// leaves all the same because the operator said so.
type Dropped struct {
	Country string   `json:"country"`
	Type    vet.Role `json:"type"`
	SHA256  string   `json:"sha256"`
	Rules   []string `json:"rules"` // ids of the rules that were not evaluated
}

// chooser picks out of the certificates that lack evidence those to be dropped, by
// thumbprint.
type chooser func(lacking []KeptOut) ([]string, error)

// named chooses what the operator named: each by its SHA-256, or at least 16 digits
// of it. Errors wrap ErrDrop.
func named(names []string) chooser {
	return func(lacking []KeptOut) ([]string, error) {
		var chosen []string
		for _, name := range names {
			// As openssl prints it, and as people copy it.
			prefix := strings.ToLower(strings.NewReplacer(":", "", " ", "").Replace(name))
			if len(prefix) < minDrop || len(prefix) > hex.EncodedLen(len(cert.Thumbprint{})) || strings.Trim(prefix, "0123456789abcdef") != "" {
				return nil, &Error{Msg: fmt.Sprintf("%q is not a thumbprint", name), Next: fmt.Sprintf("%d to 64 hex digits of the certificate's SHA-256", minDrop), Err: ErrDrop}
			}
			of := slices.DeleteFunc(slices.Clone(lacking), func(k KeptOut) bool { return !strings.HasPrefix(k.SHA256, prefix) })
			switch len(of) {
			case 0:
				return nil, &Error{Msg: fmt.Sprintf("no listed certificate %s lacks only evidence", prefix),
					Next: "only what is on the last list, and leaves it for want of evidence, is dropped by hand; efgsta plan names it", Err: ErrDrop}
			case 1:
				chosen = append(chosen, of[0].SHA256)
			default:
				return nil, &Error{Msg: fmt.Sprintf("%d certificates begin with %s", len(of), prefix), Next: "give all 64 hex digits", Err: ErrDrop}
			}
		}
		return chosen, nil
	}
}

// recorded chooses again what a plan dropped, as far as it still lacks only evidence:
// by the time of signing it may have expired as well.
func recorded(p *Plan) chooser {
	return func([]KeptOut) ([]string, error) {
		var chosen []string
		for _, d := range p.Dropped {
			chosen = append(chosen, d.SHA256)
		}
		return chosen, nil
	}
}

// drop notes which certificates of the last list the operator drops, and refuses if
// others would leave it for want of evidence too: what leaves never comes back.
func (p *Plan) drop(w *registry.Workspace, last *release.Verified, choose chooser) error {
	lacking := p.lacking(last)
	chosen, err := choose(lacking)
	if err != nil {
		return err
	}
	var stay []KeptOut
	for _, k := range lacking {
		if slices.Contains(chosen, k.SHA256) {
			p.Dropped = append(p.Dropped, Dropped{k.Country, k.Type, k.SHA256, missing(k, func(f vet.Finding) string { return f.ID })})
		} else {
			stay = append(stay, k)
		}
	}
	if len(stay) > 0 {
		return needsEvidence(stay, waiverHints(w, stay))
	}
	return nil
}

// lacking are the certificates of the last list that only missing evidence keeps out
// of the next, in the order of the list.
func (p *Plan) lacking(last *release.Verified) []KeptOut {
	var out []KeptOut
	if last == nil {
		return nil
	}
	for _, e := range last.List.Entries {
		if k := p.keptOut(e); k != nil && k.Verdict == vet.VerdictUndecided {
			out = append(out, *k)
		}
	}
	return out
}

// missing gives each rule that was not evaluated and keeps a certificate out, once.
func missing(k KeptOut, name func(vet.Finding) string) []string {
	out := []string{}
	for _, f := range k.Findings {
		if f.Blocks {
			out = append(out, name(f))
		}
	}
	return slices.Compact(out)
}

// needsEvidence is the refusal to plan without these certificates.
func needsEvidence(lacking []KeptOut, waivers []string) error {
	var who, next []string
	for _, k := range lacking {
		name := fmt.Sprintf("%s %s %s", k.Country, strings.ToUpper(string(k.Type)), cert.ShortHex(k.SHA256))
		who = append(who, fmt.Sprintf("%s (%s)", name, strings.Join(missing(k, func(f vet.Finding) string { return f.ID + " " + f.Name }), ", ")))
		for _, what := range missing(k, func(f vet.Finding) string { return f.ID + ": " + f.Message }) {
			next = append(next, name+": "+what)
		}
	}
	next = append(next, waivers...)
	next = append(next, "fetch what is missing, submit the same certificate with it (efgsta submit CC --nbtls FILE --crl FILE), and plan again: it stays listed",
		"or take it off the list for good: efgsta plan --drop THUMBPRINT")
	return &Error{Msg: "listed, and would leave for good only for want of evidence: " + strings.Join(who, "; "), Next: strings.Join(next, "\n"), Err: errors.Join(ErrPlan, ErrEvidence)}
}
