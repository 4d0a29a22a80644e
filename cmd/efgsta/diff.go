package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/efgsta/efgsta/pkg/anchor"
	"github.com/efgsta/efgsta/pkg/bundle"
	"github.com/efgsta/efgsta/pkg/ceremony"
	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/release"
	"github.com/efgsta/efgsta/pkg/report"
	"github.com/efgsta/efgsta/pkg/trustlist"
)

func newDiffCmd(a *app) *cobra.Command {
	var format formatFlag
	c := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "What changed between two trust lists, plans, releases or bundles, in words",
		Long: `Compares two trust lists, plans (plan.json), releases (directories) or bundles (tar),
or the lists in two things of different kind: certificates that came, left with the
reason, or are listed otherwise; next update, policy, EFGSTA; in plans what is kept
out; in releases and bundles which files differ.

It verifies nothing: what it reads may be anybody's. Exit code 0 if both are the
same, 1 if they differ, 2 if one cannot be read.`,
		Example: `  efgsta diff releases/000001 releases/000002
  efgsta diff gateway-000001.tar gateway-000002.tar --format json`,
		Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			if err := format.check(); err != nil {
				return err
			}
			old, err := readSide(args[0])
			if err != nil {
				return err
			}
			new, err := readSide(args[1])
			if err != nil {
				return err
			}
			d := compareSides(old, new)
			if !format.json() {
				a.showDiff(d)
			} else if err := a.json(d); err != nil {
				return err
			}
			a.notef("nothing was verified: efgsta verify, or efgsta journal verify, does that")
			if !d.Same {
				return no()
			}
			return nil
		},
	}
	format.add(c)
	return c
}

// side is one of the two things that are compared.
type side struct {
	name, kind string
	sha256     string // of all its bytes
	list       *trustlist.List
	listText   []byte
	plan       *ceremony.Plan    // of a plan
	manifest   *release.Manifest // of a release or bundle
}

// diffJSON is the result of a comparison.
type diffJSON struct {
	Schema   string             `json:"schema"`
	Old      sideJSON           `json:"old"`
	New      sideJSON           `json:"new"`
	Same     bool               `json:"same"`
	Verified bool               `json:"verified"` // always false: nothing was verified
	Changes  []trustlist.Change `json:"changes"`
}

type sideJSON struct {
	File     string `json:"file"`
	Kind     string `json:"kind"` // trustlist, plan, release, bundle
	SHA256   string `json:"sha256"`
	ListID   string `json:"listId"`
	Sequence uint64 `json:"sequence"`
}

func (s *side) json() sideJSON {
	return sideJSON{s.name, s.kind, s.sha256, s.list.ListID, s.list.Sequence}
}

// readSide reads a thing by what is in it.
func readSide(name string) (*side, error) {
	s := &side{name: name}
	err := s.read()
	var e *exitError
	if err != nil && !errors.As(err, &e) {
		return nil, usagef("name trust lists, plans (plan.json), directories of releases, or bundles", "%s: %w", name, err)
	}
	return s, err
}

func (s *side) read() error {
	if st, err := os.Stat(s.name); err == nil && st.IsDir() {
		files, err := release.ReadDir(os.DirFS(s.name))
		if err != nil {
			return err
		}
		s.kind = "release"
		var sums bytes.Buffer
		for _, name := range slices.Sorted(maps.Keys(files)) {
			fmt.Fprintf(&sums, "%s  %s\n", release.Digest(files[name]), name)
		}
		s.sha256 = release.Digest(sums.Bytes())
		return s.files(files)
	}
	data, err := readFile(s.name)
	if err != nil {
		return err
	}
	s.sha256 = release.Digest(data)
	if !bytes.HasPrefix(data, []byte("{")) {
		files, err := bundle.Unpack(bytes.NewReader(data))
		if err != nil {
			return err
		}
		s.kind = "bundle"
		return s.files(files)
	}
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return err
	}
	switch head.Schema {
	case string(anchor.TrustList):
		s.kind, s.listText = "trustlist", data
	case ceremony.PlanSchema:
		if s.plan, err = ceremony.ParsePlan(data); err != nil {
			return err
		}
		s.kind, s.listText = "plan", []byte(s.plan.TrustList.Text)
	default:
		return fmt.Errorf("schema %q is neither a trust list nor a plan", head.Schema)
	}
	s.list, err = trustlist.Parse(s.listText)
	return err
}

func (s *side) files(files release.Files) error {
	s.manifest = &release.Manifest{}
	if err := anchor.Decode(anchor.Manifest, files[release.ManifestPath], s.manifest); err != nil {
		return fmt.Errorf("%s: %w", release.ManifestPath, err)
	}
	var err error
	s.listText = files[release.ListPath]
	if s.list, err = trustlist.Parse(s.listText); err != nil {
		return fmt.Errorf("%s: %w", release.ListPath, err)
	}
	return nil
}

