package ceremony_test

import (
	"bytes"
	"crypto/rand"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/efgsta/efgsta/pkg/ceremony"
	"github.com/efgsta/efgsta/pkg/ceremony/ceremonytest"
	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/pkg/vet"
)

// small is the smallest workspace with something of everything: an NBTLS with its
// evidence, an approver, a release that they approved, and an approved plan for the next.
func small(t *testing.T) *ceremonytest.Federation {
	t.Helper()
	f := ceremonytest.New(t)
	f.Submit(ceremonytest.Spec{Country: "DE", Role: vet.NBTLS})
	key := ceremonytest.ECKey(t)
	hash, spki, err := ceremony.KeySHA256(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	d := registry.ApproverData{Change: registry.ApproverAdd, Name: "second", Key: spki, KeySHA256: hash}
	if _, _, err := f.ChangeApprovers(ceremonytest.Start, "me", d); err != nil {
		t.Fatal(err)
	}
	approve := func(p *ceremony.Pending) *ceremony.People {
		text, err := p.State(ceremony.ApprovalSchema, "second", key, false, rand.Reader, ceremonytest.Start)
		if err != nil {
			t.Fatal(err)
		}
		people, err := ceremony.Gather(f.Workspace, p, map[string][]byte{"given": text}, "")
		if err != nil {
			t.Fatal(err)
		}
		return people
	}
	p := f.Plan(ceremonytest.Start)
	if _, err := ceremony.Sign(t.Context(), f.Workspace, p, approve(p), f.Key, rand.Reader, ceremonytest.Start, "me"); err != nil {
		t.Fatal(err)
	}
	approve(f.Plan(ceremonytest.Start))
	return f
}

// audited verifies a workspace and wants no damage.
func audited(t *testing.T, dir string) *ceremony.Audit {
	t.Helper()
	a := ceremony.VerifyWorkspace(dir)
	if len(a.Damage) > 0 {
		t.Fatalf("damage in a good workspace: %+v", a.Damage)
	}
	return a
}

func TestVerifyWorkspace(t *testing.T) {
	f := small(t)
	head := f.Head()
	_ = f.Close()
	before := snapshot(t, f.Dir)
	a := audited(t, f.Dir)
	if a.Head != head || len(a.Proven) != 4 || len(a.Leftovers) != 0 {
		t.Errorf("head %v, proven %q, left over %+v", a.Head, a.Proven, a.Leftovers)
	}
	if after := snapshot(t, f.Dir); !slices.Equal(before, after) {
		t.Error("the workspace was changed")
	}
}

// snapshot is every file of a directory with its bytes.
func snapshot(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		out = append(out, path+"\x00"+string(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// every is the distance of the bytes that are changed: make audit tries all of them.
var every = flag.Int("every", 211, "change every `N`th byte of the workspace")

// Every byte of everything that was decided, fixed or signed is covered: one bit of
// it changed, and the file is named.
func TestVerifyWorkspaceFindsEveryByte(t *testing.T) {
	f := small(t)
	_ = f.Close()
	audited(t, f.Dir)
	var files []string // relative
	total, tried := 0, 0
	for _, part := range []string{"journal.jsonl", "objects", "plans", "releases"} {
		err := filepath.WalkDir(filepath.Join(f.Dir, part), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			name, err := filepath.Rel(f.Dir, path)
			files = append(files, name)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	type place struct {
		file string
		at   int
	}
	places := make(chan place)
	var done sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(f.Dir)); err != nil {
			t.Fatal(err)
		}
		done.Add(1)
		go func() {
			defer done.Done()
			for p := range places {
				if err := missed(dir, p.file, p.at); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	for _, file := range files {
		data, err := os.ReadFile(filepath.Join(f.Dir, file))
		if err != nil {
			t.Fatal(err)
		}
		total += len(data)
		for i := range data {
			if (total-len(data)+i)%*every == 0 || i == len(data)-1 {
				places <- place{file, i}
				tried++
			}
		}
	}
	close(places)
	done.Wait()
	if total < 10_000 || tried < total / *every {
		t.Errorf("only %d of %d bytes were tried", tried, total)
	}
	t.Logf("%d of %d bytes in %d files", tried, total, len(files))
}

// missed changes one bit, looks, and puts it back.
func missed(dir, file string, at int) error {
	path := filepath.Join(dir, file)
	good, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	bad := bytes.Clone(good)
	bad[at] ^= 1 << (at % 8)
	if err := os.WriteFile(path, bad, 0o644); err != nil {
		return err
	}
	a := ceremony.VerifyWorkspace(dir)
	if err := os.WriteFile(path, good, 0o644); err != nil {
		return err
	}
	name := filepath.ToSlash(file)
	for _, d := range a.Damage {
		if d.File == name || strings.HasPrefix(name, d.File+"/") {
			if d.What == "" || d.Hint == "" {
				return fmt.Errorf("%s byte %d: no words, or no hint: %+v", name, at, d)
			}
			return nil
		}
	}
	return fmt.Errorf("%s byte %d, %q to %q: not found; damage %+v", name, at, good[at], bad[at], a.Damage)
}

// A journal that was cut back before the head that a release signed is found by that
// release, and one cut back to it is named.
func TestVerifyWorkspaceFindsJournalCutBack(t *testing.T) {
	f := small(t)
	_ = f.Close()
	path := filepath.Join(f.Dir, registry.JournalFile)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(f.Dir, "plans")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(f.Dir, "plans"), 0o755); err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(bytes.TrimSuffix(good, []byte("\n")), []byte("\n"))
	for n := 1; n < len(lines); n++ {
		if err := os.WriteFile(path, bytes.Join(lines[:n], nil), 0o600); err != nil {
			t.Fatal(err)
		}
		a := ceremony.VerifyWorkspace(f.Dir)
		if n == len(lines)-1 { // only the event of the release is missing
			if len(a.Damage) != 0 || len(a.Leftovers) != 1 || a.Leftovers[0].File != "releases/000001" {
				t.Errorf("cut to the signed head: damage %+v, left over %+v", a.Damage, a.Leftovers)
			}
			continue
		}
		found := slices.ContainsFunc(a.Damage, func(d ceremony.Damage) bool {
			return d.File == registry.JournalFile && d.Line == uint64(n+1) && strings.Contains(d.What, "was cut back")
		})
		// Before the EFGSTA was recorded nobody can verify the release, which is damage too.
		if !found && n >= 2 || len(a.Damage) == 0 {
			t.Errorf("cut back to event %d: %+v", n, a.Damage)
		}
	}
}

// Whatever is missing is named, and what nothing speaks of.
func TestVerifyWorkspaceNames(t *testing.T) {
	for name, c := range map[string]struct {
		change func(t *testing.T, dir string)
		damage bool
		file   string // prefix
		what   string
	}{
		"release gone":   {remove("releases/000001"), true, "releases/000001", "is missing"},
		"manifest gone":  {remove("releases/000001/manifest.json"), true, "releases/000001", "manifest.json"},
		"objects gone":   {remove("objects"), true, "objects", "no such file"},
		"journal gone":   {remove("journal.jsonl"), true, "journal.jsonl", "no such file"},
		"journal empty":  {put("journal.jsonl", ""), true, "journal.jsonl", "no event"},
		"settings":       {put("efgsta.yaml", "x: y"), true, "efgsta.yaml", "efgsta.yaml"},
		"file more":      {put("releases/000001/x", ""), true, "releases/000001", "x is not in the manifest"},
		"release more":   {put("releases/000007/x", ""), true, "releases/000007", "manifest.json"},
		"torn line":      {more("journal.jsonl", "{"), true, "journal.jsonl", "never finished: 1 bytes"},
		"unknown file":   {put("x", ""), false, "x", "no part of a workspace"},
		"unknown object": {put("objects/x", ""), false, "objects/x", "no object"},
		"unfinished":     {put("plans/.tmp-x/plan.json", ""), false, "plans/.tmp-x", "unfinished"},
		"set aside":      {put("journal.jsonl.torn-3", "{"), false, "journal.jsonl.torn-3", "set aside"},
		"orphan": {put("objects/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", ""), false,
			"objects/e3b0c442", "the journal does not name it"},
		"object of another name": {put("objects/"+strings.Repeat("ab", 32), ""), true, "objects/abab", "was changed"},
	} {
		t.Run(name, func(t *testing.T) {
			f := small(t)
			_ = f.Close()
			c.change(t, f.Dir)
			a := ceremony.VerifyWorkspace(f.Dir)
			if c.damage != (len(a.Damage) > 0) {
				t.Fatalf("damage %+v", a.Damage)
			}
			found := slices.ContainsFunc(a.Damage, func(d ceremony.Damage) bool {
				return strings.HasPrefix(d.File, c.file) && strings.Contains(d.What, c.what) && d.Hint != ""
			}) || slices.ContainsFunc(a.Leftovers, func(l ceremony.Leftover) bool {
				return strings.HasPrefix(l.File, c.file) && strings.Contains(l.What, c.what)
			})
			if !found {
				t.Errorf("damage %+v, left over %+v", a.Damage, a.Leftovers)
			}
		})
	}
}

func remove(name string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
}

func put(name, text string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func more(name, text string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		old, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		put(name, string(old)+text)(t, dir)
	}
}
