package registry_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/efgsta/efgsta/pkg/ceremony/ceremonytest"
	"github.com/efgsta/efgsta/pkg/journal"
	"github.com/efgsta/efgsta/pkg/registry"
)

// events writes a journal of these events, well chained, over that of a new workspace.
func events(t *testing.T, list ...any) (dir string) {
	t.Helper()
	dir = ceremonytest.Init(t, registry.Rehearsal)
	path := filepath.Join(dir, registry.JournalFile)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	log, _, err := journal.Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(list); i += 2 {
		if _, err := log.Append(start, "me", list[i].(string), list[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A journal whose chain is whole but whose events do not fit was not written by this program.
func TestOpenRefusesEventsThatDoNotFit(t *testing.T) {
	first := registry.InitData{ListID: "efgs-rehearsal", Environment: registry.Rehearsal, Policy: "efgs-2020", Tool: "t"}
	hex := strings.Repeat("ab", 32)
	member := registry.MemberData{Country: "DE", Name: "Germany"}
	submitted := func(country, role, sha, object string) json.RawMessage {
		return json.RawMessage(`{"country":"` + country + `","confirmedBy":"","certificates":[{"type":"` + role + `","sha256":"` + sha + `","fileSha256":"` + object + `"}]}`)
	}
	evidence := func(sha, roots, list string) json.RawMessage {
		return json.RawMessage(`{"country":"DE","certificates":["` + sha + `"],"roots":` + roots + `,"intermediates":[],"crls":[{"file":"f","sha256":"` + list + `"}],"ocsp":[]}`)
	}
	proposal := func(edit func(*registry.ProposalData)) registry.ProposalData {
		d := registry.ProposalData{Kind: registry.KeyException, Anchor: hex, Token: "T", Serial: "1", Key: "pkcs11:token=T;object=k", KeyID: "77", Weaknesses: []string{"CKA_LOCAL is false"}, Why: "old"}
		edit(&d)
		return d
	}
	for name, list := range map[string][]any{
		"does not begin with init":      {registry.EventMember, member},
		"init twice":                    {registry.EventInit, first, registry.EventInit, first},
		"unknown type":                  {registry.EventInit, first, "member.beatified", member},
		"unknown member":                {registry.EventInit, first, registry.EventMember, json.RawMessage(`{"country":"DE","saint":true}`)},
		"wrong shape":                   {registry.EventInit, first, registry.EventMember, json.RawMessage(`[1]`)},
		"null":                          {registry.EventInit, first, registry.EventMember, json.RawMessage(`null`)},
		"member twice":                  {registry.EventInit, first, registry.EventMember, member, registry.EventMember, member},
		"submission of nobody":          {registry.EventInit, first, registry.EventSubmission, submitted("DE", "nbbs", hex, hex)},
		"submission of another type":    {registry.EventInit, first, registry.EventMember, member, registry.EventSubmission, submitted("DE", "efgsta", hex, hex)},
		"object name that is a path":    {registry.EventInit, first, registry.EventMember, member, registry.EventSubmission, submitted("DE", "nbbs", "../efgsta.yaml", hex)},
		"file name that is a path":      {registry.EventInit, first, registry.EventMember, member, registry.EventSubmission, submitted("DE", "nbbs", hex, "../efgsta.yaml")},
		"object that is not there":      {registry.EventInit, first, registry.EventMember, member, registry.EventSubmission, submitted("DE", "nbbs", hex, hex)},
		"confirmation of nothing":       {registry.EventInit, first, registry.EventConfirmed, registry.ConfirmationData{Country: "DE", Certificates: []string{hex}}},
		"anchor that is a path":         {registry.EventInit, first, registry.EventAnchor, registry.AnchorData{SHA256: "../efgsta.yaml"}},
		"anchor twice":                  {registry.EventInit, first, registry.EventAnchor, registry.AnchorData{SHA256: hex}, registry.EventAnchor, registry.AnchorData{SHA256: hex}},
		"import without a proof":        {registry.EventInit, first, registry.EventImported, registry.ImportData{AnchorData: registry.AnchorData{SHA256: hex}, Signature: []byte{1}}},
		"import with half a proof":      {registry.EventInit, first, registry.EventImported, registry.ImportData{AnchorData: registry.AnchorData{SHA256: hex}, Nonce: []byte{1}}},
		"import that is null":           {registry.EventInit, first, registry.EventImported, json.RawMessage(`null`)},
		"anchor's key ID is no hex":     {registry.EventInit, first, registry.EventAnchor, registry.AnchorData{SHA256: hex, KeyID: "zz"}},
		"proposal of no kind":           {registry.EventInit, first, registry.EventProposal, proposal(func(d *registry.ProposalData) { d.Kind = "x" })},
		"proposal for a path":           {registry.EventInit, first, registry.EventProposal, proposal(func(d *registry.ProposalData) { d.Anchor = "../x" })},
		"proposal without serial":       {registry.EventInit, first, registry.EventProposal, proposal(func(d *registry.ProposalData) { d.Serial = "" })},
		"proposal without key":          {registry.EventInit, first, registry.EventProposal, proposal(func(d *registry.ProposalData) { d.Key = "" })},
		"proposal's key ID is no hex":   {registry.EventInit, first, registry.EventProposal, proposal(func(d *registry.ProposalData) { d.KeyID = "zz" })},
		"proposal's key ID in capitals": {registry.EventInit, first, registry.EventProposal, proposal(func(d *registry.ProposalData) { d.KeyID = "AB" })},
		"proposal without why":          {registry.EventInit, first, registry.EventProposal, proposal(func(d *registry.ProposalData) { d.Why = " " })},
		"exception from nothing":        {registry.EventInit, first, registry.EventProposal, proposal(func(d *registry.ProposalData) { d.Weaknesses = nil })},
		"spare of no EFGSTA":            {registry.EventInit, first, registry.EventProposal, proposal(func(d *registry.ProposalData) { d.Kind = registry.SpareToken })},
		"proposal for another EFGSTA":   {registry.EventInit, first, registry.EventAnchor, registry.AnchorData{SHA256: strings.Repeat("cd", 32)}, registry.EventProposal, proposal(func(*registry.ProposalData) {})},
		"release out of sequence":       {registry.EventInit, first, registry.EventReleased, registry.ReleasedData{Sequence: 2}},
		"release of the wrong shape":    {registry.EventInit, first, registry.EventReleased, json.RawMessage(`{"sequence":-1}`)},
		"refusal of the wrong shape":    {registry.EventInit, first, registry.EventRefusal, json.RawMessage(`{"bytes":"AA=="}`)},
		"confirmation of wrong shape":   {registry.EventInit, first, registry.EventConfirmed, json.RawMessage(`7`)},
		"anchor of wrong shape":         {registry.EventInit, first, registry.EventAnchor, json.RawMessage(`7`)},
		"submission of wrong shape":     {registry.EventInit, first, registry.EventMember, member, registry.EventSubmission, json.RawMessage(`7`)},
		"evidence of wrong shape":       {registry.EventInit, first, registry.EventMember, member, registry.EventEvidence, json.RawMessage(`7`)},
		"evidence of nobody":            {registry.EventInit, first, registry.EventEvidence, evidence(hex, `{"file":"mozilla","sha256":""}`, hex)},
		"evidence for a path":           {registry.EventInit, first, registry.EventMember, member, registry.EventEvidence, evidence("../x", `null`, hex)},
		"evidence that is a path":       {registry.EventInit, first, registry.EventMember, member, registry.EventEvidence, evidence(hex, `null`, "../x")},
		"roots that are a path":         {registry.EventInit, first, registry.EventMember, member, registry.EventEvidence, evidence(hex, `{"file":"f","sha256":"../x"}`, hex)},
		"roots of nobody":               {registry.EventInit, first, registry.EventMember, member, registry.EventEvidence, evidence(hex, `{"file":"f","sha256":""}`, hex)},
		"init of wrong shape":           {registry.EventInit, json.RawMessage(`7`)},
		"init of another list":          {registry.EventInit, registry.InitData{ListID: "x", Environment: registry.Rehearsal}},
	} {
		t.Run(name, func(t *testing.T) {
			w, err := registry.Open(events(t, list...))
			if err == nil {
				w.Close()
				t.Fatal("opened")
			}
			if !errors.Is(err, registry.ErrDamaged) {
				t.Errorf("error %v, want ErrDamaged", err)
			}
			// Otherwise a vector could pass because of an object that is not there either.
			if name != "object that is not there" && name != "init of another list" && !strings.Contains(err.Error(), "journal event ") {
				t.Errorf("error %v is not about an event", err)
			}
		})
	}
	w, err := registry.Open(events(t, registry.EventInit, first, registry.EventMember, member,
		registry.EventEvidence, evidence(hex, `{"file":"mozilla","sha256":""}`, hex), registry.EventReleased, registry.ReleasedData{Sequence: 1}))
	if err != nil {
		t.Fatalf("the vectors begin with a journal that is not good: %v", err)
	}
	w.Close()
}

// An exception may come before the EFGSTA that it is for, counts for no other, and is
// found again by the number that it was given.
func TestExceptionBeforeTheAnchor(t *testing.T) {
	f := ceremonytest.Open(t, ceremonytest.Init(t, registry.Production))
	d := registry.ProposalData{Kind: registry.KeyException, Anchor: strings.Repeat("ab", 32), Token: "T", Serial: "1", Key: "pkcs11:token=T;object=k", KeyID: "77", Weaknesses: []string{"CKA_LOCAL is false"}, Why: "old"}
	p, added, err := f.Propose(ceremonytest.Start, "me", d)
	if err != nil || !added || p.Event != 2 {
		t.Fatalf("%+v %v %v", p, added, err)
	}
	other := d
	other.Why = "older"
	if p, added, err := f.Propose(ceremonytest.Start, "me", other); err != nil || !added || p.Event != 3 {
		t.Fatalf("%+v %v %v", p, added, err)
	}
	if p, added, err := f.Propose(ceremonytest.Start, "me", d); err != nil || added || p.Event != 2 {
		t.Errorf("the same again: %+v %v %v", p, added, err)
	}
	f.Reopen()
	if p, inForce := f.MayUse(d.Anchor, "1", "77", d.Weaknesses); p == nil || inForce {
		t.Errorf("%+v, in force %v in production", p, inForce)
	}
	for _, of := range []string{"", strings.Repeat("cd", 32)} {
		if p, _ := f.MayUse(of, "1", "77", d.Weaknesses); p != nil {
			t.Errorf("for %q: %+v", of, p)
		}
	}
}
