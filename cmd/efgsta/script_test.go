package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// makerKey is where a session keeps its maker of certificates.
type makerKey struct{}

// scriptCommands are what a session can do besides running efgsta:
//
//	mkcert nbbs DE nbbs.pem [name=value…]   make a certificate file, see order
//	mkca ca.pem list.crl [name=value…]      write the CA of every NBTLS and a list of it, see writeCA
//	exits 2 efgsta check …                  run and compare the exit code
//	workspace DIR CC…                       make a rehearsal workspace with a P-256 EFGSTA (also in efgsta.pem) and
//	                                        these members, whose good certificates are DE-nbbs.pem, DE-nbtls.pem …
//	                                        and were submitted with ca.pem and list.crl, which mkca made
//	release DIR                             plan and sign there
//	words                                   read the plan's words from the last stdout into $WORDS
//	when NAME +400d                         set $NAME to that time
//	thumbprint NAME FILE                    set $NAME to the SHA-256 of a certificate, ${NAME}16 to its short form
//	canonical FILE OUT                      write the certificate in FILE as encoding/pem does
//	json FILE PATH PATTERN                  match the JSON value at PATH, such as certificates.0.verdict
//	edit FILE OLD NEW                       replace the first OLD in FILE, which must hold it
//	rechain FILE OLD NEW                    the same in a journal, chained anew as whoever can write to it would
//	cut FILE N                              take N bytes off the end; "line": the last line
//	pick NAME FILE PATTERN                  set $NAME to what the pattern's group matches
//	[!] holds DIR FILE                      the private key or secret of FILE is somewhere under DIR, in any coding
//	[!] same FILE1 FILE2                    the files are equal, byte for byte
//	softhsm LABEL…                          make a token directory with these tokens, set $MODULE, $PIN and $BADPIN
//	weakkey TOKEN LABEL [FLAG…]             import a P-256 key from outside, with flags of softhsm2-util --import
//	files DIR OUT                           write to OUT what files are under DIR, each with its SHA-256
//	schema FILE NAME                        the JSON in FILE is of schema NAME and satisfies docs/schemas
//	calls NAME N                            so many calls of that PKCS#11 function since the last time
var scriptCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"mkcert": func(ts *testscript.TestScript, neg bool, args []string) {
		ts.Check(ts.Value(makerKey{}).(*maker).writeCert(args, ts.MkAbs))
	},
	"mkca": func(ts *testscript.TestScript, neg bool, args []string) {
		ts.Check(writeCA(args, ts.MkAbs))
	},
	"exits":      scriptExits,
	"schema":     scriptSchema,
	"workspace":  scriptWorkspace,
	"release":    scriptRelease,
	"words":      scriptWords,
	"when":       scriptWhen,
	"thumbprint": scriptThumbprint,
	"canonical":  scriptCanonical,
	"json":       scriptJSON,
	"edit":       scriptEdit,
	"rechain":    scriptRechain,
	"cut":        scriptCut,
	"pick":       scriptPick,
	"holds":      scriptHolds,
	"same":       scriptSame,
	"softhsm":    scriptSoftHSM,
	"weakkey":    scriptWeakKey,
	"files":      scriptFiles,
	"calls":      scriptCalls,
}

func need(ts *testscript.TestScript, args []string, n int, usage string) {
	if len(args) != n {
		ts.Fatalf("usage: %s", usage)
	}
}

func scriptExits(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM…")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

func scriptWorkspace(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: workspace DIR CC…")
	}
	dir := args[0]
	efgsta := func(args ...string) { ts.Check(ts.Exec("efgsta", args...)) }
	efgsta("init", dir, "--environment", "rehearsal")
	efgsta("anchor", "create", "--workspace", dir, "--algorithm", "ecdsa-p256", "--organization", "European Commission",
		"--key", "file:keys/efgsta.p8", "--pin-file", ts.Getenv("PASS"))
	efgsta("anchor", "show", "--workspace", dir, "--pem")
	ts.Check(os.WriteFile(ts.MkAbs("efgsta.pem"), []byte(ts.ReadFile("stdout")), 0o644))
	ts.Check(writeCA([]string{"ca.pem", "list.crl"}, ts.MkAbs))
	m := ts.Value(makerKey{}).(*maker)
	for _, cc := range args[1:] {
		nbbs, nbtls := cc+"-nbbs.pem", cc+"-nbtls.pem"
		ts.Check(m.writeCert([]string{"nbbs", cc, nbbs}, ts.MkAbs))
		ts.Check(m.writeCert([]string{"nbtls", cc, nbtls}, ts.MkAbs))
		efgsta("member", "add", cc, "--workspace", dir, "--name", "State "+cc, "--contact", "PKI desk <pki@example.org>")
		efgsta("submit", cc, "--workspace", dir, "--nbtls", nbtls, "--nbbs", nbbs, "--roots", "ca.pem", "--crl", "list.crl", "--confirmed-by", "phone")
	}
}

