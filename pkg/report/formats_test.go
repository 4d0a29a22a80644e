package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"flag"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/vet"
	"github.com/efgsta/efgsta/policy"
)

var update = flag.Bool("update", false, "write the golden files anew")

// sample has every kind of finding and every verdict, and does not change when rules do.
func sample(t *testing.T) *Check {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "nbbs.pem"))
	if err != nil {
		t.Fatal(err)
	}
	in := cert.Read("nbbs.pem", data)
	if len(in.Items) != 1 || in.Items[0].Cert == nil {
		t.Fatal("testdata/nbbs.pem cannot be read")
	}
	crt := in.Items[0].Cert
	small := vet.Finding{ID: "EFGS-102", Name: "rsa-modulus-min", Severity: "error", Status: "fail", Clause: "Governance 4.1",
		Message: "RSA modulus has 2048 bits, at least 3000 required", Fix: "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -out key.pem"}
	mail := vet.Finding{ID: "EFGS-309", Name: "subject-email", Severity: "notice", Status: "fail", Clause: "Governance 4.3, 4.4",
		Message: "the subject has no e-mail address", Fix: "openssl req … -subj '/C=DE/…/emailAddress=contact@example.de'"}
	alone := vet.Finding{ID: "EFGS-501", Name: "key-not-shared", Severity: "error", Status: "not-evaluated", Clause: "Governance 2.3", Message: "nothing to compare with"}
	member := vet.Finding{ID: "EFGS-302", Name: "c-matches-member", Severity: "error", Status: "not-evaluated", Clause: "Governance 3.2",
		Message: "the member state is not known", Fix: "--country DE", Blocks: true}
	waived := vet.Finding{ID: "EFGS-201", Name: "validity-min", Severity: "error", Status: "waived", Clause: "Governance 4.2", Message: "valid for 200 days",
		Waiver: &vet.Waived{Reason: "the CA gives 200 days", Owner: "PKI <desk>", Expires: now}}
	unreadable := vet.Finding{ID: "EFGS-001", Name: "unreadable", Severity: "error", Status: "fail", Clause: "Governance 3.2", Path: "line 7",
		Message: "the block is cut short", Fix: "export the certificate again"}
	twice := mail
	twice.Message = "the subject's e-mail address “@” is not one"
	return &Check{
		Header: Header{
			Policy: &policy.Policy{Name: "efgs-2020", Title: "Certificate governance", SHA256: strings.Repeat("ab", 32)},
			At:     now, Version: "0.0.0", Roots: "mozilla 2021-01-01",
		},
		Files: 3, Skipped: 1,
		Results: []*vet.Result{
			{File: "certs/nbbs.pem", Certificate: crt, Role: vet.NBBS, Country: "DE", Verdict: vet.VerdictAccepted, Passed: 40, Findings: []vet.Finding{waived, mail, twice, alone}},
			{File: "certs/weak one.pem", Index: 0, Certificate: crt, Role: vet.NBBS, RoleReason: "digitalSignature without extended key usage (4.4)", Country: "DE", Verdict: vet.VerdictRefused, Passed: 38, Findings: []vet.Finding{small, mail, alone}},
			{File: "certs/weak one.pem", Index: 1, Certificate: crt, Role: vet.NBBS, Country: "DE", Verdict: vet.VerdictUndecided, Passed: 41, Findings: []vet.Finding{member}},
			{File: "certs/weak one.pem", Index: 2, Certificate: crt, RoleReason: "there is no key usage to tell by: give --type", Verdict: vet.VerdictUndecided, Passed: 20},
			{File: "certs/half.pem", Index: -1, Verdict: vet.VerdictRefused, Findings: []vet.Finding{unreadable}},
		},
	}
}

