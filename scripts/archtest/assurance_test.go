package archtest

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/efgsta/efgsta/pkg/vet"
)

var (
	ruleID   = regexp.MustCompile(`EFGS-[0-9]{3}`)
	testName = regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9_]+)`")
	script   = regexp.MustCompile("`([a-z0-9_]+[.]txtar)`")
	testFunc = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Za-z0-9_]+)\(`)
)

// docs/assurance.md speaks of every rule, and of no rule or test that does not exist.
func TestAssurance(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(root, "docs", "assurance.md"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	claims, _, ok := strings.Cut(text, "## The job")
	if !ok {
		t.Fatal(`docs/assurance.md has no section "The job"`)
	}
	for _, r := range vet.Rules() {
		if !strings.Contains(claims, r.ID) {
			t.Errorf("docs/assurance.md does not name %s %s (%s)", r.ID, r.Name, r.Clause)
		}
	}
	for _, id := range ruleID.FindAllString(text, -1) {
		if _, ok := vet.Find(id); !ok {
			t.Errorf("docs/assurance.md names %s, which is no rule", id)
		}
	}
	// The first table is clause, what it wants, rules, tests.
	rows, _, _ := strings.Cut(claims, "## Section 4, sentence by sentence")
	for row := range strings.Lines(rows) {
		cells := strings.Split(row, "|")
		if ruleID.MatchString(row) && strings.HasPrefix(row, "|") && (len(cells) != 6 || !testName.MatchString(cells[4]) && !script.MatchString(cells[4])) {
			t.Errorf("docs/assurance.md names no test in %q", strings.TrimSpace(row))
		}
	}
	checkTestNames(t, "assurance.md", text)
}

// docs/assurance-hsm.md names no test that does not exist.
func TestAssuranceOfTheToken(t *testing.T) {
	const name = "assurance-hsm.md"
	data, err := os.ReadFile(filepath.Join(root, "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	checkTestNames(t, name, string(data))
}

func checkTestNames(t *testing.T, doc, text string) {
	t.Helper()
	tests := testFunctions(t)
	for _, m := range testName.FindAllStringSubmatch(text, -1) {
		if !tests[m[1]] {
			t.Errorf("docs/%s names %s, which is no test", doc, m[1])
		}
	}
	for _, m := range script.FindAllStringSubmatch(text, -1) {
		if _, err := os.Stat(filepath.Join(root, "cmd", "efgsta", "testdata", "script", m[1])); err != nil {
			t.Errorf("docs/%s names a script that does not exist: %v", doc, err)
		}
	}
}

func testFunctions(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	for _, top := range []string{"cmd", "examples", "pkg", "policy", "scripts"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			data, err := os.ReadFile(path)
			for _, m := range testFunc.FindAllSubmatch(data, -1) {
				found[string(m[1])] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}