func scriptRelease(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: release DIR [FLAG…]")
	}
	flags := append([]string{"--workspace", args[0]}, args[1:]...)
	ts.Check(ts.Exec("efgsta", append([]string{"plan"}, flags...)...))
	scriptWords(ts, false, nil)
	ts.Check(ts.Exec("efgsta", append([]string{"sign", "--pin-file", ts.Getenv("PASS"), "--confirm", ts.Getenv("WORDS")}, flags...)...))
}

// wordsLine is the line of a plan that is read aloud.
var wordsLine = regexp.MustCompile(`(?m)^Read aloud +(.+)$`)

func scriptWords(ts *testscript.TestScript, _ bool, args []string) {
	m := wordsLine.FindStringSubmatch(ts.ReadFile("stdout"))
	if m == nil {
		ts.Fatalf("the last output is no plan")
	}
	if n := len(strings.Fields(m[1])); n != 8 {
		ts.Fatalf("%d words, want 8", n)
	}
	ts.Setenv("WORDS", m[1])
}

func scriptWhen(ts *testscript.TestScript, _ bool, args []string) {
	need(ts, args, 2, "when NAME +400d")
	t, err := moment(args[1])
	ts.Check(err)
	ts.Setenv(args[0], t.Format(time.RFC3339))
}

// certificateIn is the first certificate of a file, PEM or DER.
func certificateIn(data []byte) (*x509.Certificate, error) {
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			return x509.ParseCertificate(block.Bytes)
		}
	}
	return x509.ParseCertificate(data)
}

func scriptThumbprint(ts *testscript.TestScript, _ bool, args []string) {
	need(ts, args, 2, "thumbprint NAME FILE")
	c, err := certificateIn([]byte(ts.ReadFile(args[1])))
	ts.Check(err)
	sum := fmt.Sprintf("%x", sha256.Sum256(c.Raw))
	ts.Setenv(args[0], sum)
	ts.Setenv(args[0]+"16", sum[:16])
}

func scriptCanonical(ts *testscript.TestScript, _ bool, args []string) {
	need(ts, args, 2, "canonical FILE OUT")
	c, err := certificateIn([]byte(ts.ReadFile(args[0])))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), toPEM("CERTIFICATE", c.Raw), 0o644))
}

func scriptJSON(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, args, 3, "json FILE PATH PATTERN")
	var v any
	d := json.NewDecoder(strings.NewReader(ts.ReadFile(args[0])))
	d.UseNumber()
	ts.Check(d.Decode(&v))
	for _, step := range strings.Split(args[1], ".") {
		switch x := v.(type) {
		case map[string]any:
			member, ok := x[step]
			if !ok {
				ts.Fatalf("%s: no member %q", args[1], step)
			}
			v = member
		case []any:
			if step == "len" {
				v = len(x)
				continue
			}
			i, err := strconv.Atoi(step)
			ts.Check(err)
			if i >= len(x) {
				ts.Fatalf("%s: %d elements", args[1], len(x))
			}
			v = x[i]
		default:
			ts.Fatalf("%s: %v has no member %q", args[1], v, step)
		}
	}
	re, err := regexp.Compile("^(?:" + args[2] + ")$")
	ts.Check(err)
	if got := fmt.Sprint(v); re.MatchString(got) == neg {
		ts.Fatalf("%s is %q, pattern %q", args[1], got, args[2])
	}
}

func scriptEdit(ts *testscript.TestScript, _ bool, args []string) {
	need(ts, args, 3, "edit FILE OLD NEW")
	data := ts.ReadFile(args[0])
	if !strings.Contains(data, args[1]) {
		ts.Fatalf("%s does not hold %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(data, args[1], args[2], 1)), 0o644))
}

// scriptRechain edits a journal and puts every hash right again: the chain alone keeps
// nobody from that.
func scriptRechain(ts *testscript.TestScript, neg bool, args []string) {
	scriptEdit(ts, neg, args)
	var out strings.Builder
	prev := strings.Repeat("0", 64)
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		text := line[:strings.LastIndex(line, `,"prev":"`)] + `,"prev":"` + prev + `"`
		prev = fmt.Sprintf("%x", sha256.Sum256([]byte(text+"}")))
		out.WriteString(text + `,"hash":"` + prev + "\"}\n")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(out.String()), 0o644))
}

