// Package ci runs the lines of the examples in this directory as the platforms do:
// in bash, over certificates that pass and that do not.
package ci

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"gopkg.in/yaml.v3"
)

// machine is what a job of a CI system starts with: a go that can do nothing but
// install the efgsta of this tree, when it is asked for the right version.
type machine struct{ program, version string }

const fakeGo = `#!/bin/sh
[ "$*" = "install github.com/efgsta/efgsta/cmd/efgsta@$WANT_VERSION" ] && [ "$CGO_ENABLED" = 0 ] && exec cp "$EFGSTA" "$(dirname "$0")/efgsta"
echo "go $* (CGO_ENABLED=$CGO_ENABLED)" >&2
exit 99
`

// binDir holds the efgsta of this tree as long as the tests run.
var binDir string

func TestMain(m *testing.M) {
	var err error
	if binDir, err = os.MkdirTemp("", "efgsta-ci"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(binDir)
	os.Exit(code)
}

var buildMachine = sync.OnceValues(func() (machine, error) {
	program := filepath.Join(binDir, "efgsta")
	build := exec.Command("go", "build", "-trimpath", "-o", program, "../../cmd/efgsta")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return machine{}, fmt.Errorf("go build: %w\n%s", err, out)
	}
	out, err := exec.Command(program, "--version").Output()
	_, version, ok := strings.Cut(strings.TrimSpace(string(out)), " version ")
	if err != nil || !ok {
		return machine{}, fmt.Errorf("--version: %q, %w", out, err)
	}
	return machine{program, "v" + version}, nil
})

func newMachine(t *testing.T) machine {
	t.Helper()
	if _, err := exec.LookPath("bash"); err != nil {
		t.Fatal("bash is missing: CI systems run their lines in it")
	}
	m, err := buildMachine()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// workspace is a checked-out repository with certificates.
func (m machine) workspace(t *testing.T, certificates map[string]func(*testing.T) []byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, make := range certificates {
		write(t, filepath.Join(dir, name), make(t), 0o644)
	}
	bin := filepath.Join(dir, ".bin")
	write(t, filepath.Join(bin, "go"), []byte(fakeGo), 0o755)
	return dir
}

// bash runs lines as both systems do, and returns exit code and output.
func (m machine) bash(t *testing.T, dir, lines string, env map[string]string) (int, string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", lines)
	c.Dir = dir
	c.Env = append(os.Environ(), "EFGSTA="+m.program, "WANT_VERSION="+m.version, "PATH="+filepath.Join(dir, ".bin")+string(os.PathListSeparator)+os.Getenv("PATH"))
	for name, value := range env {
		c.Env = append(c.Env, name+"="+value)
	}
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), string(out)
}

// The workflow's own words, and no others: a key that is misspelt is not decoded.
type (
	workflow struct {
		Name        string
		On          map[string]any
		Permissions map[string]string
		Env         map[string]string
		Jobs        map[string]job
	}
	job struct {
		If          string
		RunsOn      string `yaml:"runs-on"`
		Permissions map[string]string
		Steps       []step
	}
	step struct {
		Name, If, Run, Uses string
		With                map[string]string
	}
)

// run goes through a job. A failed step skips those after it that do not ask for
// "!cancelled()". It returns how each named step with a line ended.
func (m machine) run(t *testing.T, dir string, w workflow, name string) (exits map[string]int, output string) {
	t.Helper()
	exits = map[string]int{}
	failed := false
	for _, s := range w.Jobs[name].Steps {
		if s.Run == "" || failed && !strings.Contains(s.If, "!cancelled()") {
			continue
		}
		if strings.Contains(s.Run, "${{") {
			t.Errorf("%s: an expression in a line is how text becomes a command", s.Name)
		}
		code, out := m.bash(t, dir, s.Run, w.Env)
		exits[s.Name], output = code, output+out
		failed = failed || code != 0
	}
	return exits, output
}

const (
	install  = "Install efgsta"
	annotate = "Annotate the files of a pull request"
	summary  = "Write a page of the run"
	scanning = "Write the report for code scanning"
	expiring = "Fail 45 days before a certificate ends"
)

