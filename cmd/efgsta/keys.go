package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/efgsta/efgsta/pkg/atomicfile"
	"github.com/efgsta/efgsta/pkg/hsm"
	"github.com/efgsta/efgsta/pkg/keyfile"
	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/pkg/strictyaml"
)

// keyFlags say which private key to use and where its PIN or passphrase comes from.
type keyFlags struct {
	key     string
	module  string
	pinFile string
	pinFD   int
	lastTry bool
}

func (f *keyFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.key, "key", "", "`KEY`: file:PATH (rehearsal; relative to the workspace) or a PKCS#11 URI")
	c.Flags().StringVar(&f.module, "module", "", "PKCS#11 module `FILE`")
	f.addPIN(c)
}

func (f *keyFlags) addPIN(c *cobra.Command) {
	c.Flags().StringVar(&f.pinFile, "pin-file", "", "read PIN or passphrase from the first line of `FILE` (mode 0600)")
	c.Flags().IntVar(&f.pinFD, "pin-fd", -1, "read PIN or passphrase from file descriptor `N`")
	c.Flags().BoolVar(&f.lastTry, "last-try", false, "log in although the token says that one more wrong PIN locks it")
}

// pinGiven reports whether the PIN comes without asking.
func (f *keyFlags) pinGiven() bool { return f.pinFile != "" || f.pinFD >= 0 }

// hsmFile is the wiring of a workspace: which key, through which module. It holds
// no secret and decides nothing that is signed.
const hsmFile = "hsm.yaml"

const hsmSchema = "efgsta.hsm/v1"

type wiring struct {
	Schema   string `yaml:"schema"`
	Key      string `yaml:"key"`
	Module   string `yaml:"module"`
	InitArgs string `yaml:"init-args"`
}

func readWiring(dir string) (wiring, error) {
	var w wiring
	data, err := os.ReadFile(filepath.Join(dir, hsmFile))
	if errors.Is(err, fs.ErrNotExist) {
		return w, nil
	}
	if err != nil {
		return w, err
	}
	if err := strictyaml.Unmarshal(data, 64<<10, &w); err != nil {
		return w, usagef("", "%s: %w", hsmFile, err)
	}
	if w.Schema != hsmSchema {
		return w, usagef("", "%s: schema is %q, expected %q", hsmFile, w.Schema, hsmSchema)
	}
	return w, nil
}

func (w wiring) write(dir string) error {
	text := fmt.Sprintf(`# Where the EFGSTA key is. Wiring only: nothing here is signed or hashed, and no
# PIN belongs here.
schema: %s

# file:PATH (rehearsal) or a PKCS#11 URI such as pkcs11:token=EFGSTA;object=efgsta-2026
key: %q

# The PKCS#11 module, an absolute path; empty for a file key.
module: %q

# The initialisation string that some modules ask for; empty for most.
init-args: %q
`, hsmSchema, w.Key, w.Module, w.InitArgs)
	return atomicfile.Replace(filepath.Join(dir, hsmFile), []byte(text), 0o644)
}

// resolve fills in from hsm.yaml what the command line left out.
func (f *keyFlags) resolve(dir string) (wiring, error) {
	w, err := readWiring(dir)
	if err != nil {
		return w, err
	}
	w.Schema = hsmSchema
	if f.key != "" {
		w.Key = f.key
	}
	if f.module != "" {
		w.Module = f.module
	}
	if w.Key == "" {
		return w, usagef("give --key file:keys/efgsta.p8 (rehearsal) or --key 'pkcs11:token=…;object=…' --module FILE", "no key is named, neither by --key nor in %s", hsmFile)
	}
	return w, nil
}

// openedKey is a private key that is ready to sign.
type openedKey struct {
	crypto.Signer
	where  string     // for people
	token  hsm.Signer // nil for a file key
	isFile bool
}

// Close logs out of the token.
func (k *openedKey) Close() error {
	if k.token == nil {
		return nil
	}
	return k.token.Close()
}

// logins is the number of logins made at the token.
func (k *openedKey) logins() int {
	if k.token == nil {
		return 0
	}
	n, _ := k.token.Counts()
	return n
}

// open opens the key that belongs to pub. pub nil means any key of that name; make
// non-empty means to make a key of that algorithm if there is none of that name.
func (f *keyFlags) open(ctx context.Context, a *app, ws *registry.Workspace, w wiring, pub crypto.PublicKey, make string) (*openedKey, error) {
	if path, ok := strings.CutPrefix(w.Key, "file:"); ok {
		if ws.Config.Environment == registry.Production {
			return nil, usagef("use a key in a token: --key 'pkcs11:token=…;object=…'", "a production workspace takes no key from a file")
		}
		return f.openFile(ctx, a, ws.Dir, path, make)
	}
	return f.openToken(ctx, a, w, pub, make)
}

func (f *keyFlags) openFile(ctx context.Context, a *app, dir, path, algorithm string) (*openedKey, error) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && algorithm != "" {
		return f.makeFile(ctx, a, path, algorithm)
	}
	if err != nil {
		return nil, usagef("name the key with --key file:PATH; a relative PATH is under the workspace", "key file: %w", err)
	}
	pass, err := f.secret(ctx, a, "passphrase of "+path)
	if err != nil {
		return nil, err
	}
	defer clear(pass)
	key, err := keyfile.Open(data, pass)
	if err != nil {
		return nil, &exitError{code: exitHSM, err: fmt.Errorf("%s: %w", path, err), advice: hintOf(err)}
	}
	return &openedKey{Signer: key, where: "file " + path, isFile: true}, nil
}