func scriptCut(ts *testscript.TestScript, _ bool, args []string) {
	need(ts, args, 2, "cut FILE N|line")
	data := ts.ReadFile(args[0])
	end := strings.LastIndexByte(strings.TrimSuffix(data, "\n"), '\n') + 1
	if args[1] != "line" {
		n, err := strconv.Atoi(args[1])
		ts.Check(err)
		end = len(data) - n
	}
	if end <= 0 {
		ts.Fatalf("%s has %d bytes", args[0], len(data))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(data[:end]), 0o644))
}

func scriptPick(ts *testscript.TestScript, _ bool, args []string) {
	need(ts, args, 3, "pick NAME FILE PATTERN")
	re, err := regexp.Compile("(?m)" + args[2])
	ts.Check(err)
	m := re.FindStringSubmatch(ts.ReadFile(args[1]))
	if len(m) != 2 {
		ts.Fatalf("%s has no match with one group for %q", args[1], args[2])
	}
	ts.Setenv(args[0], m[1])
}

func scriptSame(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, args, 2, "[!] same FILE1 FILE2")
	if (ts.ReadFile(args[0]) == ts.ReadFile(args[1])) == neg {
		ts.Fatalf("%s and %s: same is %v", args[0], args[1], neg)
	}
}

// scriptHolds looks for a secret as its bytes, as PEM, hex and base64 at any offset.
func scriptHolds(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, args, 2, "[!] holds DIR FILE")
	needles, err := needlesOf([]byte(ts.ReadFile(args[1])))
	ts.Check(err)
	found, files := "", 0
	ts.Check(filepath.WalkDir(ts.MkAbs(args[0]), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		// Line ends must not hide a match inside wrapped base64 or JSON.
		flat := flatten(data)
		for _, n := range needles {
			if n(data) || n(flat) {
				found = path
			}
		}
		return nil
	}))
	if files == 0 {
		ts.Fatalf("%s holds no file to look at", args[0])
	}
	if (found != "") == neg {
		ts.Fatalf("%s: found %q", args[1], found)
	}
}

// flatten takes out line ends, also those that JSON writes as \n.
func flatten(data []byte) []byte {
	for _, end := range []string{"\r", "\n", `\r`, `\n`} {
		data = bytes.ReplaceAll(data, []byte(end), nil)
	}
	return data
}

// needle reports whether a secret is in some data.
type needle func(data []byte) bool

// bare looks for the bytes as they are. The digits of a PIN are not meant where they
// are part of a longer number or digest.
func bare(secret []byte) needle {
	if len(secret) < 8 {
		re := regexp.MustCompile(`\b` + regexp.QuoteMeta(string(secret)) + `\b`)
		return re.Match
	}
	return func(data []byte) bool { return bytes.Contains(data, secret) }
}

// needlesOf is what must not be found: of a private key its PKCS#8 DER, its text and
// the octets of the secret itself, of any other file its text.
func needlesOf(data []byte) ([]needle, error) {
	var secrets [][]byte
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "PRIVATE KEY" {
			continue
		}
		secret, err := secretOctets(block.Bytes)
		if err != nil {
			return nil, err
		}
		text := base64.StdEncoding.EncodeToString(block.Bytes)
		// The first line of the PEM text finds files that were coded once more.
		secrets = append(secrets, block.Bytes, secret, []byte(text[:64]))
	}
	if secrets == nil {
		secrets = [][]byte{bytes.TrimSpace(data)}
	}
	var needles []needle
	for _, s := range secrets {
		needles = append(needles, bare(s), bare(fmt.Appendf(nil, "%x", s)), bare(fmt.Appendf(nil, "%X", s)))
		for shift := range 3 {
			// What lies before shifts the base64: only the characters that are made
			// of the secret alone are always the same.
			all := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), s...))
			needles = append(needles, bare([]byte(all[(8*shift+5)/6:8*(shift+len(s))/6])))
		}
	}
	return needles, nil
}
