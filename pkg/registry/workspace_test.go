package registry_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/efgsta/efgsta/pkg/ceremony/ceremonytest"
	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/journal"
	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/pkg/vet"
)

var start = ceremonytest.Start

func config() registry.Config { return registry.DefaultConfig(registry.Rehearsal, "efgs-2020") }

func hasHint(err error) bool {
	var h interface{ Hint() string }
	return errors.As(err, &h) && h.Hint() != ""
}

func TestInitAndOpen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "ws")
	if err := registry.Init(dir, config(), start, "me", "tool"); err != nil {
		t.Fatal(err)
	}
	w, err := registry.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if w.ListID != "efgs-rehearsal" || w.Environment != registry.Rehearsal || w.Config != config() || w.Head().Seq != 1 || !w.LastEvent().Equal(start) {
		t.Errorf("state %+v, config %+v, head %+v", w.State, w.Config, w.Head())
	}
	if w.Anchor != nil || w.LastRelease() != nil || len(w.Members()) != 0 || len(w.Notes) != 0 || w.Known() == nil {
		t.Errorf("a new workspace has something in it: %+v", w.State)
	}
	for name, perm := range map[string]os.FileMode{"objects": 0o755, "plans": 0o755, "releases": 0o755, "keys": 0o700} {
		if st, err := os.Stat(filepath.Join(dir, name)); err != nil || st.Mode().Perm()&^perm != 0 {
			t.Errorf("%s: %v %v", name, st, err)
		}
	}
}

func TestInitRefuses(t *testing.T) {
	workspace := ceremonytest.Init(t, registry.Rehearsal)
	full := t.TempDir()
	write(t, filepath.Join(full, "thesis.doc"), "x")
	damaged := t.TempDir()
	write(t, filepath.Join(damaged, registry.JournalFile), "not an event\n")
	for name, c := range map[string]struct {
		dir    string
		change func(*registry.Config)
	}{
		"a workspace":                {workspace, func(*registry.Config) {}},
		"a directory in use":         {full, func(*registry.Config) {}},
		"a damaged journal":          {damaged, func(*registry.Config) {}},
		"bad list id":                {filepath.Join(t.TempDir(), "n"), func(c *registry.Config) { c.ListID = "EFGS list" }},
		"bad environment":            {filepath.Join(t.TempDir(), "n"), func(c *registry.Config) { c.Environment = "test" }},
		"no policy":                  {filepath.Join(t.TempDir(), "n"), func(c *registry.Config) { c.Policy = "" }},
		"a policy that is two lines": {filepath.Join(t.TempDir(), "n"), func(c *registry.Config) { c.Policy = "x\nplan-window: 3d" }},
	} {
		before := tree(t, c.dir)
		conf := config()
		c.change(&conf)
		if err := registry.Init(c.dir, conf, start, "me", "tool"); err == nil {
			t.Errorf("%s: Init succeeded", name)
		}
		if after := tree(t, c.dir); !reflect.DeepEqual(before, after) {
			t.Errorf("%s: Init changed the directory", name)
		}
	}
}

