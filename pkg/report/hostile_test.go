package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/efgsta/efgsta/pkg/vet"
	"github.com/efgsta/efgsta/policy"
)

// hostile is text that means something to each of the formats, to terminals and to eyes.
const hostile = "\x1b[2J\u202e\u2028\x00\r\n::error file=x::y%0A##[error]z]]>&amp;<script>alert(1)</script>\"' onload='x" +
	"|`a``b`*_~~[t](javascript:x){0}@someone #1 https://evil.example \\| \xff"

func hostileCheck(t *testing.T) *Check {
	c := sample(t)
	evil := checked(t, "Evil "+strings.ToValidUTF8(hostile, "?"), hostile+".pem")
	for _, r := range c.Results {
		r.RoleReason += hostile
		for i := range r.Findings {
			r.Findings[i].Message += hostile
			r.Findings[i].Fix += hostile
			r.Findings[i].Path += hostile
			r.Findings[i].Deviation = &vet.Deviation{Policy: "mine", Base: "efgs-2020", From: "error", Reason: hostile, Date: "2026-11-22"}
		}
		r.Country += hostile
	}
	c.Policy = &policy.Policy{Name: "mine", Title: hostile, SHA256: c.Policy.SHA256, Base: "efgs-2020", Deviations: make([]policy.Deviation, 2), File: hostile}
	c.Results = append(c.Results, evil.Results...)
	return c
}

// Nothing that a certificate or file says is invisible, steers a terminal, or ends what it stands in.
func TestHostileFormats(t *testing.T) {
	c := hostileCheck(t)
	for _, format := range CheckFormats() {
		text := string(write(t, c, format))
		for _, r := range text {
			if r != '\n' && !visible(r) {
				t.Errorf("%s: %U", format, r)
			}
		}
		if !utf8.ValidString(text) {
			t.Errorf("%s is not UTF-8", format)
		}
		switch format {
		case "html":
			if strings.Contains(text, "<script") || strings.Contains(text, "onload='") || !strings.Contains(text, "&lt;script&gt;") {
				t.Errorf("HTML is not escaped:\n%s", text)
			}
			wellFormed(t, text)
		case "junit":
			var doc struct {
				Suites []struct {
					Name string `xml:"name,attr"`
				} `xml:"testsuite"`
			}
			if err := xml.Unmarshal([]byte(text), &doc); err != nil {
				t.Errorf("JUnit: %v", err)
			} else if last := len(doc.Suites) - 3; doc.Suites[last].Name != Escape(hostile)+".pem" {
				t.Errorf("JUnit: the file is called %q", doc.Suites[last].Name)
			}
		case "github":
			for line := range strings.Lines(text) {
				if strings.HasPrefix(line, "::") {
					githubParse(t, line)
				} else if strings.Contains(line, "##[") || !regexp.MustCompile(`^\d+ accepted`).MatchString(line) {
					t.Errorf("GitHub: %q", line)
				}
			}
		case "markdown":
			for line := range strings.Lines(text) {
				markdownLine(t, strings.TrimSuffix(line, "\n"))
			}
		}
	}
}

// wellFormed reads a page as XML would be read, tags that stay open excepted: every
// element that text could have opened or closed would be out of place.
func wellFormed(t *testing.T, text string) {
	t.Helper()
	known := map[string]bool{}
	d := xml.NewDecoder(strings.NewReader(text))
	d.Strict, d.AutoClose, d.Entity = true, []string{"meta"}, xml.HTMLEntity
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("HTML: %v", err)
		}
		if s, ok := token.(xml.StartElement); ok {
			known[s.Name.Local] = true
		}
	}
	for name := range known {
		if !strings.Contains(" html head meta title style body h1 h2 h3 p span strong table thead tbody tr th td section dl dt dd div ul li ", " "+name+" ") {
			t.Errorf("HTML has an element %s", name)
		}
	}
}

// githubParse reads a command as the runner does.
func githubParse(t *testing.T, line string) (properties map[string]string, message string) {
	t.Helper()
	head, message, ok := strings.Cut(strings.TrimSuffix(line, "\n")[2:], "::")
	level, rest, _ := strings.Cut(head, " ")
	if !ok || level != "error" && level != "warning" && level != "notice" {
		t.Fatalf("GitHub: %q is no command", line)
	}
	properties = map[string]string{}
	un := strings.NewReplacer("%0D", "\r", "%0A", "\n", "%3A", ":", "%2C", ",", "%25", "%")
	for _, p := range strings.Split(rest, ",") {
		name, value, ok := strings.Cut(p, "=")
		if !ok || !strings.Contains(" file line title ", " "+name+" ") || properties[name] != "" {
			t.Fatalf("GitHub: property %q in %q", p, line)
		}
		properties[name] = un.Replace(value)
	}
	return properties, strings.NewReplacer("%0D", "\r", "%0A", "\n", "%25", "%").Replace(message)
}

