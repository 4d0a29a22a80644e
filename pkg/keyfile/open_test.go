package keyfile

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"github.com/youmark/pkcs8"
	"golang.org/x/crypto/cryptobyte"
	cryptobyte_asn1 "golang.org/x/crypto/cryptobyte/asn1"
)

func TestOpenRefusesTheContainer(t *testing.T) {
	key := mustGenerate(t, "ecdsa-p256")
	sealed, err := seal(key, passphrase, 1000)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	plainKey := plain(t, dir, key)
	traditional := openssl(t, dir, "ec", "-in", "key.pem", "-aes256", "-passout", "pass:x")
	withHeader := bytes.Replace(sealed, []byte("KEY-----\n"), []byte("KEY-----\nComment: x\n\n"), 1)
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"empty":           {nil, "no PEM block"},
		"DER":             {[]byte{0x30, 0x00}, "no PEM block"},
		"plain":           {plainKey, "not PKCS#8-encrypted (PEM label PRIVATE KEY)"},
		"SEC 1 encrypted": {traditional, "not PKCS#8-encrypted (PEM label EC PRIVATE KEY)"},
		"certificate":     {bytes.ReplaceAll(sealed, []byte("ENCRYPTED PRIVATE KEY"), []byte("CERTIFICATE")), `label is "CERTIFICATE"`},
		"headers":         {withHeader, "has headers"},
		"two blocks":      {append(bytes.Clone(sealed), sealed...), "something after"},
		"text after":      {append(bytes.Clone(sealed), "hello"...), "something after"},
		"plain after":     {append(bytes.Clone(sealed), plainKey...), "something after"},
		"too large":       {append(bytes.Clone(sealed), make([]byte, maxFile)...), "more than"},
	} {
		if key, err := Open(c.data, passphrase); key != nil || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	_, err = Open(plainKey, passphrase)
	var e *Error
	if !errors.As(err, &e) || !strings.Contains(e.Hint(), "openssl pkcs8 -topk8") {
		t.Errorf("no way out for a plain key: %v", err)
	}
	if _, err := Open(append(bytes.Clone(sealed), "\r\n \n"...), passphrase); err != nil {
		t.Errorf("white space at the end: %v", err)
	}
}

// file is an EncryptedPrivateKeyInfo with one thing changed.
type file struct {
	scheme, kdf, prf, cipher asn1.ObjectIdentifier
	iterations               int64
	n, r, p                  int64
	keyLength                int64
	iv, ciphertext           int
	trailing                 bool
}

func newFile() file {
	return file{scheme: oidPBES2, kdf: oidPBKDF2, prf: oidHMACSHA256, cipher: oidAES256CBC, iterations: 1, n: 2, r: 1, p: 1, iv: 16, ciphertext: 32}
}

func (f file) der(t testing.TB) []byte {
	t.Helper()
	const seq, octets = cryptobyte_asn1.SEQUENCE, cryptobyte_asn1.OCTET_STRING
	var b cryptobyte.Builder
	b.AddASN1(seq, func(b *cryptobyte.Builder) {
		b.AddASN1(seq, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(f.scheme)
			b.AddASN1(seq, func(b *cryptobyte.Builder) {
				b.AddASN1(seq, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(f.kdf)
					b.AddASN1(seq, f.params)
				})
				b.AddASN1(seq, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(f.cipher)
					b.AddASN1OctetString(make([]byte, f.iv))
				})
			})
		})
		b.AddASN1(octets, func(b *cryptobyte.Builder) { b.AddBytes(make([]byte, f.ciphertext)) })
	})
	if f.trailing {
		b.AddUint8(0)
	}
	der, err := b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func (f file) params(b *cryptobyte.Builder) {
	b.AddASN1OctetString([]byte("saltsalt"))
	if f.kdf.Equal(oidScrypt) {
		b.AddASN1Int64(f.n)
		b.AddASN1Int64(f.r)
		b.AddASN1Int64(f.p)
		return
	}
	b.AddASN1Int64(f.iterations)
	if f.keyLength != 0 {
		b.AddASN1Int64(f.keyLength)
	}
	if f.prf != nil {
		b.AddASN1(cryptobyte_asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(f.prf)
			b.AddASN1NULL()
		})
	}
}

