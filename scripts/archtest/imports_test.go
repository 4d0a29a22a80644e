// Package archtest holds the code to the table of rooms in docs/architecture.md.
package archtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	root   = "../.."
	module = "github.com/efgsta/efgsta"
)

// room is a line of the table.
type room struct {
	floor, name string
	imports     []string // ours
	modules     []string // others'
}

var floors = []string{"ground", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "roof"}

var quoted = regexp.MustCompile("`([^`]+)`")

func words(cell string) []string {
	var out []string
	for _, m := range quoted.FindAllStringSubmatch(cell, -1) {
		out = append(out, m[1])
	}
	return out
}

// rooms reads the table and checks that it only looks up the page, so down the house.
func rooms(t *testing.T) []room {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(text), "| floor | package |")
	if !ok {
		t.Fatal("docs/architecture.md has no table that begins with | floor | package |")
	}
	var all []room
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 7 || strings.HasPrefix(cells[1], "-") {
			if len(all) > 0 {
				break
			}
			continue
		}
		r := room{strings.TrimSpace(cells[1]), strings.Join(words(cells[2]), " "), words(cells[4]), words(cells[5])}
		floor := slices.Index(floors, r.floor)
		if floor < 0 || (len(all) > 0 && floor < slices.Index(floors, all[len(all)-1].floor)) {
			t.Errorf("%s: floor %q is not one, or out of order", r.name, r.floor)
		}
		for _, name := range r.imports {
			if !slices.ContainsFunc(all, func(above room) bool { return above.name == name }) {
				t.Errorf("%s may import %s, which does not stand above it", r.name, name)
			}
		}
		all = append(all, r)
	}
	if len(all) < 10 {
		t.Fatalf("only %d lines read of the table", len(all))
	}
	return all
}

// pkg is what go list says of a package.
type pkg struct {
	ImportPath string
	Name       string
	Imports    []string
	Deps       []string
	Standard   bool
	Module     *struct{ Path string }
}

// goList lists packages with and without cgo.
func goList(t *testing.T, cgo string, args ...string) map[string]pkg {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Name,Imports,Deps,Standard,Module"}, args...)...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED="+cgo)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, errs.String())
	}
	found := map[string]pkg{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); err == io.EOF {
			return found
		} else if err != nil {
			t.Fatal(err)
		}
		found[p.ImportPath] = p
	}
}

func short(path string) string { return strings.TrimPrefix(path, module+"/") }

// beside reports whether a package is not of the product: examples, scripts,
// generators, and what serves tests and is named so.
func beside(p pkg) bool {
	name := short(p.ImportPath)
	return strings.HasPrefix(name, "examples/") || strings.HasPrefix(name, "scripts/") || strings.HasSuffix(p.Name, "test") ||
		(p.Name == "main" && !strings.HasPrefix(name, "cmd/"))
}

func TestFloorsOnlyLookDown(t *testing.T) {
	table := rooms(t)
	may := map[string]map[string]bool{} // with whatever those may import
	used := map[string]bool{}
	for _, r := range table {
		may[r.name] = map[string]bool{}
		for _, name := range r.imports {
			may[r.name][name] = true
			for below := range may[name] {
				may[r.name][below] = true
			}
		}
	}
	for _, cgo := range []string{"0", "1"} {
		deps := goList(t, cgo, "-deps", "./...")
		for path, p := range deps {
			name := short(path)
			if p.Standard || p.Module == nil || p.Module.Path != module {
				continue
			}
			i := slices.IndexFunc(table, func(r room) bool { return r.name == name })
			if i < 0 && !beside(p) {
				t.Errorf("%s is not in the table of docs/architecture.md", name)
				continue
			}
			for _, imported := range p.Imports {
				to, known := deps[imported]
				if !known || to.Standard || to.Module == nil { // "C" is no package
					continue
				}
				if beside(p) {
					continue
				}
				allowed := may[name][short(imported)]
				if to.Module.Path != module {
					allowed = slices.Contains(table[i].modules, to.Module.Path)
					used[name+" "+to.Module.Path] = true
				}
				used[name+" "+short(imported)] = true
				if !allowed {
					t.Errorf("%s imports %s, which its line of the table does not allow (CGO_ENABLED=%s)", name, short(imported), cgo)
				}
			}
		}
		for _, r := range table {
			if _, there := deps[module+"/"+r.name]; !there {
				t.Errorf("%s is in the table but not in the code", r.name)
			}
		}
	}
	for _, r := range table {
		for _, name := range slices.Concat(r.imports, r.modules) {
			if !used[r.name+" "+name] {
				t.Errorf("%s does not import %s, as its line of the table says it may", r.name, name)
			}
		}
	}
}

// The tool works offline: what is not linked cannot be used by mistake.
func TestNoNetwork(t *testing.T) {
	for _, cgo := range []string{"0", "1"} {
		deps := goList(t, cgo, "-deps", "./cmd/efgsta")
		for _, forbidden := range []string{"net/http", "crypto/tls"} {
			if _, linked := deps[forbidden]; linked {
				t.Errorf("cmd/efgsta links %s (CGO_ENABLED=%s)", forbidden, cgo)
			}
		}
		if _, ok := deps["crypto/x509"]; !ok {
			t.Error("go list -deps did not list what cmd/efgsta links: crypto/x509 is missing")
		}
	}
}

// Verification needs no cgo: PKCS#11 has one door, and one program opens it. What is
// beside the product measures both.
func TestOneDoorToTheToken(t *testing.T) {
	const (
		binding = "github.com/miekg/pkcs11"
		hsm     = module + "/pkg/hsm"
	)
	importers := map[string][]string{}
	for path, p := range goList(t, "1", "./...") {
		if beside(p) {
			continue
		}
		for _, imported := range p.Imports {
			if imported == binding || imported == hsm {
				importers[imported] = append(importers[imported], short(path))
			}
		}
	}
	if got := fmt.Sprint(importers[binding]); got != "[pkg/hsm]" {
		t.Errorf("%s is imported by %s", binding, got)
	}
	if got := fmt.Sprint(importers[hsm]); got != "[cmd/efgsta]" {
		t.Errorf("pkg/hsm is imported by %s", got)
	}
	for path := range goList(t, "0", "-deps", "./...") {
		if path == binding {
			t.Errorf("%s is linked without cgo", binding)
		}
	}
}