func TestGitHubWorkflow(t *testing.T) {
	var w workflow
	decode(t, "github-workflow.yml", &w)
	w.Env["GITHUB_STEP_SUMMARY"] = "summary.md" // the runner names a file; here it is in the workspace
	m := newMachine(t)
	for _, tc := range []struct {
		name                         string
		files                        map[string]func(*testing.T) []byte
		annotate, results, annotated int
	}{
		{"good", map[string]func(*testing.T) []byte{"certs/good.pem": good}, 0, 0, 0},
		{"bad", map[string]func(*testing.T) []byte{"certs/good.pem": good, "certs/weak.pem": weak}, 1, 1, 1},
		{"no certificate", map[string]func(*testing.T) []byte{"certs/README": readme}, 2, -1, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := m.workspace(t, tc.files)
			exits, out := m.run(t, dir, w, "check")
			wantScanning := 0
			if tc.annotate > 1 {
				wantScanning = 1 // what is no finding is not swallowed
			}
			if exits[install] != 0 || exits[annotate] != tc.annotate || exits[scanning] != wantScanning || exits[summary] != wantScanning || len(exits) != 4 {
				t.Errorf("the steps end in %v\n%s", exits, out)
			}
			if got := len(regexp.MustCompile(`(?m)^::error file=certs/weak\.pem,.*2048 bits`).FindAllString(out, -1)); got != tc.annotated {
				t.Errorf("%d annotations, want %d\n%s", got, tc.annotated, out)
			}
			if page := string(read(t, filepath.Join(dir, "summary.md"))); strings.HasPrefix(page, "# Certificate check: ") != (wantScanning == 0) || strings.Contains(page, "EFGS-102") != (tc.annotated > 0) {
				t.Errorf("the page of the run:\n%s", page)
			}
			if got := sarifErrors(t, filepath.Join(dir, w.uploaded(t))); got != tc.results {
				t.Errorf("the file for code scanning has %d errors, want %d", got, tc.results)
			}
		})
	}
	for want, make := range map[int]func(*testing.T) []byte{0: good, 1: ending} {
		exits, out := m.run(t, m.workspace(t, map[string]func(*testing.T) []byte{"certs/c.pem": make}), w, "expiry")
		if exits[expiring] != want || len(exits) != 2 {
			t.Errorf("the steps of expiry end in %v, want %d\n%s", exits, want, out)
		}
	}
	// The job that uploads may, and no other one.
	if w.Jobs["check"].Permissions["security-events"] != "write" || w.Permissions["contents"] != "read" || len(w.Permissions) != 1 {
		t.Errorf("permissions: %v, of the job %v", w.Permissions, w.Jobs["check"].Permissions)
	}
}

// uploaded is the file that the workflow uploads.
func (w workflow) uploaded(t *testing.T) string {
	t.Helper()
	for _, s := range w.Jobs["check"].Steps {
		if strings.HasPrefix(s.Uses, "github/codeql-action/upload-sarif@") {
			return s.With["sarif_file"]
		}
	}
	t.Fatal("nothing is uploaded")
	return ""
}

// sarifErrors counts the results of level error; -1 if there is no file.
func sarifErrors(t *testing.T, path string) int {
	t.Helper()
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return -1
	}
	var doc struct {
		Runs []struct{ Results []struct{ Level string } }
	}
	if err == nil {
		err = json.Unmarshal(data, &doc)
	}
	if err != nil || len(doc.Runs) != 1 {
		t.Fatalf("%s: %v", path, err)
	}
	n := 0
	for _, r := range doc.Runs[0].Results {
		if r.Level == "error" {
			n++
		}
	}
	return n
}

type gitlabJob struct {
	Extends, Image string
	Variables      map[string]string
	BeforeScript   []string `yaml:"before_script"`
	Script         []string
	Rules          []struct{ If string }
	Artifacts      struct {
		When    string
		Reports struct{ Junit string }
		Paths   []string
	}
}

func TestGitLabJobs(t *testing.T) {
	var jobs map[string]gitlabJob
	decode(t, "gitlab-ci.yml", &jobs)
	m := newMachine(t)
	for _, tc := range []struct {
		job      string
		make     func(*testing.T) []byte
		exit     int
		failures string
	}{
		{"certificates", good, 0, "0"},
		{"certificates", weak, 1, "1"},
		{"certificates", readme, 2, ""},
		{"expiry", good, 0, "0"},
		{"expiry", ending, 1, "1"},
	} {
		j := jobs[tc.job]
		base, ok := jobs[j.Extends]
		if !ok || base.Image == "" || base.Artifacts.When != "always" {
			t.Fatalf("%s extends %q", tc.job, j.Extends)
		}
		dir := m.workspace(t, map[string]func(*testing.T) []byte{"certs/c.pem": tc.make})
		code, out := m.bash(t, dir, strings.Join(append(base.BeforeScript, j.Script...), "\n"), base.Variables)
		wantCode := tc.exit
		if tc.job == "certificates" && tc.exit == 2 {
			wantCode = 1 // of the test that it was a finding
		}
		if code != wantCode {
			t.Errorf("%s: exit %d, want %d\n%s", tc.job, code, wantCode, out)
		}
		if tc.failures == "" {
			continue
		}
		var doc struct {
			Failures string `xml:"failures,attr"`
		}
		data := read(t, filepath.Join(dir, base.Artifacts.Reports.Junit))
		if err := xml.Unmarshal(data, &doc); err != nil || doc.Failures != tc.failures {
			t.Errorf("%s: %q failures, want %s (%v)", tc.job, doc.Failures, tc.failures, err)
		}
		for _, name := range j.Artifacts.Paths {
			if !bytes.HasPrefix(read(t, filepath.Join(dir, name)), []byte("<!DOCTYPE html>")) {
				t.Errorf("%s: %s is no page", tc.job, name)
			}
		}
	}
}