func TestGitHubEscaping(t *testing.T) {
	c := sample(t)
	c.Results = c.Results[4:]
	c.Results[0].File = "a,b:c%2C=d.pem"
	c.Results[0].Findings[0].Message = "50% of a::b,c"
	first, _, _ := strings.Cut(string(write(t, c, "github")), "\n")
	properties, message := githubParse(t, first)
	want := map[string]string{"file": "a,b:c%2C=d.pem", "line": "7", "title": "EFGS-001 unreadable"}
	if fmt.Sprint(properties) != fmt.Sprint(want) || !strings.Contains(message, ": 50% of a::b,c [Governance 3.2]\nfix: ") {
		t.Errorf("%q, %q", properties, message)
	}
	c.Results[0].File = "-"
	if out := string(write(t, c, "github")); strings.Contains(out, "file=") {
		t.Errorf("the standard input is no file to annotate: %s", out)
	}
}

// markdownLine: outside of code nothing is alive, and a row has as many cells as its table.
func markdownLine(t *testing.T, line string) {
	t.Helper()
	escaped := regexp.MustCompile(`\\[[:punct:]]`)
	if strings.HasPrefix(line, "|") {
		if n := strings.Count(escaped.ReplaceAllString(line, ""), "|"); n != 8 && n != 6 {
			t.Errorf("Markdown: %d cells in %s", n-1, line)
		}
	}
	bare := escaped.ReplaceAllString(withoutCode(line), "")
	for _, live := range []string{"<", "@", "://", "[", "#1", "`", "~", "_"} {
		if strings.Contains(bare, live) {
			t.Errorf("Markdown: %q is alive in %s\n%s", live, line, bare)
		}
	}
}

// withoutCode takes out code spans: they end at as many backticks in a row as they began with.
func withoutCode(s string) string {
	ticks := func(at int) int { return len(s[at:]) - len(strings.TrimLeft(s[at:], "`")) }
	var b strings.Builder
	for i := 0; i < len(s); {
		n := ticks(i)
		switch {
		case s[i] == '\\' && i+1 < len(s):
			b.WriteString(s[i : i+2])
			i += 2
			continue
		case n == 0:
			b.WriteByte(s[i])
			i++
			continue
		}
		end := i + n
		for end < len(s) && ticks(end) != n {
			end += max(1, ticks(end))
		}
		if end == len(s) {
			return b.String() + s[i:]
		}
		i = end + n
	}
	return b.String()
}

func TestMarkdownCell(t *testing.T) {
	for in, want := range map[string]string{
		"plain, text: (yes) 50%": "plain, text: (yes) 50%",
		"a|b":                    `a\|b`,
		"<b>&amp;":               "&lt;b&gt;&amp;amp;",
		"*_`[x]":                 "\\*\\_\\`\\[x\\]",
		"pki@example.de":         "`pki@example.de`",
		"see HTTPS://x|y":        "`see HTTPS://x\\|y`",
		"#12":                    "`#12`",
		"@`x`":                   "`` @`x` ``",
		"":                       "",
	} {
		if got := cell(in); got != want {
			t.Errorf("cell(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzFormats(f *testing.F) {
	f.Add("plain", "file.pem")
	f.Add(hostile, hostile)
	f.Add("]]>", "a\\|b`")
	f.Fuzz(func(t *testing.T, message, file string) {
		c := &Check{Header: Header{Policy: &policy.Policy{Name: "p"}, At: now}, Results: []*vet.Result{{
			File: file, Index: -1, Verdict: vet.VerdictRefused,
			Findings: []vet.Finding{{ID: "EFGS-001", Name: "unreadable", Severity: "error", Status: "fail", Message: message, Fix: message,
				Deviation: &vet.Deviation{Policy: "q", Base: "p", From: "off", Reason: message, Date: "2026-11-22"}},
				{ID: "EFGS-201", Name: "validity-min", Severity: "error", Status: "waived", Waiver: &vet.Waived{Reason: message, Owner: message, Expires: now}}},
		}}}
		for _, format := range CheckFormats() {
			text := string(write(t, c, format))
			for _, r := range text {
				if r != '\n' && !visible(r) {
					t.Fatalf("%s leaves %U", format, r)
				}
			}
			switch format {
			case "html":
				wellFormed(t, text)
			case "junit":
				var doc junitSuites
				if err := xml.Unmarshal([]byte(text), &doc); err != nil || doc.Suites[0].Name != Escape(file) {
					t.Fatalf("JUnit: %q, %v", doc.Suites[0].Name, err)
				}
			case "github":
				if n := strings.Count(text, "\n"); n != 2 {
					t.Fatalf("GitHub: %d lines", n)
				}
				githubParse(t, text[:strings.IndexByte(text, '\n')])
			case "sarif":
				if u := uriReference(file); file != "" {
					if back, err := url.PathUnescape(strings.TrimPrefix(u, "file://")); err != nil || back != filepath.Clean(file) {
						t.Fatalf("SARIF: %q is %q, %v", file, back, err)
					}
				}
			}
		}
	})
}