func TestOpenRefusesTheEncryption(t *testing.T) {
	other := asn1.ObjectIdentifier{1, 2, 3}
	for name, c := range map[string]struct {
		change func(*file)
		want   string // empty: it comes as far as the passphrase
	}{
		"as it should be":     {func(*file) {}, ""},
		"PBES1":               {func(f *file) { f.scheme = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 3} }, "not PBES2"},
		"other KDF":           {func(f *file) { f.kdf = other }, "not PBKDF2 or scrypt"},
		"SHA-1 by default":    {func(f *file) { f.prf = nil }, ""},
		"SHA-512":             {func(f *file) { f.prf = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 11} }, "HMAC-SHA-1 or HMAC-SHA-256"},
		"key length":          {func(f *file) { f.keyLength = 32 }, "key length"},
		"no iterations":       {func(f *file) { f.iterations = 0 }, "from 1 to"},
		"negative iterations": {func(f *file) { f.iterations = -1 }, "from 1 to"},
		"years of iterations": {func(f *file) { f.iterations = 1 << 40 }, "from 1 to 10000000"},
		"just too many":       {func(f *file) { f.iterations = 10_000_001 }, "from 1 to 10000000"},
		"3DES":                {func(f *file) { f.cipher = asn1.ObjectIdentifier{1, 2, 840, 113549, 3, 7} }, "not AES in CBC mode"},
		"AES-GCM":             {func(f *file) { f.cipher = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 46} }, "not AES in CBC mode"},
		"short IV":            {func(f *file) { f.iv = 15 }, "not a well-formed"},
		"no IV":               {func(f *file) { f.iv = 0 }, "not a well-formed"},
		"half a block":        {func(f *file) { f.ciphertext = 40 }, "not a well-formed"},
		"no ciphertext":       {func(f *file) { f.ciphertext = 0 }, "not a well-formed"},
		"trailing byte":       {func(f *file) { f.trailing = true }, "not a well-formed"},
		"scrypt":              {func(f *file) { f.kdf = oidScrypt }, ""},
		"scrypt at the limit": {func(f *file) { f.kdf, f.n, f.r = oidScrypt, 1<<18, 8 }, ""},
		"scrypt N":            {func(f *file) { f.kdf, f.n, f.r = oidScrypt, 1<<19, 8 }, "above 256 MiB"},
		"scrypt N no power":   {func(f *file) { f.kdf, f.n = oidScrypt, 3 }, "malformed"},
		"scrypt N of one":     {func(f *file) { f.kdf, f.n = oidScrypt, 1 }, "malformed"},
		"scrypt r":            {func(f *file) { f.kdf, f.r = oidScrypt, 1<<40 }, "above 256 MiB"},
		"scrypt r of none":    {func(f *file) { f.kdf, f.r = oidScrypt, 0 }, "malformed"},
		"scrypt p":            {func(f *file) { f.kdf, f.p = oidScrypt, 9 }, "p=8"},
		"scrypt product":      {func(f *file) { f.kdf, f.n, f.r = oidScrypt, 1<<62, 1<<62 }, "above 256 MiB"},
	} {
		f := newFile()
		c.change(&f)
		data := pem.EncodeToMemory(&pem.Block{Type: pemLabel, Bytes: f.der(t)})
		key, err := Open(data, passphrase)
		if key != nil || err == nil {
			t.Errorf("%s: %v, %v", name, key, err)
			continue
		}
		if c.want == "" && !errors.Is(err, ErrPassphrase) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestOpenRefusesOtherKeys(t *testing.T) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := pkcs8.MarshalPrivateKey(key, passphrase, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Open(pem.EncodeToMemory(&pem.Block{Type: pemLabel, Bytes: der}), passphrase)
	if err == nil || !strings.Contains(err.Error(), "ed25519") {
		t.Errorf("an Ed25519 key: %v", err)
	}
}

// FuzzOpen works on the DER inside, with costs that leave time for many tries.
func FuzzOpen(f *testing.F) {
	sealed, err := seal(mustGenerate(f, "ecdsa-p256"), passphrase, 1)
	if err != nil {
		f.Fatal(err)
	}
	block, _ := pem.Decode(sealed)
	f.Add(block.Bytes)
	f.Add(newFile().der(f))
	scrypt := newFile()
	scrypt.kdf = oidScrypt
	f.Add(scrypt.der(f))
	cheap := cost{iterations: 16, memory: 64 << 10, parallel: 2}
	f.Fuzz(func(t *testing.T, der []byte) {
		data := pem.EncodeToMemory(&pem.Block{Type: pemLabel, Bytes: der})
		key, err := open(data, passphrase, cheap)
		if (key == nil) == (err == nil) {
			t.Errorf("key %v and error %v", key, err)
		}
	})
}

func FuzzOpenPEM(f *testing.F) {
	sealed, err := seal(mustGenerate(f, "ecdsa-p256"), passphrase, 1)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		key, err := open(data, passphrase, cost{iterations: 16, memory: 64 << 10, parallel: 2})
		if (key == nil) == (err == nil) {
			t.Errorf("key %v and error %v", key, err)
		}
	})
}
