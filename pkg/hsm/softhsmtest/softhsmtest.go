// Package softhsmtest gives a test a SoftHSM token directory of its own. Tests
// that share one fail now and then: SoftHSM is not safe against another process
// starting on the same directory.
//
// SoftHSM reads SOFTHSM2_CONF when the module is initialised, so tests that use
// it cannot run in parallel within one process.
package softhsmtest

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// PINs of the tokens that Init makes.
const (
	UserPIN = "123456"
	SOPIN   = "87654321"
)

// EnvConf is the variable that SoftHSM finds its configuration by.
const EnvConf = "SOFTHSM2_CONF"

// Store is a token directory.
type Store struct {
	Dir    string // holds the configuration and the tokens
	Conf   string // path of softhsm2.conf, the value for SOFTHSM2_CONF
	Module string // absolute path of libsofthsm2.so
}

// Make lays out a token directory under dir, which exists. It changes nothing in
// the process: set EnvConf to Store.Conf for whatever is to see the tokens.
func Make(dir string) (*Store, error) {
	module, err := Module()
	if err != nil {
		return nil, err
	}
	tokens := filepath.Join(dir, "tokens")
	if err := os.Mkdir(tokens, 0o700); err != nil {
		return nil, err
	}
	conf := filepath.Join(dir, "softhsm2.conf")
	text := "directories.tokendir = " + tokens + "\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		return nil, err
	}
	return &Store{Dir: dir, Conf: conf, Module: module}, nil
}

// New makes a token directory for the length of a test and points this process
// at it. It fails the test if SoftHSM is not installed.
func New(tb testing.TB) *Store {
	tb.Helper()
	s, err := Make(tb.TempDir())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Setenv(EnvConf, s.Conf)
	return s
}

// Init initialises a token with UserPIN and SOPIN. Two tokens may have one label.
func (s *Store) Init(label string) error { return s.InitWithPIN(label, UserPIN) }

// InitWithPIN is Init with another user PIN.
func (s *Store) InitWithPIN(label, pin string) error {
	util, err := exec.LookPath("softhsm2-util")
	if err != nil {
		return missing("softhsm2-util")
	}
	cmd := exec.Command(util, "--init-token", "--free", "--label", label, "--so-pin", SOPIN, "--pin", pin)
	cmd.Env = append(os.Environ(), EnvConf+"="+s.Conf)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("softhsm2-util --init-token: %w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}

// Import puts a key that was made outside into a token of the configuration conf, with
// the ID 77 and further flags of softhsm2-util.
func Import(conf, token, label string, key crypto.PrivateKey, flags ...string) error {
	util, err := exec.LookPath("softhsm2-util")
	if err != nil {
		return missing("softhsm2-util")
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	file := filepath.Join(filepath.Dir(conf), label+".pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		return err
	}
	cmd := exec.Command(util, append([]string{"--import", file, "--token", token, "--label", label, "--id", "77", "--pin", UserPIN}, flags...)...)
	cmd.Env = append(os.Environ(), EnvConf+"="+conf)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("softhsm2-util --import: %w: %s", err, bytes.TrimSpace(out))
	}
	return os.Remove(file)
}

// Token is Init for tests.
func (s *Store) Token(tb testing.TB, label string) {
	tb.Helper()
	if err := s.Init(label); err != nil {
		tb.Fatal(err)
	}
}

// Module finds libsofthsm2.so where distributions put it.
func Module() (string, error) {
	for _, pattern := range []string{
		"/usr/lib/softhsm/libsofthsm2.so",
		"/usr/lib/*/softhsm/libsofthsm2.so",
		"/usr/lib64/pkcs11/libsofthsm2.so",
		"/usr/lib64/softhsm/libsofthsm2.so",
		"/usr/local/lib/softhsm/libsofthsm2.so",
		"/opt/homebrew/lib/softhsm/libsofthsm2.so",
	} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			return "", err
		}
		if len(found) > 0 {
			return found[0], nil
		}
	}
	return "", missing("libsofthsm2.so")
}

func missing(what string) error {
	return fmt.Errorf("%s is not installed: run `make test-deps`", what)
}