// tree reads every file below dir; none if it does not exist.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if d.IsDir() {
			out[path] = "directory"
			return nil
		}
		data, err := os.ReadFile(path)
		out[path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// An Init that was killed after any of its steps is continued by the same Init, and
// until then the directory is not taken for a workspace.
func TestInitInterrupted(t *testing.T) {
	whole := ceremonytest.Init(t, registry.Rehearsal)
	first, err := os.ReadFile(filepath.Join(whole, registry.JournalFile))
	if err != nil {
		t.Fatal(err)
	}
	settings, err := os.ReadFile(filepath.Join(whole, registry.ConfigFile))
	if err != nil {
		t.Fatal(err)
	}
	var steps []func(dir string)
	for _, name := range []string{"", "objects", "plans", "releases", "keys"} {
		steps = append(steps, func(dir string) {
			if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
				t.Fatal(err)
			}
		})
	}
	steps = append(steps,
		func(dir string) { write(t, filepath.Join(dir, ".tmp-123"), "half a conf") },
		func(dir string) { write(t, filepath.Join(dir, registry.ConfigFile), string(settings)) },
		func(dir string) { write(t, filepath.Join(dir, registry.JournalFile), "") },
		func(dir string) { write(t, filepath.Join(dir, registry.JournalFile), string(first[:1])) },
		func(dir string) { write(t, filepath.Join(dir, registry.JournalFile), string(first[:len(first)/2])) },
		func(dir string) { write(t, filepath.Join(dir, registry.JournalFile), string(first[:len(first)-2])) },
	)
	for n := 0; n <= len(steps); n++ {
		dir := filepath.Join(t.TempDir(), "ws")
		for _, step := range steps[:n] {
			step(dir)
		}
		if w, err := registry.Open(dir); err == nil {
			w.Close()
			t.Fatalf("after %d steps it opens", n)
		} else if !hasHint(err) {
			t.Errorf("after %d steps Open gives no hint: %v", n, err)
		}
		if err := registry.Init(dir, config(), start, "me", "tool"); err != nil {
			t.Fatalf("after %d steps Init cannot go on: %v", n, err)
		}
		w, err := registry.Open(dir)
		if err != nil {
			t.Fatalf("after %d steps and another Init: %v", n, err)
		}
		if w.Head().Seq != 1 {
			t.Errorf("after %d steps: head %+v", n, w.Head())
		}
		w.Close()
	}
	// The event alone, without its line end, is a workspace.
	dir := filepath.Join(t.TempDir(), "ws")
	for _, step := range steps {
		step(dir)
	}
	write(t, filepath.Join(dir, registry.JournalFile), string(first[:len(first)-1]))
	w, err := registry.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if len(w.Notes) != 1 {
		t.Errorf("notes %q, want one about the line end", w.Notes)
	}
}

func TestOpenRefuses(t *testing.T) {
	f := ceremonytest.New(t)
	f.Members("DE")
	f.Close()
	journalFile := filepath.Join(f.Dir, registry.JournalFile)
	object := filepath.Join(f.ObjectsDir(), f.Certificates()[0].SHA256)
	anchorObject := filepath.Join(f.ObjectsDir(), f.Anchor.SHA256)
	for _, c := range []struct {
		name   string
		file   string
		change func(string) string // "-" removes the file
		want   error
	}{
		{"certificate changed", object, func(s string) string { return s[:len(s)-1] + "x" }, registry.ErrDamaged},
		{"certificate cut short", object, func(s string) string { return s[:10] }, registry.ErrDamaged},
		{"certificate gone", object, func(string) string { return "-" }, registry.ErrDamaged},
		{"anchor gone", anchorObject, func(string) string { return "-" }, registry.ErrDamaged},
		{"anchor changed", anchorObject, func(s string) string { return "1" + s[1:] }, registry.ErrDamaged},
		{"journal gone", journalFile, func(string) string { return "-" }, registry.ErrDamaged},
		{"journal empty", journalFile, func(string) string { return "" }, registry.ErrDamaged},
		{"journal line changed", journalFile, func(s string) string { return strings.Replace(s, "tester", "taster", 1) }, registry.ErrDamaged},
		{"journal line gone", journalFile, func(s string) string { return s[strings.Index(s, "\n")+1:] }, registry.ErrDamaged},
		{"journal doubled", journalFile, func(s string) string { return s + s }, registry.ErrDamaged},
		{"other list id", filepath.Join(f.Dir, registry.ConfigFile), func(s string) string { return strings.Replace(s, "efgs-rehearsal", "efgs-other", 1) }, registry.ErrDamaged},
		{"other environment", filepath.Join(f.Dir, registry.ConfigFile), func(s string) string {
			return strings.Replace(s, "environment: rehearsal", "environment: production", 1)
		}, registry.ErrDamaged},
		{"configuration gone", filepath.Join(f.Dir, registry.ConfigFile), func(string) string { return "-" }, nil},
		{"configuration broken", filepath.Join(f.Dir, registry.ConfigFile), func(s string) string { return s + "more: yes\n" }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			good, err := os.ReadFile(c.file)
			if err != nil {
				t.Fatal(err)
			}
			defer write(t, c.file, string(good))
			changed := c.change(string(good))
			if changed == string(good) {
				t.Fatal("the vector changes nothing")
			}
			if changed == "-" {
				err = os.Remove(c.file)
			} else {
				err = os.WriteFile(c.file, []byte(changed), 0o644)
			}
			if err != nil {
				t.Fatal(err)
			}
			w, err := registry.Open(f.Dir)
			if err == nil {
				w.Close()
				t.Fatal("opened")
			}
			if errors.Is(err, registry.ErrDamaged) != (c.want != nil) {
				t.Errorf("error %v, want %v", err, c.want)
			}
			if c.name != "configuration broken" && !hasHint(err) {
				t.Errorf("no hint: %v", err)
			}
		})
	}
	// A failed Open holds no lock.
	w, err := registry.Open(f.Dir)
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
}

