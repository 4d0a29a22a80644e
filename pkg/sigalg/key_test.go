package sigalg

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"math/big"
	"path/filepath"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// spki builds a SubjectPublicKeyInfo from parts.
func spki(t testing.TB, oid string, params, key []byte) []byte {
	t.Helper()
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			addOID(b, oid)
			b.AddBytes(params)
		})
		b.AddASN1BitString(key)
	})
	out, err := b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func rsaKey(t testing.TB, n, e *big.Int) []byte {
	t.Helper()
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(n)
		b.AddASN1BigInt(e)
	})
	out, err := b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return spki(t, oidRSA, []byte{5, 0}, out)
}

func ecKey(t testing.TB, curve string, point []byte) []byte {
	t.Helper()
	oid, err := encodeOID(curveByName(curve).OID)
	if err != nil {
		t.Fatal(err)
	}
	return spki(t, oidEC, append([]byte{6, byte(len(oid))}, oid...), point)
}

func TestParseStandardKeys(t *testing.T) {
	rsaPriv, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]any{"RSA": &rsaPriv.PublicKey}
	for _, c := range []elliptic.Curve{elliptic.P224(), elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		k, err := ecdsa.GenerateKey(c, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		keys[c.Params().Name] = &k.PublicKey
	}
	keys["Ed25519"], _, err = ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, pub := range keys {
		der, err := x509.MarshalPKIXPublicKey(pub)
		if err != nil {
			t.Fatal(err)
		}
		k, err := ParsePublicKey(der)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if eq, ok := pub.(interface{ Equal(any) bool }); ok && !eq.Equal(k.Std) {
			t.Errorf("%s: another key", name)
		}
		wrapped, err := FromStd(pub)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if wrapped.Algorithm != k.Algorithm || wrapped.Bits() != k.Bits() || wrapped.OID != k.OID || !bytes.Equal(wrapped.Point, k.Point) {
			t.Errorf("%s: FromStd gives %+v, ParsePublicKey %+v", name, wrapped, k)
		}
		if k.Curve != nil && (k.Curve.Name != name || k.Bits() != wrapped.Curve.OrderBits) {
			t.Errorf("%s: curve %+v", name, k.Curve)
		}
	}
}

func TestFromStdRefuses(t *testing.T) {
	x, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, pub := range []any{nil, 5, (*rsa.PublicKey)(nil), &rsa.PublicKey{}, (*ecdsa.PublicKey)(nil), &ecdsa.PublicKey{}, ed25519.PublicKey{1}, x.PublicKey()} {
		if k, err := FromStd(pub); err == nil {
			t.Errorf("%T: %+v", pub, k)
		}
	}
}

func TestParseOpenSSLCurves(t *testing.T) {
	for _, c := range []struct {
		openssl, name string
		bits          int
		binary        bool
	}{
		{"prime256v1", "P-256", 256, false},
		{"secp256k1", "secp256k1", 256, false},
		{"brainpoolP256r1", "brainpoolP256r1", 256, false},
		{"brainpoolP320t1", "brainpoolP320t1", 320, false},
		{"brainpoolP512r1", "brainpoolP512r1", 512, false},
		{"prime239v1", "prime239v1", 239, false},
		{"sect233k1", "sect233k1", 232, true},
		{"sect283k1", "sect283k1", 281, true},
		{"secp160r1", "secp160r1", 161, false},
	} {
		key, der := opensslKey(t, "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:"+c.openssl)
		k, err := ParsePublicKey(der)
		if err != nil || k.Curve == nil || k.Curve.Name != c.name || k.Bits() != c.bits || k.Curve.Binary != c.binary || k.ExplicitCurve {
			t.Errorf("%s: %+v %+v, %v", c.openssl, k, k.Curve, err)
			continue
		}
		explicit, err := ParsePublicKey(publicOf(t, key, "-ec_param_enc", "explicit"))
		if err != nil || !explicit.ExplicitCurve || explicit.CurveOID != "" {
			t.Errorf("%s, explicit: %+v, %v", c.openssl, explicit, err)
			continue
		}
		if !c.binary && c.bits > 190 && (explicit.Curve == nil || explicit.Curve.Name != c.name) {
			t.Errorf("%s, explicit: recognised as %+v", c.openssl, explicit.Curve)
		}
		compressed, err := ParsePublicKey(publicOf(t, key, "-ec_conv_form", "compressed"))
		if err != nil || len(compressed.Point) != 1+len(k.Point)/2 {
			t.Errorf("%s, compressed: %+v, %v", c.openssl, compressed, err)
		}
		if c.name == "P-256" && (k.Std == nil || compressed.Std == nil || !k.Std.(*ecdsa.PublicKey).Equal(compressed.Std)) {
			t.Errorf("%s: compressed and uncompressed differ", c.openssl)
		}
	}
}

