package ceremony

import (
	"fmt"

	"github.com/efgsta/efgsta/pkg/release"
	"github.com/efgsta/efgsta/pkg/release/gateway"
)

// chooseTargets leaves out what the other side could not verify, and says so.
func (p *Plan) chooseTargets(d *release.Draft) {
	if err := gateway.CheckAnchor(d.Anchor.Certificate); err != nil {
		p.LeftOut = append(p.LeftOut, LeftOut{release.TargetGateway, err.Error()})
		return
	}
	d.Gateway = true
	unfit := release.WithoutRow(d.List)
	for _, e := range d.List.Entries {
		if err := unfit[e.SHA256]; err != nil {
			p.WithoutRow = append(p.WithoutRow, WithoutRow{e.Country, e.Type, e.SHA256, err.Error()})
		}
	}
}

// fix writes into the plan every byte that signing must not be able to change.
func (p *Plan) fix(d *release.Draft) error {
	at := d.SigningTime()
	byHash := map[string]*PlannedCertificate{}
	for i := range p.Certificates {
		byHash[p.Certificates[i].SHA256] = &p.Certificates[i]
	}
	for _, a := range d.Certificates {
		c := byHash[a.Certificate().Thumbprint().String()]
		attrs, err := d.Anchor.CMSAttributes(a.Certificate().Raw, at)
		if err != nil {
			return fmt.Errorf("%s %s %s: %w", c.Country, c.Type, c.SHA256, err)
		}
		c.PEM, c.CMSAttributes = string(a.Certificate().PEM()), attrs
	}
	attrs, err := d.Anchor.CMSAttributes(d.Document.Bytes(), at)
	if err != nil {
		return err
	}
	p.TrustList = PlannedText{Text: string(d.Document.Bytes()), CMSAttributes: attrs}

	planned, err := d.Plan()
	if err != nil {
		return err
	}
	p.Manifest = d.Header("")
	p.Manifest.Files = make([]release.File, 0, len(planned))
	for _, f := range planned {
		entry := release.File{Path: f.Path, Target: f.Target, Renderer: f.Renderer}
		if f.Content != nil {
			entry.Size, entry.SHA256 = len(f.Content), release.Digest(f.Content)
		}
		p.Manifest.Files = append(p.Manifest.Files, entry)
	}
	return nil
}