// pre-commit itself runs in the conformance tests; here, what it would run, and on which files.
func TestPreCommitHook(t *testing.T) {
	var hooks []struct {
		ID, Name, Description, Entry, Language, Files string
		RequireSerial                                 bool `yaml:"require_serial"`
	}
	decode(t, filepath.Join("..", "..", ".pre-commit-hooks.yaml"), &hooks)
	var config struct {
		Repos []struct {
			Repo, Rev string
			Hooks     []struct {
				ID   string
				Args []string
			}
		}
	}
	decode(t, "pre-commit-config.yaml", &config)
	m := newMachine(t)
	if len(hooks) != 1 || len(config.Repos) != 1 || len(config.Repos[0].Hooks) != 1 {
		t.Fatalf("%v, %v", hooks, config)
	}
	hook, repo := hooks[0], config.Repos[0]
	if repo.Hooks[0].ID != hook.ID || repo.Rev != m.version || repo.Repo != "https://github.com/efgsta/efgsta" {
		t.Errorf("the example wants %v, offered is %s of %s", repo, hook.ID, m.version)
	}
	files := regexp.MustCompile(hook.Files)
	for name, want := range map[string]bool{"a/nbbs.pem": true, "x.cer": true, "x.p12": true, "pem": false, "x.pem.md": false, "x.csr": false} {
		if files.MatchString(name) != want {
			t.Errorf("the hook runs on %s: %v", name, !want)
		}
	}
	for want, make := range map[int]func(*testing.T) []byte{0: good, 1: weak} {
		dir := m.workspace(t, map[string]func(*testing.T) []byte{"c.pem": make})
		line := "cp \"$EFGSTA\" .bin/efgsta; " + hook.Entry + " " + strings.Join(repo.Hooks[0].Args, " ") + " c.pem"
		if code, out := m.bash(t, dir, line, nil); code != want {
			t.Errorf("exit %d, want %d\n%s", code, want, out)
		}
	}
}

func decode(t *testing.T, path string, into any) {
	t.Helper()
	d := yaml.NewDecoder(bytes.NewReader(read(t, path)))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if err := d.Decode(new(any)); err != io.EOF {
		t.Fatalf("%s: more than one document: %v", path, err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func write(t *testing.T, path string, data []byte, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, mode); err != nil {
		t.Fatal(err)
	}
}

func readme(*testing.T) []byte { return []byte("no certificate\n") }

// good is accepted, and for longer than anybody looks ahead.
func good(t *testing.T) []byte { return nbbs(t, p256(t), 10, 400) }

// weak is refused for its key alone.
func weak(t *testing.T) []byte {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return nbbs(t, key, 10, 400)
}

// ending is accepted today, and ends in 30 days.
func ending(t *testing.T) []byte { return nbbs(t, p256(t), 370, 400) }

func p256(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func nbbs(t *testing.T, key crypto.Signer, age, days int) []byte {
	t.Helper()
	from := time.Now().AddDate(0, 0, -age)
	template := &x509.Certificate{
		Subject: pkix.Name{Country: []string{"DE"}, Locality: []string{"Berlin"}, Organization: []string{"Health Agency"},
			OrganizationalUnit: []string{"PKI"}, CommonName: "Batch signing DE"},
		NotBefore: from,
		NotAfter:  from.AddDate(0, 0, days),
		KeyUsage:  x509.KeyUsageDigitalSignature,
	}
	for {
		template.SerialNumber, _ = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		if sha256.Sum256(der)[0] != 0 { // EFGS-701
			return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
		}
	}
}
