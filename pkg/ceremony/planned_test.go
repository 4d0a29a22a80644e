package ceremony

import (
	"slices"
	"testing"
	"time"

	"github.com/efgsta/efgsta/pkg/release"
)

// Only what the plan left open may be new when the manifest is signed.
func TestSameAsPlanned(t *testing.T) {
	planned := release.Manifest{ListID: "efgs", Sequence: 3, Previous: "ab", Issued: time.Unix(0, 0).UTC(), Journal: release.JournalHead{Seq: 9}, Files: []release.File{
		{Path: "gateway/whitelist.pem", Target: release.TargetGateway, Renderer: release.RenderGateway, Size: 4, SHA256: "cd"},
		{Path: "trust/a.sig", Target: release.TargetTrust, Renderer: release.RenderSignature},
	}}
	p := &Pending{Plan: &Plan{Manifest: planned}, Digest: "digest"}
	good := func() release.Manifest {
		m := planned
		m.Plan, m.Files = "digest", slices.Clone(planned.Files)
		m.Files[1].Size, m.Files[1].SHA256 = 7, "ef"
		return m
	}
	if err := p.sameAsPlanned(good()); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*release.Manifest){
		"sequence":       func(m *release.Manifest) { m.Sequence++ },
		"previous":       func(m *release.Manifest) { m.Previous = "" },
		"time":           func(m *release.Manifest) { m.Issued = m.Issued.Add(time.Second) },
		"journal":        func(m *release.Manifest) { m.Journal.Seq++ },
		"another plan":   func(m *release.Manifest) { m.Plan = "other" },
		"a file less":    func(m *release.Manifest) { m.Files = m.Files[:1] },
		"a file more":    func(m *release.Manifest) { m.Files = append(m.Files, release.File{Path: "x"}) },
		"another path":   func(m *release.Manifest) { m.Files[1].Path = "trust/b.sig" },
		"another target": func(m *release.Manifest) { m.Files[1].Target = release.TargetRecord },
		"fixed content":  func(m *release.Manifest) { m.Files[0].SHA256 = "00" },
		"fixed size":     func(m *release.Manifest) { m.Files[0].Size = 5 },
		"renderer":       func(m *release.Manifest) { m.Files[0].Renderer = "gateway/2" },
	} {
		m := good()
		change(&m)
		if p.sameAsPlanned(m) == nil {
			t.Errorf("%s: taken for what was planned", name)
		}
	}
}