func write(t *testing.T, c *Check, format string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := c.Write(&b, format, Options{}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestGolden(t *testing.T) {
	for _, format := range CheckFormats() {
		got := write(t, sample(t), format)
		if !bytes.Equal(got, write(t, sample(t), format)) {
			t.Errorf("%s is not the same twice", format)
		}
		if format == "sarif" {
			got = withoutRules(t, got)
		}
		name := filepath.Join("testdata", "golden", format)
		if *update {
			if err := os.WriteFile(name, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs from %s (-update writes it anew):\n%s", format, name, got)
		}
	}
	if err := sample(t).Write(io.Discard, "yaml", Options{}); err == nil || !strings.Contains(err.Error(), `"yaml"`) {
		t.Errorf("an unknown format: %v", err)
	}
}

// sarifLog is a whole document, to be read back.
type sarifLog struct {
	Runs []struct {
		Tool        sarifTool
		Results     []sarifResult
		Invocations []struct {
			Notifications []sarifNotice `json:"toolConfigurationNotifications"`
		}
	}
}

// junitSuites is a whole document, to be read back.
type junitSuites struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Suites   []struct {
		Name     string `xml:"name,attr"`
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
	} `xml:"testsuite"`
}

// withoutRules takes the catalogue out: it is large, and has tests of its own. The
// index of a rule goes with it.
func withoutRules(t *testing.T, sarif []byte) []byte {
	t.Helper()
	before, rest, ok := bytes.Cut(sarif, []byte(`          "rules": [`))
	_, after, ok2 := bytes.Cut(rest, []byte("\n          ]\n"))
	if !ok || !ok2 {
		t.Fatal("no rules in SARIF")
	}
	out := append(append(bytes.Clone(before), "          \"rules\": …\n"...), after...)
	return regexp.MustCompile(`"ruleIndex": \d+`).ReplaceAll(out, []byte(`"ruleIndex": …`))
}

// The published schema of SARIF 2.1.0, and what it cannot say.
func TestSARIF(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join("testdata", "schemas", "sarif-2.1.0.json"))
	if err != nil {
		t.Fatal(err)
	}
	real := checked(t, "Signer", "nbbs.pem")
	for name, c := range map[string]*Check{
		"sample": sample(t), "hostile": hostileCheck(t), "real": real, "empty": {Header: real.Header},
	} {
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(write(t, c, "sarif")))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	var bad any
	if err := json.Unmarshal([]byte(`{"version": "2.1.0", "runs": [{"tool": {"driver": {}}}]}`), &bad); err != nil {
		t.Fatal(err)
	}
	if schema.Validate(bad) == nil {
		t.Error("the schema accepts a driver without a name")
	}

	var log sarifLog
	if err := json.Unmarshal(write(t, sample(t), "sarif"), &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	if len(run.Tool.Driver.Rules) != len(vet.Rules()) {
		t.Errorf("%d rules", len(run.Tool.Driver.Rules))
	}
	prints := map[string]bool{}
	for i, r := range run.Results {
		if run.Tool.Driver.Rules[r.RuleIndex].ID != r.RuleID {
			t.Errorf("result %d: index %d is not %s", i, r.RuleIndex, r.RuleID)
		}
		if r.RuleID == "EFGS-201" {
			t.Error("a waived finding is a result")
		}
		if (r.Kind == "fail") == (r.Level == "none") {
			t.Errorf("result %d: kind %s, level %s", i, r.Kind, r.Level)
		}
		key := r.RuleID + r.Locations[0].Physical.Artifact.URI + r.Fingerprints["primaryLocationLineHash"]
		if prints[key] {
			t.Errorf("result %d: %s stands twice", i, key)
		}
		prints[key] = true
	}
	if n := run.Invocations[0].Notifications; len(n) != 1 || !strings.Contains(n[0].Message.Text, "give --type") {
		t.Errorf("notifications: %v", n)
	}
}

func TestURIReference(t *testing.T) {
	for in, want := range map[string]string{
		"nbbs.pem":          "nbbs.pem",
		"./certs//x.pem":    "certs/x.pem",
		"../a b/ü#?.pem":    "../a%20b/%C3%BC%23%3F.pem",
		"a:b%20.pem":        "a%3Ab%2520.pem",
		"/etc/ssl/x y.pem":  "file:///etc/ssl/x%20y.pem",
		"\xff\n{0}.pem":     "%FF%0A%7B0%7D.pem",
		"-":                 "-",
		"certs/[1](2)'.pem": "certs/%5B1%5D%282%29%27.pem",
	} {
		got := uriReference(in)
		if got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
		if u, err := url.Parse(got); err != nil || u.IsAbs() != strings.HasPrefix(in, "/") {
			t.Errorf("%q: %v, %v", in, u, err)
		}
	}
}

func TestJUnit(t *testing.T) {
	if _, err := exec.LookPath("xmllint"); err != nil {
		t.Fatal("xmllint is missing: make test-deps installs it")
	}
	xsd := filepath.Join("testdata", "schemas", "junit-10.xsd")
	validate := func(doc []byte) ([]byte, error) {
		cmd := exec.Command("xmllint", "--nonet", "--noout", "--schema", xsd, "-")
		cmd.Stdin = bytes.NewReader(doc)
		return cmd.CombinedOutput()
	}
	real := checked(t, "Signer", "nbbs.pem")
	for name, c := range map[string]*Check{
		"sample": sample(t), "hostile": hostileCheck(t), "real": real, "empty": {Header: real.Header},
	} {
		if out, err := validate(write(t, c, "junit")); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	if _, err := validate([]byte("<testsuites><testcase/></testsuites>")); err == nil {
		t.Error("the schema accepts a test case without a suite")
	}

	var doc junitSuites
	if err := xml.Unmarshal(write(t, sample(t), "junit"), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Tests != 6 || doc.Failures != 4 || len(doc.Suites) != 4 || doc.Suites[3].Name != "skipped" || doc.Suites[1].Tests != 3 || doc.Suites[1].Failures != 3 {
		t.Errorf("%+v", doc)
	}
	// What fails the exit code fails here.
	c := sample(t)
	c.FailOn = vet.SeverityNotice
	doc = junitSuites{}
	if err := xml.Unmarshal(write(t, c, "junit"), &doc); err != nil || doc.Failures != 5 {
		t.Errorf("with FailOn notice %d failures, %v", doc.Failures, err)
	}
}

func TestFails(t *testing.T) {
	finding := func(severity, status string) []vet.Finding {
		return []vet.Finding{{Severity: severity, Status: status}}
	}
	for _, tc := range []struct {
		failOn, severity, status string
		verdict                  vet.Verdict
		want                     bool
	}{
		{"", "warning", "fail", vet.VerdictAccepted, false},
		{"error", "warning", "fail", vet.VerdictAccepted, false},
		{"warning", "warning", "fail", vet.VerdictAccepted, true},
		{"warning", "notice", "fail", vet.VerdictAccepted, false},
		{"notice", "notice", "fail", vet.VerdictAccepted, true},
		{"notice", "error", "waived", vet.VerdictAccepted, false},
		{"notice", "error", "not-evaluated", vet.VerdictAccepted, false},
		{"error", "error", "not-evaluated", vet.VerdictUndecided, true},
		{"error", "error", "fail", vet.VerdictRefused, true},
	} {
		c := Header{FailOn: tc.failOn}
		if got := c.Fails(&vet.Result{Verdict: tc.verdict, Findings: finding(tc.severity, tc.status)}); got != tc.want {
			t.Errorf("%+v: %v", tc, got)
		}
	}
}