// The same curve with another generator is another group: whoever chooses the
// generator knows a private key for any public one (CVE-2020-0601).
func TestExplicitCurveWithForgedGenerator(t *testing.T) {
	key, _ := opensslKey(t, "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1")
	der := publicOf(t, key, "-ec_param_enc", "explicit")
	g := elliptic.P256().Params()
	priv, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := priv.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	generator := append(append([]byte{4}, g.Gx.FillBytes(make([]byte, 32))...), g.Gy.FillBytes(make([]byte, 32))...)
	forged := bytes.Replace(der, generator, other, 1)
	if bytes.Equal(forged, der) {
		t.Fatal("generator not found")
	}
	k, err := ParsePublicKey(forged)
	if err != nil || !k.ExplicitCurve || k.Curve != nil || k.Std != nil {
		t.Fatalf("%+v, %v", k, err)
	}
}

func TestOddPoints(t *testing.T) {
	priv, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good, err := priv.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	alter := func(f func([]byte) []byte) []byte { return f(bytes.Clone(good)) }
	p := elliptic.P256().Params().P
	for name, point := range map[string][]byte{
		"empty":            {},
		"infinity":         {0},
		"off the curve":    alter(func(b []byte) []byte { b[64] ^= 1; return b }),
		"short":            good[:64],
		"long":             alter(func(b []byte) []byte { return append(b, 0) }),
		"x is p":           alter(func(b []byte) []byte { p.FillBytes(b[1:33]); return b }),
		"hybrid":           alter(func(b []byte) []byte { b[0] = 6 | b[64]&1; return b }),
		"bad format":       alter(func(b []byte) []byte { b[0] = 5; return b }),
		"compressed, x p":  append([]byte{2}, p.Bytes()...),
		"compressed short": {2, 1},
		"zeros":            append([]byte{4}, make([]byte, 64)...),
	} {
		k, err := ParsePublicKey(ecKey(t, "P-256", point))
		if err == nil || k.Std != nil || k.Curve == nil || !bytes.Equal(k.Point, point) {
			t.Errorf("%s: %+v, %v", name, k, err)
		}
		// Other curves keep the point as it is.
		if k, err := ParsePublicKey(ecKey(t, "brainpoolP256r1", point)); err != nil || k.Std != nil {
			t.Errorf("%s on brainpool: %+v, %v", name, k, err)
		}
	}
}

func TestECParameters(t *testing.T) {
	point := append([]byte{4}, make([]byte, 64)...)
	for name, c := range map[string]struct {
		params string
		ok     bool
	}{
		"absent":        {"", false},
		"implicit":      {"05 00", false},
		"unknown curve": {"06 02 2a 03", true},
		"integer":       {"02 01 05", false},
		"empty":         {"30 00", false},
		"broken OID":    {"06 01 80", false},
	} {
		k, err := ParsePublicKey(spki(t, oidEC, unhex(t, c.params), point))
		if (err == nil) != c.ok || k.Algorithm != "EC" || k.Curve != nil || k.Bits() != 0 || !bytes.Equal(k.Point, point) {
			t.Errorf("%s: %+v, %v", name, k, err)
		}
	}
}

func TestRSAKeys(t *testing.T) {
	n := new(big.Int).Lsh(big.NewInt(1), 2047)
	n.Add(n, big.NewInt(1))
	for name, c := range map[string]struct {
		n, e    *big.Int
		ok, std bool
	}{
		"usual":          {n, big.NewInt(65537), true, true},
		"e 2^31-1":       {n, big.NewInt(1<<31 - 1), true, true},
		"e 2^31+11":      {n, big.NewInt(1<<31 + 11), true, false},
		"e 2^64+13":      {n, new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), 64), big.NewInt(13)), true, false},
		"e 0":            {n, big.NewInt(0), false, false},
		"e negative":     {n, big.NewInt(-3), false, false},
		"n negative":     {new(big.Int).Neg(n), big.NewInt(3), false, false},
		"n 0":            {big.NewInt(0), big.NewInt(3), false, false},
		"n small":        {big.NewInt(15), big.NewInt(3), true, true},
		"n beyond a cap": {new(big.Int).Lsh(n, maxKeyBits), big.NewInt(3), false, false},
	} {
		k, err := ParsePublicKey(rsaKey(t, c.n, c.e))
		if (err == nil) != c.ok || (k.Std != nil) != c.std || k.Algorithm != "RSA" {
			t.Errorf("%s: %+v, %v", name, k, err)
		}
		if c.ok && (k.N.Cmp(c.n) != 0 || k.E.Cmp(c.e) != 0 || k.Bits() != c.n.BitLen()) {
			t.Errorf("%s: %+v", name, k)
		}
	}
}

