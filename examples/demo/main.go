// Command demo walks the whole job once with files only: three member states'
// certificates in, vetted, signed by a rehearsal EFGSTA, packed for the gateway and
// verified on the other side. It prints every command before its output, so that it
// can be read, and repeated by hand, like a session.
//
// It needs nothing but the efgsta binary: no token, no OpenSSL, no network.
package main

import (
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	binary := flag.String("efgsta", "bin/efgsta", "the efgsta binary")
	dir := flag.String("dir", "demo", "directory to work in; made anew each time")
	flag.Parse()
	if err := run(*binary, *dir); err != nil {
		fmt.Fprintf(os.Stderr, "demo: %v\n", err)
		os.Exit(1)
	}
}

func run(binary, dir string) error {
	binary, err := filepath.Abs(binary)
	if err != nil {
		return err
	}
	if _, err := os.Stat(binary); err != nil {
		return fmt.Errorf("%w (make build makes it)", err)
	}
	if dir, err = fresh(dir); err != nil {
		return err
	}
	start := time.Now()
	s := &session{binary: binary, root: dir, dir: dir}
	s.say("Everything below happens in " + dir)
	if err := s.prepare(start); err != nil {
		return err
	}
	for _, act := range []func(*session){engineer, firstDay, intake, signing, online, memberState, forgery} {
		act(s)
		if s.err != nil {
			return s.err
		}
	}
	s.whereEverythingIs(time.Since(start))
	return nil
}

// prepare plays the people outside: the states that make certificates, and whoever
// thinks of a passphrase.
func (s *session) prepare(now time.Time) error {
	if err := makeStates(filepath.Join(s.root, "states"), now); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(s.root, "online"), 0o755); err != nil {
		return err
	}
	s.say("Three member states have made their certificates: DE with RSA, FR with EC keys,",
		"IT with a small key, a life that is too long, and no key usage.",
		"CA/ has the root and the revocation list of the CA that issued their TLS certificates.")
	// A passphrase in a file is for rehearsals; the real key is in a token.
	return os.WriteFile(filepath.Join(s.root, "passphrase"), []byte(rand.Text()+"\n"), 0o600)
}

func engineer(s *session) {
	s.chapter("A member state checks its certificates before it sends them")
	s.run(0, "check", "--country", "DE", "--roots", "states/CA/root.pem", "--crl", "states/CA/list.crl", "states/DE/nbtls.pem", "states/DE/nbbs.pem")
	s.run(1, "check", "--type", "nbbs", "--country", "IT", "states/IT/nbbs.pem")
}

func firstDay(s *session) {
	s.chapter("The operator makes a workspace and a rehearsal EFGSTA")
	s.run(0, "init", "ws", "--environment", "rehearsal", "--policy", "efgs-2020")
	s.cd("ws")
	s.say("The key is a file, and its passphrase too: for rehearsals only.")
	s.run(0, "anchor", "create", "--organization", "European Commission", "--key", "file:keys/efgsta.p8", "--pin-file", "../passphrase")
	s.run(0, "anchor", "check")
}

func intake(s *session) {
	s.chapter("Certificates come in")
	for _, m := range []struct{ country, name string }{{"DE", "Germany"}, {"FR", "France"}, {"IT", "Italy"}} {
		s.run(0, "member", "add", m.country, "--name", m.name, "--contact", "PKI desk <pki@"+strings.ToLower(m.country)+".example.eu>")
	}
	s.submit(0, "DE")
	s.submit(0, "FR")
	s.say("IT's certificates are recorded and stay out: exit code 1, the list goes on without them.")
	s.submit(1, "IT")
	s.run(0, "status")
}

func (s *session) submit(code int, country string) {
	s.run(code, "submit", country, "--nbtls", "../states/"+country+"/nbtls.pem", "--nbbs", "../states/"+country+"/nbbs.pem",
		"--roots", "../states/CA/root.pem", "--crl", "../states/CA/list.crl", "--confirmed-by", "phone")
}

func signing(s *session) {
	s.chapter("A plan fixes every byte; sign signs exactly that")
	plan := s.run(0, "plan")
	words, ok := after(plan, "Read aloud")
	if !ok && s.err == nil {
		s.err = errors.New(`efgsta plan printed no line "Read aloud"`)
	}
	s.say("The words are typed by a person; --confirm exists for rehearsals.")
	s.run(0, "sign", "--pin-file", "../passphrase", "--confirm", words)
	s.run(0, "export", "gateway", "-o", "../online/gateway-000001.tar")
	s.save("../online/efgsta.pem", "anchor", "show", "--pem")
}

func online(s *session) {
	s.chapter("The gateway's operator verifies what arrived, with the EFGSTA handed over before")
	s.cd("../online")
	s.run(0, "verify", "bundle", "gateway-000001.tar", "--anchor", "efgsta.pem", "--state", "last.json")
}

func forgery(s *session) {
	s.chapter("One changed byte")
	s.cd("../../../../online")
	data, err := os.ReadFile(filepath.Join(s.dir, "gateway-000001.tar"))
	if err != nil {
		s.err = err
		return
	}
	at := strings.Index(string(data), "BEGIN CERTIFICATE")
	if at < 0 {
		s.err = errors.New("the bundle holds no certificate")
		return
	}
	data[at+30] ^= 1
	if s.err = os.WriteFile(filepath.Join(s.dir, "changed.tar"), data, 0o644); s.err != nil {
		return
	}
	s.run(1, "verify", "bundle", "changed.tar", "--anchor", "efgsta.pem", "--state", "last.json")
}

func memberState(s *session) {
	s.chapter("A member state verifies one signed certificate, as audit replies carry them")
	found, err := filepath.Glob(filepath.Join(s.root, "ws", "releases", "000001", "trust", "certificates", "DE-nbbs-*.pem"))
	if err != nil || len(found) != 1 {
		s.err = errors.Join(fmt.Errorf("%d certificates DE-nbbs-*.pem in release 1, expected one", len(found)), err)
		return
	}
	s.cd("../ws/releases/000001/trust")
	name := "certificates/" + filepath.Base(found[0])
	s.run(0, "verify", "certificate", name, "--signature", strings.TrimSuffix(name, "pem")+"sig",
		"--anchor", "../../../../online/efgsta.pem", "--trustlist", "trustlist.json")
}

func (s *session) whereEverythingIs(took time.Duration) {
	fmt.Printf(`
Done in %.1f seconds. All of it is in %s:
  states/                      what the member states sent, and what their CA publishes
  ws/efgsta.yaml               configuration, ws/journal.jsonl what was decided
  ws/releases/000001/          the signed release
  online/gateway-000001.tar    the bundle, which "tar -xf" unpacks: see docs/bundle.md
  online/efgsta.pem            the EFGSTA that verifies it
  passphrase                   of ws/keys/efgsta.p8, a rehearsal key
`, took.Seconds(), s.root)
}