func compareSides(old, new *side) *diffJSON {
	d := &diffJSON{Schema: "efgsta.diff/v1", Old: old.json(), New: new.json(), Changes: []trustlist.Change{}}
	d.Changes = append(d.Changes, trustlist.Diff(old.list, new.list)...)
	if o, n := old.list, new.list; n.Sequence == o.Sequence+1 && n.Previous != release.Digest(old.listText) {
		d.Changes = append(d.Changes, changed("list", "the new list does not name the old one as the list before"))
	}
	switch {
	case old.plan != nil && new.plan != nil:
		d.Changes = append(d.Changes, diffPlans(old.plan, new.plan)...)
	case old.manifest != nil && new.manifest != nil:
		d.Changes = append(d.Changes, diffFiles(old.manifest, new.manifest)...)
	}
	// What no line above names must not pass for the same.
	if len(d.Changes) == 0 && old.kind == new.kind && old.sha256 != new.sha256 {
		d.Changes = append(d.Changes, changed(old.kind, "they say the same, in other bytes: signatures, or the form"))
	}
	d.Same = len(d.Changes) == 0
	return d
}

func changed(part, format string, args ...any) trustlist.Change {
	return trustlist.Change{Kind: trustlist.Changed, Part: part, Text: fmt.Sprintf(format, args...)}
}

// diffPlans compares what a plan has beside its list.
func diffPlans(old, new *ceremony.Plan) []trustlist.Change {
	var out []trustlist.Change
	say := func(what, was, is string) {
		if was != is {
			out = append(out, changed("plan", "%s: %s → %s", what, was, is))
		}
	}
	say("made by", old.Tool, new.Tool)
	say("configuration", cert.ShortHex(old.Config), cert.ShortHex(new.Config))
	say("made on event", fmt.Sprintf("%d %s", old.Journal.Seq, cert.ShortHex(old.Journal.Hash)), fmt.Sprintf("%d %s", new.Journal.Seq, cert.ShortHex(new.Journal.Hash)))
	say("targets left out", leftOut(old), leftOut(new))
	was := map[string]ceremony.KeptOut{}
	for _, k := range old.KeptOut {
		was[k.SHA256] = k
	}
	for _, k := range new.KeptOut {
		before, known := was[k.SHA256]
		delete(was, k.SHA256)
		kind, text := trustlist.Added, "kept out: "+reasons(k)
		if known {
			kind, text = trustlist.Changed, "kept out: "+reasons(before)+" → "+reasons(k)
		}
		if !known || reasons(before) != reasons(k) {
			out = append(out, trustlist.Change{Kind: kind, Part: "kept out", Country: k.Country, Type: k.Type, SHA256: k.SHA256, Subject: k.Subject, Text: text})
		}
	}
	for _, k := range old.KeptOut {
		if _, gone := was[k.SHA256]; gone {
			out = append(out, trustlist.Change{Kind: trustlist.Removed, Part: "kept out", Country: k.Country, Type: k.Type, SHA256: k.SHA256, Subject: k.Subject, Text: "no longer kept out; it was for: " + reasons(k)})
		}
	}
	return out
}

func leftOut(p *ceremony.Plan) string {
	names := []string{}
	for _, l := range p.LeftOut {
		names = append(names, string(l.Target))
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// reasons names what keeps a certificate out.
func reasons(k ceremony.KeptOut) string {
	var ids []string
	for _, f := range k.Findings {
		if refuses(f) {
			ids = append(ids, strings.TrimSpace(f.ID+" "+f.Name))
		}
	}
	return string(k.Verdict) + ", " + strings.Join(slices.Compact(ids), ", ")
}

// diffFiles compares what manifests list, but for signatures, which are never the
// same twice, and the certificates, which the list's entries tell of.
func diffFiles(old, new *release.Manifest) []trustlist.Change {
	var out []trustlist.Change
	if old.Tool != new.Tool {
		out = append(out, changed("release", "made by: %s → %s", old.Tool, new.Tool))
	}
	was := map[string]release.File{}
	for _, f := range old.Files {
		was[f.Path] = f
	}
	told := func(f release.File) bool {
		return f.Renderer == release.RenderSignature || strings.HasPrefix(f.Path, "trust/certificates/") || f.Path == release.ListPath
	}
	for _, f := range new.Files {
		before, known := was[f.Path]
		delete(was, f.Path)
		switch {
		case told(f):
		case !known:
			out = append(out, trustlist.Change{Kind: trustlist.Added, Part: "file", SHA256: f.SHA256, Text: f.Path})
		case before != f:
			out = append(out, trustlist.Change{Kind: trustlist.Changed, Part: "file", SHA256: f.SHA256, Text: f.Path})
		}
	}
	for _, f := range old.Files {
		if _, gone := was[f.Path]; gone && !told(f) {
			out = append(out, trustlist.Change{Kind: trustlist.Removed, Part: "file", SHA256: f.SHA256, Text: f.Path})
		}
	}
	return out
}

func (a *app) showDiff(d *diffJSON) {
	if d.Same {
		a.printf("%s and %s are the same: list %d of %s\n", report.Escape(d.Old.File), report.Escape(d.New.File), d.New.Sequence, report.Escape(d.New.ListID))
		return
	}
	signs := map[trustlist.ChangeKind]string{trustlist.Added: "+", trustlist.Removed: "-", trustlist.Changed: "~"}
	for _, c := range d.Changes {
		words := []string{signs[c.Kind], c.Part}
		if c.Country != "" {
			words = append(words, c.Country, strings.ToUpper(string(c.Type)), cert.ShortHex(c.SHA256))
		}
		if c.Subject != "" {
			words = append(words, report.Escape(c.Subject)+":")
		}
		a.printf("%s %s\n", strings.Join(words, " "), report.Escape(c.Text))
	}
}