func TestBrokenKeys(t *testing.T) {
	for name, der := range map[string][]byte{
		"nothing":           {},
		"not a sequence":    {5, 0},
		"empty":             {0x30, 0},
		"no key":            unhex(t, "30 0d 30 0b 06 09 2a 86 48 86 f7 0d 01 01 01"),
		"RSA of nothing":    spki(t, oidRSA, nil, nil),
		"RSA with one":      spki(t, oidRSA, nil, unhex(t, "30 03 02 01 05")),
		"RSA with three":    spki(t, oidRSA, nil, unhex(t, "30 09 02 01 05 02 01 03 02 01 01")),
		"RSA of strings":    spki(t, oidRSA, nil, unhex(t, "30 06 04 01 05 04 01 03")),
		"Ed25519 short":     spki(t, oidEd25519, nil, make([]byte, 31)),
		"DSA without g":     spki(t, oidDSA, unhex(t, "30 06 02 01 05 02 01 03"), unhex(t, "02 01 02")),
		"DSA no parameters": spki(t, oidDSA, nil, unhex(t, "02 01 02")),
		"DSA bad y":         spki(t, oidDSA, unhex(t, "30 09 02 01 07 02 01 03 02 01 02"), unhex(t, "04 01 02")),
		"trailing":          append(spki(t, oidEd25519, nil, make([]byte, 32)), 0),
		"unused bits":       unhex(t, "30 0a 30 05 06 03 2b 65 70 03 01 01"),
	} {
		if k, err := ParsePublicKey(der); err == nil || k == nil {
			t.Errorf("%s: %+v, %v", name, k, err)
		}
	}
	k, err := ParsePublicKey(spki(t, "1.3.101.113", nil, make([]byte, 57)))
	if err != nil || k.Algorithm != "unknown" || k.OID != "1.3.101.113" || k.Bits() != 0 {
		t.Errorf("Ed448: %+v, %v", k, err)
	}
}

func TestParsePSSKey(t *testing.T) {
	_, free := opensslKey(t, "-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:1024")
	k, err := ParsePublicKey(free)
	if err != nil || k.Algorithm != "RSASSA-PSS" || k.Bits() != 1024 || k.PSS != nil || k.Std == nil {
		t.Errorf("free: %+v, %v", k, err)
	}
	_, bound := opensslKey(t, "-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:1024", "-pkeyopt", "rsa_pss_keygen_md:sha256", "-pkeyopt", "rsa_pss_keygen_mgf1_md:sha256", "-pkeyopt", "rsa_pss_keygen_saltlen:32")
	k, err = ParsePublicKey(bound)
	if err != nil || k.PSS == nil || k.PSS.SaltLength != 32 || hashByOID(k.PSS.HashOID).name != "SHA-256" {
		t.Errorf("restricted: %+v, %v", k, err)
	}
}

func TestParseDSAKey(t *testing.T) {
	_, _, der := dsaTestKey(t)
	k, err := ParsePublicKey(der)
	if err != nil || k.Algorithm != "DSA" || k.Bits() != 1024 || k.Q.BitLen() < 160 || k.Y == nil || k.G == nil {
		t.Errorf("%+v, %v", k, err)
	}
}

func dsaTestKey(t testing.TB) (params, key string, der []byte) {
	t.Helper()
	dir := t.TempDir()
	params, key = filepath.Join(dir, "params.pem"), filepath.Join(dir, "key.pem")
	openssl(t, "dsaparam", "-out", params, "1024")
	openssl(t, "genpkey", "-paramfile", params, "-out", key)
	return params, key, publicOf(t, key)
}

func FuzzParsePublicKey(f *testing.F) {
	f.Add(rsaKey(f, big.NewInt(1<<40+1), big.NewInt(65537)))
	f.Add(ecKey(f, "P-256", append([]byte{4}, make([]byte, 64)...)))
	f.Add(ecKey(f, "brainpoolP256r1", []byte{2, 1}))
	f.Add(spki(f, oidEC, unhex(f, "3000"), []byte{0}))
	f.Add(spki(f, oidDSA, unhex(f, "30 09 02 01 07 02 01 03 02 01 02"), unhex(f, "02 01 02")))
	f.Add(spki(f, oidEd25519, nil, make([]byte, 32)))
	f.Add(spki(f, oidPSS, unhex(f, "30 05 a2 03 02 01 20"), nil))
	f.Fuzz(func(t *testing.T, der []byte) {
		if len(der) > 4096 {
			return // the time that large numbers take is measured elsewhere
		}
		k, err := ParsePublicKey(der)
		if k == nil {
			t.Fatal("nil")
		}
		if std, stdErr := x509.ParsePKIXPublicKey(der); stdErr == nil && err == nil {
			if eq, ok := k.Std.(interface{ Equal(x any) bool }); ok && !eq.Equal(std) {
				t.Fatal("crypto/x509 reads another key")
			}
		}
		if form, err := k.CheckPoint(); err == nil && (form == "" || k.Algorithm != "EC") {
			t.Fatalf("%s key has a point of form %q", k.Algorithm, form)
		}
		_ = k.IsGenerator()
		for _, a := range []Algorithm{{Scheme: RSAPKCS1v15, Hash: 5}, {Scheme: ECDSA, Hash: 5}, {Scheme: DSA, Hash: 5}, {Scheme: Ed25519}, {Scheme: RSAPSS, Hash: 5, PSS: &PSSParams{Hash: 5, MGFHash: 5, Trailer: 1}}} {
			_ = k.Bits()
			// Tiny keys verify anything: only panics are looked for.
			_ = a.Verify(k, []byte("message"), []byte{0x30, 6, 2, 1, 1, 2, 1, 1})
		}
	})
}
