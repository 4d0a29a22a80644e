package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What is printed is run as it is, through sh and openssl, and the result is checked.
func TestTemplatesPassCheck(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Fatal("openssl is missing: make test-deps installs it")
	}
	nbbs := []string{"nbbs", "--country", "DE", "--locality", "Berlin", "--email", "pki@example.de", "--organizational-unit", "PKI"}
	nbtls := []string{"nbtls", "--country", "DE", "--email", "pki@example.de", "--organizational-unit", "PKI", "--dns", "efgs.example.de", "--dns", "two.example.de"}
	efgsta := []string{"efgsta"}
	for _, tc := range []struct {
		name  string
		args  []string
		found string // what check still reports
	}{
		{"nbbs", nbbs, ""},
		{"nbbs p256", append(nbbs, "--algorithm", "ecdsa-p256"), ""},
		{"nbbs p384", append(nbbs, "--algorithm", "ecdsa-p384", "--days", "400"), ""},
		{"nbbs pkcs1", append(nbbs, "--algorithm", "rsa-3072"), "EFGS-105 warning"},
		{"nbtls", nbtls, "EFGS-105 notice, EFGS-413 warning"}, // the test CA's padding and policy
		{"nbtls p256", append(nbtls, "--algorithm", "ecdsa-p256"), "EFGS-105 notice, EFGS-413 warning"},
		{"efgsta", efgsta, "EFGS-105 warning"}, // the gateway cannot verify what the document recommends
		{"efgsta p521", append(efgsta, "--algorithm", "ecdsa-p521"), ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			// Everything that sh and a configuration could take for something else.
			organization := "O'Neil & \"Söhne\" $HOME #1 \\ ; [x] `id` %s = y"
			dir := t.TempDir()
			role := tc.args[0]
			if role == "nbtls" { // some of it the gateway cannot read
				organization = "O'Neil & $HOME #1 \\ ; [x] `id`"
			}
			sh(t, dir, must(t, append([]string{"template", "--organization", organization}, tc.args...)...).stdout)
			if st, err := os.Stat(filepath.Join(dir, role+".key")); err != nil || st.Mode().Perm()&0o077 != 0 {
				t.Errorf("the key: %v, %v", st, err)
			}
			if role == "nbtls" {
				sh(t, dir, `set -e
openssl req -x509 -newkey rsa:3072 -nodes -keyout ca.key -out ca.pem -subj "/C=DE/O=Test/CN=Test CA" -days 500
until openssl x509 -in nbtls.pem -noout -fingerprint -sha256 | grep -v =00:; do
	openssl x509 -req -in nbtls.csr -CA ca.pem -CAkey ca.key -copy_extensions copy -sha256 -days 400 -out nbtls.pem
done`)
			}
			args := []string{"check", "--type", role, "--format", "json"}
			if role != "efgsta" {
				args = append(args, "--country", "DE")
			}
			var doc struct {
				Certificates []struct {
					Subject  string
					Findings []struct{ ID, Severity, Status, Message string }
				}
			}
			out := finish(t, command(t, append(args, filepath.Join(dir, role+".pem"))...))
			if err := json.Unmarshal([]byte(out.stdout), &doc); err != nil || len(doc.Certificates) != 1 {
				t.Fatalf("%v\n%s%s", err, out.stdout, out.stderr)
			}
			c := doc.Certificates[0]
			var found []string
			for _, f := range c.Findings {
				if f.Status == "fail" {
					found = append(found, f.ID+" "+f.Severity)
				}
			}
			if got := strings.Join(found, ", "); got != tc.found {
				t.Errorf("check finds %q, want %q\n%s", got, tc.found, out.stdout)
			}
			unescaped := strings.NewReplacer(`\"`, `"`, `\\`, `\`, `\;`, `;`, `\=`, `=`).Replace(c.Subject)
			if !strings.Contains(unescaped, "O="+organization) {
				t.Errorf("the subject is %s", c.Subject)
			}
			// A second run replaces no key.
			script := exec.Command("sh", "-c", must(t, append([]string{"template", "--organization", "X"}, tc.args...)...).stdout)
			script.Dir = dir
			if text, err := script.CombinedOutput(); err == nil || !strings.Contains(string(text), "exists already") {
				t.Errorf("the second run: %v\n%s", err, text)
			}
		})
	}
}

func sh(t *testing.T, dir, script string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), "sh", "-c", script)
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, script)
	}
}

func TestTemplateValues(t *testing.T) {
	for in, want := range map[string]bool{
		"efgs.example.de": true, "a-b.x1": true,
		"localhost": false, "*": false, "*.example.de": false, "a.*.de": false, "-a.de": false, "a-.de": false,
		"a..de": false, "example.de.": false, "ex ample.de": false, "exämple.de": false, "a.de\nDNS.2=b.de": false, "": false,
	} {
		if got := hostName(in); got != want {
			t.Errorf("hostName(%q) = %v", in, got)
		}
	}
	for in, want := range map[string]bool{
		"Health Agency": true, `a\b`: true, "Υπουργείο": true,
		"a\nEND_OF_CONFIGURATION": false, "a\x1b": false, " a": false, "a ": false, "a\u202eb": false, "\xff": false, "a\u00a0b": false,
	} {
		if got := singleLine(in); got != want {
			t.Errorf("singleLine(%q) = %v", in, got)
		}
	}
}

// A certificate whose SHA-256 begins with 00 is made again, and a failure ends the script.
func TestTemplateMakesAnother(t *testing.T) {
	const fake = `#!/bin/sh
case $1 in
req) echo made >> made; [ ! -e broken ] ;;
x509) if [ "$(wc -l < made)" -lt 3 ]; then echo 'sha256 Fingerprint=00:11'; else echo 'sha256 Fingerprint=11:00:00'; fi ;;
esac
`
	for broken, want := range map[bool]int{false: 3, true: 1} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "openssl"), fake, 0o755)
		if broken {
			write(t, filepath.Join(dir, "broken"), "", 0o644)
		}
		c := exec.CommandContext(t.Context(), "sh", "-c", must(t, "template", "nbbs", "--country", "DE").stdout)
		c.Dir, c.Env = dir, append(os.Environ(), "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"))
		out, err := c.CombinedOutput()
		made, _ := os.ReadFile(filepath.Join(dir, "made"))
		if n := strings.Count(string(made), "made"); n != want || (err != nil) != broken {
			t.Errorf("broken %v: %d certificates, %v\n%s", broken, n, err, out)
		}
	}
}
