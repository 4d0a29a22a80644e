package bench

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/efgsta/efgsta/pkg/hsm/softhsmtest"
)

// tokenKey is a key in a SoftHSM token of its own.
type tokenKey struct {
	store *softhsmtest.Store
	pin   string // path of the file
}

const (
	tokenLabel = "BENCH"
	keyLabel   = "efgsta"
)

// newToken makes a token without a key.
func newToken(b *testing.B) tokenKey {
	b.Helper()
	store := softhsmtest.New(b)
	store.Token(b, tokenLabel)
	pin := filepath.Join(b.TempDir(), "pin")
	if err := os.WriteFile(pin, []byte(softhsmtest.UserPIN+"\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	return tokenKey{store, pin}
}

// flags name the key to efgsta.
func (k tokenKey) flags() []string {
	return []string{"--key", "pkcs11:token=" + tokenLabel + ";object=" + keyLabel, "--module", k.store.Module, "--pin-file", k.pin}
}
