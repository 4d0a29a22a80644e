package cert

import (
	"archive/zip"
	"bytes"
	"testing"

	"golang.org/x/crypto/cryptobyte/asn1"
)

// sound checks what holds for every reading of a container.
func sound(t *testing.T, data []byte) {
	t.Helper()
	for _, password := range []string{"", "x"} {
		in := with(password, data)
		if len(in.Items) == 0 && len(in.Problems) == 0 {
			t.Fatal("neither item nor problem")
		}
		for i, it := range in.Items {
			if it.Index != i || it.Cert == nil && !hasProblem(in, i) {
				t.Fatalf("item %d: %+v", i, it)
			}
		}
		for _, p := range in.Problems {
			if p.Msg == "" || p.Index >= len(in.Items) {
				t.Fatalf("%+v", p)
			}
		}
		if in.PrivateKey != in.has(ProblemPrivateKey) {
			t.Fatal("private key without its problem")
		}
	}
}

func FuzzPKCS7(f *testing.F) {
	raw := selfSigned(f, "seed")
	f.Add(berOf(raw))
	f.Add(berOf(raw, raw))
	f.Add(berOf())
	f.Add([]byte(pemOf("PKCS7", berOf(raw))))
	f.Fuzz(sound)
}

func FuzzPKCS12(f *testing.F) {
	dir := files{f, f.TempDir()}
	dir.write("cert", []byte(pemOf("CERTIFICATE", selfSigned(f, "seed"))))
	for _, args := range [][]string{nil, {"-legacy"}, {"-certpbe", "NONE"}, {"-nomac", "-certpbe", "NONE"}} {
		openssl(f, nil, append([]string{"pkcs12", "-export", "-nokeys", "-in", dir.path("cert"), "-passout", "pass:x", "-iter", "2", "-out", dir.path("p12")}, args...)...)
		f.Add(dir.read("p12"))
	}
	f.Add(sealed(f, seq(f, asn1.SEQUENCE), newPassphrase([]byte("x"))))
	f.Fuzz(sound)
}

func FuzzZip(f *testing.F) {
	raw := selfSigned(f, "seed")
	p := []byte(pemOf("CERTIFICATE", raw))
	f.Add(zipOf(f, zip.Store, packed{"a", p}, packed{"b", raw}))
	f.Add(zipOf(f, zip.Deflate, packed{"a", bytes.Repeat(p, 3)}, packed{"b", berOf(raw)}))
	f.Add(zipOf(f, zip.Store, packed{"a", zipOf(f, zip.Store, packed{"b", p})}))
	for version := uint16(1); version <= 2; version++ {
		f.Add(sealedZip(f, aesExtra{version, 3, zip.Deflate}, "x", packed{"a", p}))
		f.Add(sealedZip(f, aesExtra{version, 1, zip.Store}, "x", packed{"a", p}))
	}
	f.Fuzz(sound)
}
