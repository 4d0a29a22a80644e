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
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/efgsta/efgsta/pkg/atomicfile"
	"github.com/efgsta/efgsta/pkg/hsm"
	"github.com/efgsta/efgsta/pkg/keyfile"
	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/pkg/report"
)

// keyFlags say which private key to use and where its PIN or passphrase comes from.
type keyFlags struct {
	key      string
	module   string
	initArgs string
	pinFile  string
	pinFD    int
	lastTry  bool
	kept     *keptPIN // nil: each opening of a token asks anew
}

func (f *keyFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.key, "key", "", "`KEY`: file:PATH (rehearsal; relative to the workspace) or a PKCS#11 URI")
	f.addModule(c)
	f.addPIN(c)
}

func (f *keyFlags) addModule(c *cobra.Command) {
	c.Flags().StringVar(&f.module, "module", "", "PKCS#11 module `FILE`")
	c.Flags().StringVar(&f.initArgs, "init-args", "", "initialisation `STRING` that some modules want, such as NSS")
}

func (f *keyFlags) addPIN(c *cobra.Command) {
	c.Flags().StringVar(&f.pinFile, "pin-file", "", "read PIN or passphrase from the first line of `FILE` (mode 0600)")
	c.Flags().IntVar(&f.pinFD, "pin-fd", -1, "read PIN or passphrase from file descriptor `N`")
	c.Flags().BoolVar(&f.lastTry, "last-try", false, "log in although the token says that one more wrong PIN locks it")
}

// pinGiven reports whether the PIN comes without asking.
func (f *keyFlags) pinGiven() bool { return f.pinFile != "" || f.pinFD >= 0 }

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

// serial is the token's serial number, and id the key's ID in hex, as the token tells
// them; "" for a file key.
func (k *openedKey) serial() string {
	if k.token == nil {
		return ""
	}
	return k.token.Token().Serial
}

func (k *openedKey) id() string {
	if k.token == nil {
		return ""
	}
	return k.token.Token().KeyID
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
	if weak, next := keyfile.Weakness(data); weak != "" {
		a.notef("warning: whoever copies %s guesses its passphrase cheaply: %s", path, weak)
		a.notef("hint: %s", next)
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
	c, forget, err := f.token(ctx, a, w)
	if err != nil {
		return nil, err
	}
	defer forget()
	var s hsm.Signer
	if algorithm == "" || len(c.URI.ID) > 0 { // a new key gets a random ID: one that is named by it exists
		s, err = hsm.Open(c, pub)
	} else {
		s, err = a.openOrMake(c, algorithm)
	}
	if err != nil {
		return nil, err
	}
	return &openedKey{Signer: s, token: s, where: whereIs(s.Token())}, nil
}

// openOrMake opens the key of the URI's label, or makes it. What can be checked without
// a login is checked before the PIN is asked for, and what a new key means is said.
func (a *app) openOrMake(c hsm.Config, algorithm string) (hsm.Signer, error) {
	s, made, err := hsm.OpenOrGenerate(c, algorithm, func(cannot error) { a.noteNewKey(c.URI, algorithm, cannot) })
	if err != nil {
		return nil, err
	}
	if made {
		a.notef("made a new %s key %q in token %q", algorithm, report.Escape(c.URI.Object), report.Escape(s.Token().Label))
	}
	return s, nil
}

// noteNewKey says, before the PIN, that a key may be made and how it can be backed up,
// or why none can be made.
func (a *app) noteNewKey(u hsm.URI, algorithm string, cannot error) {
	if cannot != nil {
		a.notef("note: a key of that name must exist; none can be made: %s", report.Escape(cannot.Error()))
		return
	}
	a.notef("unless the token has a key %q already, a new %s key is made in it.\n%s", report.Escape(u.Object), algorithm, noBackup)
}

// whereIs names a key for people.
func whereIs(t hsm.TokenInfo) string {
	return fmt.Sprintf("key %q (id %s) in token %q, serial %s", t.KeyLabel, t.KeyID, t.Label, t.Serial)
}

// token is how to reach the token of a PKCS#11 URI. The PIN is asked for when it is
// first needed, and once for each token.
func (f *keyFlags) token(ctx context.Context, a *app, w wiring) (c hsm.Config, forget func(), err error) {
	uri, err := hsm.ParseURI(w.Key)
	if err != nil {
		// The key is not quoted: what was refused in it may be a PIN.
		return c, nil, usagef(hintOf(err), "key: %w", err)
	}
	if uri.ModulePath == "" {
		uri.ModulePath = w.Module
	}
	if uri.ModulePath == "" {
		return c, nil, noModule()
	}
	kept, forget := f.kept, func() {}
	if kept == nil {
		kept = &keptPIN{}
		forget = kept.forget
	}
	hsm.GuardCrashes(crashed, exitHSM)
	return hsm.Config{
		Module: uri.ModulePath, InitArgs: w.InitArgs, URI: uri, LastTry: f.lastTry,
		BeforeLogin: kept.at,
		PIN: func(prompt string) ([]byte, error) {
			return kept.get(func() ([]byte, error) { return f.secret(ctx, a, prompt) })
		},
	}, forget, nil
}

func noModule() error {
	return usagef("name it with --module FILE, for SoftHSM on Debian: --module /usr/lib/softhsm/libsofthsm2.so", "no PKCS#11 module is named, neither by --module nor in %s", hsmFile)
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