func TestLock(t *testing.T) {
	f := ceremonytest.Open(t, ceremonytest.Init(t, registry.Rehearsal))
	if w, err := registry.Open(f.Dir); err == nil || !strings.Contains(err.Error(), "in use") || !hasHint(err) {
		t.Fatalf("a second Open: %v, %v", w, err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	f.Reopen()
}

// What a session remembers is what the journal says.
func TestReplayEqualsLiveState(t *testing.T) {
	f := ceremonytest.New(t)
	f.Members("DE", "FR")
	if err := f.Refuse(f.LastEvent(), "me", registry.RefusalData{Country: "DE", File: "key.pem", Reason: "private key in the file"}); err != nil {
		t.Fatal(err)
	}
	if err := f.Confirm(f.LastEvent(), "me", registry.ConfirmationData{Country: "FR", ConfirmedBy: "visit", Certificates: []string{f.Certificates()[3].SHA256}}); err != nil {
		t.Fatal(err)
	}
	f.Release(start.Add(time.Hour))
	f.Submit(ceremonytest.Spec{Country: "IT"})
	live, head, known := f.State, f.Head(), f.Known()
	f.Reopen()
	if !reflect.DeepEqual(live, f.State) || head != f.Head() || !reflect.DeepEqual(known, f.Known()) {
		t.Errorf("live\n%+v\nreplayed\n%+v", live, f.State)
	}
	if got := f.CertificatesOf("FR"); len(got) != 2 || got[0].ConfirmedBy != "phone" || got[1].ConfirmedBy != "visit" {
		t.Errorf("certificates of FR: %+v", got)
	}
	if got := f.Workspace.Members(); len(got) != 3 || got[0].Country != "DE" || got[2].Country != "IT" {
		t.Errorf("members %+v", got)
	}
	if len(f.Certificates()) != 5 || f.Known().Len() != 6 || f.LastRelease().Sequence != 1 {
		t.Errorf("%d certificates, %d known, releases %+v", len(f.Certificates()), f.Known().Len(), f.Releases)
	}
	if c := f.Certificates()[0]; f.Find(c.Certificate.Thumbprint()) != c || f.Find(cert.Thumbprint{}) != nil {
		t.Error("Find")
	}
}

func TestAddMember(t *testing.T) {
	f := ceremonytest.Open(t, ceremonytest.Init(t, registry.Rehearsal))
	d := registry.MemberData{Country: "DE", Name: "Germany", Contacts: []string{"a b", "c"}}
	for i, want := range []bool{true, false, false} {
		added, err := f.AddMember(start, "me", d)
		if err != nil || added != want {
			t.Fatalf("time %d: added %v, %v", i, added, err)
		}
	}
	if f.Head().Seq != 2 {
		t.Errorf("head %+v: repeating it must write nothing", f.Head())
	}
	for name, other := range map[string]registry.MemberData{
		"other name":     {Country: "DE", Name: "Deutschland", Contacts: d.Contacts},
		"other contacts": {Country: "DE", Name: "Germany", Contacts: []string{"a", "b c"}},
		"lower case":     {Country: "de", Name: "Germany"},
		"three letters":  {Country: "DEU", Name: "Germany"},
		"with line end":  {Country: "DE\n", Name: "Germany"},
		"path":           {Country: "..", Name: "Germany"},
	} {
		if added, err := f.AddMember(start, "me", other); err == nil || added || !hasHint(err) {
			t.Errorf("%s: %v, %v", name, added, err)
		}
	}
	if _, err := f.AddMember(start.Add(-time.Second), "me", registry.MemberData{Country: "FR"}); !errors.Is(err, journal.ErrClock) {
		t.Errorf("clock: %v", err)
	}
	f.Reopen()
	if len(f.Workspace.Members()) != 1 {
		t.Errorf("members %+v", f.Workspace.Members())
	}
}

// Whatever is refused is not in the journal: an event that does not fit would make
// the workspace unreadable.
func TestRefusedDecisionsWriteNothing(t *testing.T) {
	f := ceremonytest.New(t)
	f.Members("DE")
	c := f.Certificates()[0]
	fresh := ceremonytest.Certificate(t, ceremonytest.Spec{Country: "DE"})
	submit := func(country string, role vet.Role, c *cert.Certificate, file []byte) func() error {
		return func() error {
			return f.Workspace.Submit(f.LastEvent(), "me", country, "", []registry.Submitted{
				{Data: registry.SubmittedCertificate{Type: role, File: "f.pem"}, File: file, Certificate: c}})
		}
	}
	key := []byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
	head, before := f.Head(), tree(t, f.Dir)
	for name, do := range map[string]func() error{
		"second anchor": func() error { return f.Workspace.SetAnchor(f.LastEvent(), "me", fresh, registry.AnchorData{}) },
		"no member":     submit("FR", vet.NBBS, fresh, fresh.PEM()),
		"private key":   submit("DE", vet.NBBS, fresh, append(fresh.PEM(), key...)),
		"release 2":     func() error { return f.Released(f.LastEvent(), "me", registry.ReleasedData{Sequence: 2}) },
		"release 0":     func() error { return f.Released(f.LastEvent(), "me", registry.ReleasedData{}) },
		"confirm unknown": func() error {
			return f.Confirm(f.LastEvent(), "me", registry.ConfirmationData{Country: "DE", Certificates: []string{"ab"}})
		},
		"confirm another's": func() error {
			return f.Confirm(f.LastEvent(), "me", registry.ConfirmationData{Country: "FR", Certificates: []string{c.SHA256}})
		},
	} {
		if err := do(); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if f.Head() != head || !reflect.DeepEqual(before, tree(t, f.Dir)) {
		t.Error("a refused decision changed the workspace")
	}
	// These leave the object, which nothing names.
	for name, do := range map[string]func() error{
		"same certificate again": submit("DE", c.Type, c.Certificate, c.Certificate.PEM()),
		"EFGSTLS of a member":    submit("DE", vet.EFGSTLS, fresh, fresh.PEM()),
		"twice in one": func() error {
			s := registry.Submitted{Data: registry.SubmittedCertificate{Type: vet.NBBS, File: "f.pem"}, File: fresh.PEM(), Certificate: fresh}
			return f.Workspace.Submit(f.LastEvent(), "me", "DE", "", []registry.Submitted{s, s})
		},
	} {
		if err := do(); err == nil || f.Head() != head {
			t.Errorf("%s was taken: %v", name, err)
		}
	}
	f.Reopen()
	if f.Head() != head {
		t.Errorf("head %+v, want %+v", f.Head(), head)
	}
}

func TestObjects(t *testing.T) {
	f := ceremonytest.Open(t, ceremonytest.Init(t, registry.Rehearsal))
	name, err := f.PutObject([]byte("something"))
	if err != nil {
		t.Fatal(err)
	}
	if again, err := f.PutObject([]byte("something")); err != nil || again != name {
		t.Errorf("again: %s, %v", again, err)
	}
	if data, err := f.Object(name); err != nil || !bytes.Equal(data, []byte("something")) {
		t.Errorf("Object = %q, %v", data, err)
	}
	write(t, filepath.Join(f.ObjectsDir(), name), "something else")
	if _, err := f.Object(name); !errors.Is(err, registry.ErrDamaged) || !hasHint(err) {
		t.Errorf("changed: %v", err)
	}
	if _, err := f.PutObject([]byte("something")); !errors.Is(err, registry.ErrDamaged) {
		t.Errorf("put over a changed one: %v", err)
	}
	if _, err := f.Object(strings.Repeat("0", 64)); !errors.Is(err, registry.ErrDamaged) || !hasHint(err) {
		t.Errorf("unknown: %v", err)
	}
}

// Fixed facts of AnchorData come from the certificate, whatever the caller says.
func TestSetAnchorRecordsTheCertificate(t *testing.T) {
	f := ceremonytest.New(t)
	f.Reopen()
	c := f.Anchor.Certificate
	if d := f.Anchor.AnchorData; d.SHA256 != c.Thumbprint().String() || d.Subject != c.Subject.String() || !d.NotAfter.Equal(c.NotAfter) || !d.NotBefore.Equal(c.NotBefore) {
		t.Errorf("recorded %+v of %s", d, c.Subject)
	}
}
