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
	for name, list := range map[string][]any{
		"does not begin with init":    {registry.EventMember, member},
		"init twice":                  {registry.EventInit, first, registry.EventInit, first},
		"unknown type":                {registry.EventInit, first, "member.beatified", member},
		"unknown member":              {registry.EventInit, first, registry.EventMember, json.RawMessage(`{"country":"DE","saint":true}`)},
		"wrong shape":                 {registry.EventInit, first, registry.EventMember, json.RawMessage(`[1]`)},
		"null":                        {registry.EventInit, first, registry.EventMember, json.RawMessage(`null`)},
		"member twice":                {registry.EventInit, first, registry.EventMember, member, registry.EventMember, member},
		"submission of nobody":        {registry.EventInit, first, registry.EventSubmission, submitted("DE", "nbbs", hex, hex)},
		"submission of another type":  {registry.EventInit, first, registry.EventMember, member, registry.EventSubmission, submitted("DE", "efgsta", hex, hex)},
		"object name that is a path":  {registry.EventInit, first, registry.EventMember, member, registry.EventSubmission, submitted("DE", "nbbs", "../efgsta.yaml", hex)},
		"file name that is a path":    {registry.EventInit, first, registry.EventMember, member, registry.EventSubmission, submitted("DE", "nbbs", hex, "../efgsta.yaml")},
		"object that is not there":    {registry.EventInit, first, registry.EventMember, member, registry.EventSubmission, submitted("DE", "nbbs", hex, hex)},
		"confirmation of nothing":     {registry.EventInit, first, registry.EventConfirmed, registry.ConfirmationData{Country: "DE", Certificates: []string{hex}}},
		"anchor that is a path":       {registry.EventInit, first, registry.EventAnchor, registry.AnchorData{SHA256: "../efgsta.yaml"}},
		"anchor twice":                {registry.EventInit, first, registry.EventAnchor, registry.AnchorData{SHA256: hex}, registry.EventAnchor, registry.AnchorData{SHA256: hex}},
		"release out of sequence":     {registry.EventInit, first, registry.EventReleased, registry.ReleasedData{Sequence: 2}},
		"release of the wrong shape":  {registry.EventInit, first, registry.EventReleased, json.RawMessage(`{"sequence":-1}`)},
		"refusal of the wrong shape":  {registry.EventInit, first, registry.EventRefusal, json.RawMessage(`{"bytes":"AA=="}`)},
		"confirmation of wrong shape": {registry.EventInit, first, registry.EventConfirmed, json.RawMessage(`7`)},
		"anchor of wrong shape":       {registry.EventInit, first, registry.EventAnchor, json.RawMessage(`7`)},
		"submission of wrong shape":   {registry.EventInit, first, registry.EventMember, member, registry.EventSubmission, json.RawMessage(`7`)},
		"evidence of wrong shape":     {registry.EventInit, first, registry.EventMember, member, registry.EventEvidence, json.RawMessage(`7`)},
		"evidence of nobody":          {registry.EventInit, first, registry.EventEvidence, evidence(hex, `{"file":"mozilla","sha256":""}`, hex)},
		"evidence for a path":         {registry.EventInit, first, registry.EventMember, member, registry.EventEvidence, evidence("../x", `null`, hex)},
		"evidence that is a path":     {registry.EventInit, first, registry.EventMember, member, registry.EventEvidence, evidence(hex, `null`, "../x")},
		"roots that are a path":       {registry.EventInit, first, registry.EventMember, member, registry.EventEvidence, evidence(hex, `{"file":"f","sha256":"../x"}`, hex)},
		"roots of nobody":             {registry.EventInit, first, registry.EventMember, member, registry.EventEvidence, evidence(hex, `{"file":"f","sha256":""}`, hex)},
		"init of wrong shape":         {registry.EventInit, json.RawMessage(`7`)},
		"init of another list":        {registry.EventInit, registry.InitData{ListID: "x", Environment: registry.Rehearsal}},
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
		})
	}
	w, err := registry.Open(events(t, registry.EventInit, first, registry.EventMember, member,
		registry.EventEvidence, evidence(hex, `{"file":"mozilla","sha256":""}`, hex), registry.EventReleased, registry.ReleasedData{Sequence: 1}))
	if err != nil {
		t.Fatalf("the vectors begin with a journal that is not good: %v", err)
	}
	w.Close()
}