func (f *keyFlags) makeFile(ctx context.Context, a *app, path, algorithm string) (*openedKey, error) {
	pass, err := f.secret(ctx, a, "new passphrase for "+path)
	if err != nil {
		return nil, err
	}
	defer clear(pass)
	if !f.pinGiven() {
		again, err := a.askSecret(interrupted(ctx), "the same passphrase again")
		if err != nil {
			return nil, err
		}
		defer clear(again)
		if !bytes.Equal(pass, again) {
			return nil, usagef("nothing was written; run the command again", "the two passphrases differ")
		}
	}
	if len(pass) == 0 {
		return nil, usagef("", "an empty passphrase protects nothing")
	}
	key, err := keyfile.Generate(rand.Reader, algorithm)
	if err != nil {
		return nil, err
	}
	sealed, err := keyfile.Seal(rand.Reader, key, pass)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	if err := atomicfile.Create(path, sealed, 0o600); err != nil {
		return nil, err
	}
	a.notef("made a new %s key in %s", algorithm, path)
	return &openedKey{Signer: key, where: "file " + path, isFile: true}, nil
}

func (f *keyFlags) openToken(ctx context.Context, a *app, w wiring, pub crypto.PublicKey, algorithm string) (*openedKey, error) {
	uri, err := hsm.ParseURI(w.Key)
	if err != nil {
		// The key is not quoted: what was refused in it may be a PIN.
		return nil, usagef(hintOf(err), "key: %w", err)
	}
	if uri.ModulePath == "" {
		uri.ModulePath = w.Module
	}
	if uri.ModulePath == "" {
		return nil, usagef("name it with --module FILE, for SoftHSM on Debian: --module /usr/lib/softhsm/libsofthsm2.so", "no PKCS#11 module is named, neither by --module nor in %s", hsmFile)
	}
	// To look for a key and then to make it are two logins; the PIN is asked for once.
	var pin []byte
	defer func() { clear(pin) }()
	ask := func(prompt string) ([]byte, error) {
		if pin == nil {
			given, err := f.secret(ctx, a, prompt)
			if err != nil {
				return nil, err
			}
			pin = given
		}
		return bytes.Clone(pin), nil
	}
	c := hsm.Config{Module: uri.ModulePath, InitArgs: w.InitArgs, URI: uri, LastTry: f.lastTry, PIN: ask}
	s, err := hsm.Open(c, pub)
	if algorithm != "" && errors.Is(err, hsm.ErrNoKey) {
		if s, err = hsm.Generate(c, algorithm); err == nil {
			a.notef("made a new %s key %q in token %q", algorithm, uri.Object, s.Token().Label)
		}
	}
	if err != nil {
		return nil, err
	}
	t := s.Token()
	return &openedKey{Signer: s, token: s, where: fmt.Sprintf("key %q (id %s) in token %q, serial %s", t.KeyLabel, t.KeyID, t.Label, t.Serial)}, nil
}

// maxSecret is the longest PIN or passphrase, in bytes.
const maxSecret = 256

// secret reads a PIN or passphrase from where the flags say, else asks for it.
func (f *keyFlags) secret(ctx context.Context, a *app, prompt string) ([]byte, error) {
	switch {
	case f.pinFile != "" && f.pinFD >= 0:
		return nil, usagef("", "--pin-file and --pin-fd exclude each other")
	case f.pinFile != "":
		return secretFile("--pin-file", f.pinFile)
	case f.pinFD >= 0:
		file := os.NewFile(uintptr(f.pinFD), "pin-fd")
		if file == nil {
			return nil, usagef("", "--pin-fd %d is not open", f.pinFD)
		}
		defer file.Close()
		return firstLine(file, fmt.Sprintf("--pin-fd %d", f.pinFD))
	}
	return a.askSecret(interrupted(ctx), prompt)
}

// firstLine reads a secret up to its line end, which is not part of it.
func firstLine(r io.Reader, where string) ([]byte, error) {
	buf := make([]byte, maxSecret+2)
	n, err := io.ReadFull(r, buf)
	if err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
		clear(buf)
		return nil, usagef("", "%s: %w", where, err)
	}
	line := buf[:n]
	if i := bytes.IndexByte(line, '\n'); i >= 0 {
		line = bytes.TrimSuffix(line[:i], []byte("\r"))
	}
	if len(line) == 0 || len(line) > maxSecret {
		clear(buf)
		return nil, usagef("", "%s: expected a PIN or passphrase of 1 to %d bytes on the first line", where, maxSecret)
	}
	return line, nil
}

// keyName is a public key in the words of keyfile and hsm: "rsa-3072", "ecdsa-p256".
func keyName(pub crypto.PublicKey) string {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("rsa-%d", k.N.BitLen())
	case *ecdsa.PublicKey:
		return "ecdsa-" + strings.ToLower(strings.ReplaceAll(k.Curve.Params().Name, "-", ""))
	}
	return fmt.Sprintf("%T", pub)
}
