//go:build conformance

package conformance

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/efgsta/efgsta/pkg/hsm/softhsmtest"
)

// bouncyCastle is the class path of Debian's packages.
func bouncyCastle(t *testing.T) string {
	t.Helper()
	var jars []string
	for _, name := range []string{"bcprov", "bcpkix", "bcutil"} {
		jar := filepath.Join("/usr/share/java", name+".jar")
		if _, err := os.Stat(jar); err != nil {
			t.Fatalf("%s is missing: run `make test-deps` (scripts/install-test-deps.sh conformance)", jar)
		}
		jars = append(jars, jar)
	}
	return strings.Join(jars, string(os.PathListSeparator))
}

// scheme is one choice of anchor create --algorithm.
type scheme struct {
	algorithm string
	token     bool
	dgst      []string // flags of openssl dgst
}

var pssFlags = []string{"-sha256", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"}

var schemes = []scheme{
	{"rsa-3072", false, []string{"-sha256"}},
	{"rsa-4096", false, []string{"-sha256"}},
	{"rsa-pss-3072", false, pssFlags},
	{"rsa-pss-4096", false, pssFlags},
	{"ecdsa-p256", false, []string{"-sha256"}},
	{"ecdsa-p384", false, []string{"-sha384"}},
	{"ecdsa-p521", false, []string{"-sha512"}},
	{"rsa-3072", true, []string{"-sha256"}},
	{"rsa-pss-3072", true, pssFlags},
	{"ecdsa-p384", true, []string{"-sha384"}},
}

// signed is one thing that the EFGSTA signed: raw, CMS, or both. Paths.
type signed struct{ content, raw, cms string }

// made is what one scheme made.
type made struct {
	name, algorithm string
	anchor          string
	signed          []signed
	check           map[string]bool // what anchor check says of consumers
	questions       map[string]bool // word of Consumers.java and its answer
	why             map[string]string
}

// makeScheme signs a release and a succession. Keys in files are shared by schemes with the same kind of key.
func makeScheme(t *testing.T, s scheme, keys, pin string) *made {
	t.Helper()
	efgsta, err := buildBinary()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	ws := filepath.Join(dir, "ws")
	kind := strings.Replace(s.algorithm, "-pss", "", 1)
	key, next := "file:"+filepath.Join(keys, kind+".p8"), "file:"+filepath.Join(keys, "next.p8")
	var module []string
	name := s.algorithm
	if s.token {
		store := softhsmtest.New(t)
		store.Token(t, "EFGSTA")
		key, next, name = "pkcs11:token=EFGSTA;object=efgsta", "pkcs11:token=EFGSTA;object=next", name+" in a token"
		module = []string{"--module", store.Module}
		pin = write(t, dir, "pin", []byte(softhsmtest.UserPIN+"\n"))
	}
	in := func(args ...string) string { return run(t, efgsta, append(args, "--workspace", ws)...) }
	run(t, efgsta, "init", ws, "--environment", "rehearsal")
	in(append([]string{"anchor", "create", "--algorithm", s.algorithm, "--organization", "European Commission", "--key", key, "--pin-file", pin}, module...)...)
	roots, list := publish(t, dir)
	in("member", "add", "DE", "--name", "Germany", "--contact", "PKI desk <pki@example.eu>")
	member := submissions(t)["DE"]
	in("submit", "DE", "--nbtls", write(t, dir, "nbtls", member.nbtls), "--nbbs", write(t, dir, "nbbs", member.nbbs),
		"--roots", roots, "--crl", list, "--confirmed-by", "phone")
	_, words, _ := strings.Cut(in("plan"), "Read aloud")
	words, _, _ = strings.Cut(words, "\n")
	in("sign", "--pin-file", pin, "--confirm", strings.Join(strings.Fields(words), " "))
	roll := filepath.Join(dir, "roll")
	in("anchor", "roll", "announce", "--algorithm", "ecdsa-p256", "--organization", "European Commission", "--next-key", next,
		"--from", time.Now().AddDate(0, 1, 0).UTC().Format(time.RFC3339), "--pin-file", pin, "--next-pin-file", pin, "-o", roll)

	m := &made{name: name, algorithm: s.algorithm, anchor: write(t, dir, "efgsta.pem", []byte(in("anchor", "show", "--pem"))),
		check: map[string]bool{}, questions: map[string]bool{}, why: map[string]string{}}
	var check struct {
		Consumers []struct {
			Name string
			Can  bool
		}
	}
	if err := json.Unmarshal([]byte(in("anchor", "check", "--format", "json")), &check); err != nil {
		t.Fatal(err)
	}
	for _, c := range check.Consumers {
		name, _, _ := strings.Cut(c.Name, " (") // the column's sizes
		m.check[name] = c.Can
	}
	release := filepath.Join(ws, "releases", "000001")
	manifest, trustlist, succession := filepath.Join(release, "manifest.json"), filepath.Join(release, "trust", "trustlist.json"), filepath.Join(roll, "succession.json")
	m.signed = []signed{
		{manifest, decoded(t, manifest+".sig"), manifest + ".p7s"},
		{trustlist, "", trustlist + ".p7s"},
		{succession, decoded(t, succession+".sig"), succession + ".p7s"},
	}
	found, err := filepath.Glob(filepath.Join(release, "trust", "certificates", "*.pem"))
	if err != nil || len(found) != 2 {
		t.Fatalf("%d certificates in the release: %v", len(found), err)
	}
	for _, path := range found {
		base := strings.TrimSuffix(path, ".pem")
		block, _ := pem.Decode(read(t, path))
		m.signed = append(m.signed, signed{content: path, raw: decoded(t, base+".sig")},
			signed{content: write(t, t.TempDir(), "der", block.Bytes), cms: base + ".p7s"})
	}
	return m
}

// openssl verifies the certificate and every signature, and refuses each over another content.
func (m *made) openssl(t *testing.T, dgst []string) {
	t.Helper()
	dir := t.TempDir()
	run(t, "openssl", "verify", "-check_ss_sig", "-CAfile", m.anchor, m.anchor)
	pub := write(t, dir, "pub", []byte(run(t, "openssl", "x509", "-in", m.anchor, "-noout", "-pubkey")))
	for _, s := range m.signed {
		other := write(t, dir, "other", append(read(t, s.content), ' '))
		for content, want := range map[string]bool{s.content: true, other: false} {
			if s.raw != "" {
				r := try(t, nil, "openssl", append(append([]string{"dgst"}, dgst...), "-verify", pub, "-signature", s.raw, content)...)
				if (r.code == 0) != want {
					t.Errorf("openssl dgst of %s: exit %d %s", content, r.code, r.stderr)
				}
			}
			if s.cms != "" {
				r := try(t, nil, "openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", s.cms, "-content", content, "-cades",
					"-certfile", m.anchor, "-nointern", "-CAfile", m.anchor, "-no-CApath", "-no-CAstore", "-purpose", "any", "-out", os.DevNull)
				if (r.code == 0) != want {
					t.Errorf("openssl cms of %s: exit %d %s", content, r.code, r.stderr)
				}
			}
		}
	}
}

// question is one line for Consumers.java.
type question struct {
	by    *made
	word  string
	line  string
	other bool // over another content: whoever could verify has to say no
}

func (m *made) ask(t *testing.T) []question {
	var out []question
	for _, word := range []string{"certificate", "path"} {
		out = append(out, question{m, word, word + "\t" + m.anchor, false})
	}
	dir := t.TempDir()
	for i, s := range m.signed {
		other := write(t, dir, fmt.Sprint(i), append(read(t, s.content), ' '))
		for _, content := range []string{s.content, other} {
			if s.raw != "" {
				for _, word := range []string{"name", "parameters", "sha256"} {
					out = append(out, question{m, word, strings.Join([]string{word, m.anchor, content, s.raw}, "\t"), content == other})
				}
			}
			if s.cms != "" {
				for _, word := range []string{"cms", "cms-bc"} {
					out = append(out, question{m, word, strings.Join([]string{word, m.anchor, content, s.cms}, "\t"), content == other})
				}
			}
		}
	}
	return out
}

// TestSchemes makes everything that the EFGSTA signs with each of its algorithms, has
// OpenSSL and Java verify it, and holds docs/compatibility.md and anchor check to what they say.
func TestSchemes(t *testing.T) {
	keys := t.TempDir()
	pin := write(t, keys, "pin", []byte("correct horse battery staple\n"))
	var all []*made
	var questions []question
	for _, s := range schemes {
		m := makeScheme(t, s, keys, pin)
		m.openssl(t, s.dgst)
		questions = append(questions, m.ask(t)...)
		all = append(all, m)
	}
	var lines strings.Builder
	for _, q := range questions {
		lines.WriteString(q.line + "\n")
	}
	out := run(t, "java", "-cp", bouncyCastle(t), filepath.Join("java", "Consumers.java"), write(t, t.TempDir(), "questions", []byte(lines.String())))
	answers := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if len(answers) != len(questions) {
		t.Fatalf("%d answers to %d questions", len(answers), len(questions))
	}
	for i, q := range questions {
		ok := answers[i] == "OK"
		if q.other {
			if ok {
				t.Errorf("%s: another content passes: %s", q.by.name, q.line)
			}
			continue
		}
		before, asked := q.by.questions[q.word]
		if asked && before != ok {
			t.Errorf("%s: %s: not the same answer for everything signed: %s", q.by.name, q.word, answers[i])
		}
		q.by.questions[q.word], q.by.why[q.word] = ok, answers[i]
	}
	table := compatibility(t)
	for _, m := range all {
		t.Run(m.name, func(t *testing.T) { m.compare(t, table[m.algorithm]) })
	}
	if len(table) != 7 {
		t.Errorf("docs/compatibility.md has %d algorithms", len(table))
	}
}

func (m *made) compare(t *testing.T, documented map[string]bool) {
	for _, word := range []string{"certificate", "path"} {
		if !m.questions[word] {
			t.Errorf("%s: %s", word, m.why[word])
		}
	}
	longest := 0
	for _, s := range m.signed {
		if s.raw != "" {
			longest = max(longest, (len(read(t, s.raw))+2)/3*4)
		}
	}
	found := map[string]bool{
		"online gateway":            m.questions["name"],
		"gateway column":            longest <= 690,
		"strict national clients":   m.questions["sha256"],
		"OpenSSL":                   true, // or openssl above has failed
		"JDK by algorithm name":     m.questions["name"],
		"JDK with parameters":       m.questions["parameters"],
		"CMS in Java, JDK provider": m.questions["cms"],
		"CMS in Java, BouncyCastle": m.questions["cms-bc"],
	}
	for consumer, can := range found {
		if said, ok := documented[consumer]; !ok || said != can {
			t.Errorf("%s: %v; docs/compatibility.md has it %v and says %v", consumer, can, ok, said)
		}
		if said, ok := m.check[consumer]; !ok || said != can {
			t.Errorf("%s: %v; anchor check has it %v and says %v", consumer, can, ok, said)
		}
	}
	if len(documented) != len(found) || len(m.check) != len(found) {
		t.Errorf("%d consumers are tried, %d documented, %d in anchor check", len(found), len(documented), len(m.check))
	}
	// The reasons that the document gives.
	pss := strings.HasPrefix(m.algorithm, "rsa-pss")
	for word, why := range map[string]string{"name": "RSASSA-PSS", "cms": "SHA256WITHRSASSA-PSS", "sha256": "does not verify"} {
		if pss && !strings.Contains(m.why[word], why) {
			t.Errorf("%s: %s, want %s", word, m.why[word], why)
		}
	}
	if strings.HasPrefix(m.algorithm, "ecdsa") && !strings.Contains(m.why["sha256"], "SHA256withEC ") {
		t.Errorf("sha256: %s", m.why["sha256"])
	}
	t.Logf("%v", m.why)
}

// compatibility reads the table of docs/compatibility.md: algorithm, consumer, yes.
func compatibility(t *testing.T) map[string]map[string]bool {
	t.Helper()
	out := map[string]map[string]bool{}
	var head []string
	for _, line := range strings.Split(string(read(t, "..", "..", "docs", "compatibility.md")), "\n") {
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|---") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if head == nil {
			head = cells
			continue
		}
		row := map[string]bool{}
		for i, cell := range cells[1:] {
			if !slices.Contains([]string{"yes", "no"}, cell) {
				t.Fatalf("docs/compatibility.md: %q is neither yes nor no", cell)
			}
			row[head[i+1]] = cell == "yes"
		}
		out[strings.Trim(cells[0], "`")] = row
	}
	return out
}
