package sigalg

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"errors"
	"math/big"
	"testing"
	"time"
)

var message = []byte("one message to sign")

func testRSA(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func parsed(t testing.TB, spki []byte) *PublicKey {
	t.Helper()
	k, err := ParsePublicKey(spki)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// rejects checks that nothing near a good signature is taken for one.
func rejects(t *testing.T, name string, a Algorithm, k *PublicKey, sig []byte) {
	t.Helper()
	refuse := func(what string, message, sig []byte) {
		t.Helper()
		if err := a.Verify(k, message, sig); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %s: %v", name, what, err)
		}
	}
	if err := a.Verify(k, message, sig); err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	refuse("another message", []byte("another"), sig)
	refuse("no signature", message, nil)
	refuse("cut", message, sig[:len(sig)-1])
	refuse("longer", message, append(bytes.Clone(sig), 0))
	refuse("longer in front", message, append([]byte{0}, sig...))
	for _, i := range []int{0, 1, len(sig) / 2, len(sig) - 1} {
		bad := bytes.Clone(sig)
		bad[i] ^= 1
		refuse("changed", message, bad)
	}
	refuse("zeros", message, make([]byte, len(sig)))
	refuse("ones", message, bytes.Repeat([]byte{0xff}, len(sig)))
}

func TestVerifyOpenSSLPKCS1(t *testing.T) {
	key, pub := opensslKey(t, "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
	k := parsed(t, pub)
	for name, dgst := range map[string]string{
		"SHA-1": "-sha1", "SHA-224": "-sha224", "SHA-256": "-sha256", "SHA-384": "-sha384", "SHA-512": "-sha512", "SHA-512/256": "-sha512-256", "SHA-512/224": "-sha512-224",
		"SHA3-256": "-sha3-256", "SHA3-512": "-sha3-512",
	} {
		sig := opensslSign(t, key, message, dgst)
		a := Algorithm{Scheme: RSAPKCS1v15, Hash: hashByName(name).hash, HashName: name}
		rejects(t, name, a, k, sig)
		// A digest of the same length but another hash is another signature.
		for _, d := range digests {
			other := Algorithm{Scheme: RSAPKCS1v15, Hash: d.hash, HashName: d.name}
			if err := other.Verify(k, message, sig); d.name != name && err == nil {
				t.Errorf("%s verifies as %s", name, d.name)
			}
		}
		if a := (Algorithm{Scheme: RSAPSS, Hash: a.Hash, PSS: &PSSParams{Hash: a.Hash, MGFHash: a.Hash, SaltLength: a.Hash.Size(), Trailer: 1}}); a.Verify(k, message, sig) == nil {
			t.Errorf("%s verifies as %s", name, a)
		}
	}
	for _, name := range []string{"MD5", "MD4", "MD2", "RIPEMD-160", "SHAKE128", ""} {
		a := Algorithm{Scheme: RSAPKCS1v15, Hash: hashByName(name).hash, HashName: name}
		if err := a.Verify(k, message, make([]byte, 256)); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// Keys that crypto/rsa refuses are still answered.
func TestVerifyOddRSA(t *testing.T) {
	for name, args := range map[string][]string{
		"512 bits":     {"-pkeyopt", "rsa_keygen_bits:512"},
		"1023 bits":    {"-pkeyopt", "rsa_keygen_bits:1023"},
		"e 2^32+15":    {"-pkeyopt", "rsa_keygen_bits:1024", "-pkeyopt", "rsa_keygen_pubexp:4294967311"},
		"e 2^64+13":    {"-pkeyopt", "rsa_keygen_bits:1024", "-pkeyopt", "rsa_keygen_pubexp:18446744073709551629"},
		"e 3":          {"-pkeyopt", "rsa_keygen_bits:1024", "-pkeyopt", "rsa_keygen_pubexp:3"},
		"1025 and PSS": {"-pkeyopt", "rsa_keygen_bits:1025"},
	} {
		key, pub := opensslKey(t, append([]string{"-algorithm", "RSA"}, args...)...)
		k := parsed(t, pub)
		rejects(t, name, Algorithm{Scheme: RSAPKCS1v15, Hash: crypto.SHA256}, k, opensslSign(t, key, message, "-sha256"))
		if name == "512 bits" {
			continue // too short for a salt
		}
		sig := opensslSign(t, key, message, "-sha256", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32")
		rejects(t, name+", PSS", Algorithm{Scheme: RSAPSS, Hash: crypto.SHA256, PSS: &PSSParams{Hash: crypto.SHA256, MGFHash: crypto.SHA256, SaltLength: 32, Trailer: 1}}, k, sig)
	}
}

func TestVerifyOpenSSLPSS(t *testing.T) {
	key, pub := opensslKey(t, "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
	k := parsed(t, pub)
	for _, c := range []struct {
		name, mgf, salt string
		hash, mgfHash   crypto.Hash
		saltLength      int
	}{
		{"usual", "sha256", "32", crypto.SHA256, crypto.SHA256, 32},
		{"salt 0", "sha256", "0", crypto.SHA256, crypto.SHA256, 0},
		{"salt 20", "sha256", "20", crypto.SHA256, crypto.SHA256, 20},
		{"salt of any length", "sha256", "max", crypto.SHA256, crypto.SHA256, 222},
		{"mask SHA-1", "sha1", "32", crypto.SHA256, crypto.SHA1, 32},
		{"mask SHA-512", "sha512", "0", crypto.SHA256, crypto.SHA512, 0},
		{"SHA-1 defaults", "sha1", "20", crypto.SHA1, crypto.SHA1, 20},
		{"SHA3", "sha3-256", "32", crypto.SHA3_256, crypto.SHA3_256, 32},
	} {
		dgst := map[crypto.Hash]string{crypto.SHA256: "-sha256", crypto.SHA1: "-sha1", crypto.SHA3_256: "-sha3-256"}[c.hash]
		sig := opensslSign(t, key, message, dgst, "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:"+c.salt, "-sigopt", "rsa_mgf1_md:"+c.mgf)
		params := PSSParams{Hash: c.hash, MGFHash: c.mgfHash, SaltLength: c.saltLength, Trailer: 1}
		rejects(t, c.name, Algorithm{Scheme: RSAPSS, Hash: c.hash, PSS: &params}, k, sig)
		for what, change := range map[string]func(*PSSParams){
			"salt one less": func(p *PSSParams) { p.SaltLength-- },
			"salt one more": func(p *PSSParams) { p.SaltLength++ },
			"salt 0":        func(p *PSSParams) { p.SaltLength = 0 },
			"mask SHA-384":  func(p *PSSParams) { p.MGFHash = crypto.SHA384 },
		} {
			other := params
			change(&other)
			if err := (Algorithm{Scheme: RSAPSS, Hash: c.hash, PSS: &other}).Verify(k, message, sig); other != params && !errors.Is(err, ErrSignature) {
				t.Errorf("%s: %s: %v", c.name, what, err)
			}
		}
	}
	sig := make([]byte, 256)
	for what, a := range map[string]Algorithm{
		"no parameters": {Scheme: RSAPSS, Hash: crypto.SHA256},
		"two hashes":    {Scheme: RSAPSS, Hash: crypto.SHA256, PSS: &PSSParams{Hash: crypto.SHA1, MGFHash: crypto.SHA1, SaltLength: 20, Trailer: 1}},
		"no mask":       {Scheme: RSAPSS, Hash: crypto.SHA256, PSS: &PSSParams{Hash: crypto.SHA256, SaltLength: 20, Trailer: 1}},
		"mask of MD5":   {Scheme: RSAPSS, Hash: crypto.SHA256, PSS: &PSSParams{Hash: crypto.SHA256, MGFHash: crypto.MD5, SaltLength: 20, Trailer: 1}},
		"trailer 2":     {Scheme: RSAPSS, Hash: crypto.SHA256, PSS: &PSSParams{Hash: crypto.SHA256, MGFHash: crypto.SHA256, SaltLength: 20, Trailer: 2}},
	} {
		if err := a.Verify(k, message, sig); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// What crypto/rsa makes, the own checks must take, and nothing near it.
func TestOwnPaddingAgreesWithStdlib(t *testing.T) {
	priv := testRSA(t)
	k, err := FromStd(&priv.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	digest := sum(crypto.SHA256, message)
	pkcs1, err := rsa.SignPKCS1v15(nil, priv, crypto.SHA256, digest)
	if err != nil {
		t.Fatal(err)
	}
	em, err := k.rawRSA(pkcs1)
	if err != nil || !checkPKCS1(em, crypto.SHA256, digest) {
		t.Fatalf("PKCS#1: %v", err)
	}
	pss, err := rsa.SignPSS(rand.Reader, priv, crypto.SHA256, digest, &rsa.PSSOptions{SaltLength: 32})
	if err != nil {
		t.Fatal(err)
	}
	p := &PSSParams{Hash: crypto.SHA256, MGFHash: crypto.SHA256, SaltLength: 32, Trailer: 1}
	emPSS, err := k.rawRSA(pss)
	if err != nil || !checkPSS(emPSS, k.N.BitLen()-1, p, digest) {
		t.Fatalf("PSS: %v", err)
	}
	for i := range em {
		em[i] ^= 4
		if checkPKCS1(em, crypto.SHA256, digest) {
			t.Fatalf("PKCS#1 with byte %d changed", i)
		}
		em[i] ^= 4
		emPSS[i] ^= 4
		if checkPSS(emPSS, k.N.BitLen()-1, p, digest) {
			t.Fatalf("PSS with byte %d changed", i)
		}
		emPSS[i] ^= 4
	}
	if checkPSS(emPSS, k.N.BitLen()-1, p, digest[:20]) || checkPSS(nil, 0, p, digest) || checkPKCS1(nil, crypto.SHA256, digest) || checkPKCS1(em, crypto.SHA256, digest[:20]) {
		t.Fatal("a short input is taken")
	}
}

// s and s+n are the same number to a careless verifier.
func TestRSASignatureOutOfRange(t *testing.T) {
	key, pub := opensslKey(t, "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1000")
	k := parsed(t, pub)
	a := Algorithm{Scheme: RSAPKCS1v15, Hash: crypto.SHA256}
	s := new(big.Int).SetBytes(opensslSign(t, key, message, "-sha256"))
	if err := a.Verify(k, message, s.FillBytes(make([]byte, 125))); err != nil {
		t.Fatal(err)
	}
	if s.Add(s, k.N); s.BitLen() <= 1000 {
		if err := a.Verify(k, message, s.FillBytes(make([]byte, 125))); !errors.Is(err, ErrSignature) {
			t.Fatal(err)
		}
	}
	for what, broken := range map[string]*PublicKey{
		"nothing":   {Algorithm: "RSA"},
		"e 1":       {Algorithm: "RSA", N: k.N, E: big.NewInt(1)},
		"e even":    {Algorithm: "RSA", N: k.N, E: big.NewInt(4)},
		"e huge":    {Algorithm: "RSA", N: k.N, E: new(big.Int).SetBit(big.NewInt(1), maxExponentBits, 1)},
		"n even":    {Algorithm: "RSA", N: new(big.Int).Lsh(k.N, 1), E: k.E},
		"n missing": {Algorithm: "RSA", E: k.E},
	} {
		if err := a.Verify(broken, message, make([]byte, 125)); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestVerifyECDSA(t *testing.T) {
	for _, c := range []string{"secp224r1", "prime256v1", "secp384r1", "secp521r1"} {
		key, pub := opensslKey(t, "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:"+c)
		k := parsed(t, pub)
		for _, h := range []struct {
			dgst string
			hash crypto.Hash
		}{{"-sha1", crypto.SHA1}, {"-sha224", crypto.SHA224}, {"-sha256", crypto.SHA256}, {"-sha512", crypto.SHA512}, {"-sha3-384", crypto.SHA3_384}} {
			sig := opensslSign(t, key, message, h.dgst)
			a := Algorithm{Scheme: ECDSA, Hash: h.hash}
			if err := a.Verify(k, message, sig); err != nil {
				t.Errorf("%s %s: %v", c, h.dgst, err)
			}
			if h.hash == crypto.SHA256 {
				rejects(t, c, a, k, sig)
				if err := (Algorithm{Scheme: ECDSA, Hash: crypto.SHA3_256}).Verify(k, message, sig); !errors.Is(err, ErrSignature) {
					t.Errorf("%s: another hash of the same length: %v", c, err)
				}
			}
		}
		for what, sig := range map[string][]byte{
			"r and s 0":      unhex(t, "30 06 02 01 00 02 01 00"),
			"r and s 1":      unhex(t, "30 06 02 01 01 02 01 01"),
			"negative":       unhex(t, "30 06 02 01 ff 02 01 ff"),
			"not minimal":    unhex(t, "30 08 02 02 00 01 02 02 00 01"),
			"r alone":        unhex(t, "30 03 02 01 01"),
			"not DER at all": {1, 2, 3},
		} {
			if err := (Algorithm{Scheme: ECDSA, Hash: crypto.SHA256}).Verify(k, message, sig); !errors.Is(err, ErrSignature) {
				t.Errorf("%s: %s: %v", c, what, err)
			}
		}
	}
}

func TestVerifyDSA(t *testing.T) {
	_, key, pub := dsaTestKey(t)
	k := parsed(t, pub)
	for _, h := range []struct {
		dgst string
		hash crypto.Hash
	}{{"-sha1", crypto.SHA1}, {"-sha224", crypto.SHA224}, {"-sha256", crypto.SHA256}, {"-sha384", crypto.SHA384}} {
		rejects(t, h.dgst, Algorithm{Scheme: DSA, Hash: h.hash}, k, opensslSign(t, key, message, h.dgst))
	}
	a := Algorithm{Scheme: DSA, Hash: crypto.SHA256}
	forged := *k
	forged.G, forged.Y = big.NewInt(1), big.NewInt(1)
	// With g = y = 1 every signature with r = 1 would hold.
	if err := a.Verify(&forged, message, unhex(t, "30 06 02 01 01 02 01 01")); !errors.Is(err, ErrSignature) {
		t.Errorf("g and y are 1: %v", err)
	}
	for what, broken := range map[string]*PublicKey{
		"empty":   {Algorithm: "DSA"},
		"q large": {Algorithm: "DSA", P: k.P, G: k.G, Y: k.Y, Q: new(big.Int).Lsh(k.Q, 1024)},
		"p zero":  {Algorithm: "DSA", P: new(big.Int), G: k.G, Y: k.Y, Q: k.Q},
	} {
		if err := a.Verify(broken, message, nil); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for what, sig := range map[string][]byte{
		"zeros":    unhex(t, "30 06 02 01 00 02 01 00"),
		"negative": unhex(t, "30 06 02 01 ff 02 01 ff"),
		"r is q":   dsaPair(t, k.Q, big.NewInt(1)),
		"s is q":   dsaPair(t, big.NewInt(1), k.Q),
	} {
		if err := a.Verify(k, message, sig); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func dsaPair(t *testing.T, r, s *big.Int) []byte {
	t.Helper()
	out, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestVerifyEd25519(t *testing.T) {
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	k, err := FromStd(pub)
	if err != nil {
		t.Fatal(err)
	}
	rejects(t, "Ed25519", Algorithm{Scheme: Ed25519}, k, ed25519.Sign(priv, message))
}

// A signature of one kind says nothing under a key of another.
func TestVerifyWrongKey(t *testing.T) {
	priv, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ec, err := FromStd(&priv.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []Algorithm{{Scheme: RSAPKCS1v15, Hash: crypto.SHA256}, {Scheme: RSAPSS, Hash: crypto.SHA256}, {Scheme: DSA, Hash: crypto.SHA256}, {Scheme: Ed25519}} {
		if err := a.Verify(ec, message, nil); !errors.Is(err, ErrSignature) {
			t.Errorf("%s with an EC key: %v", a, err)
		}
	}
	unsupported := map[string]error{
		"no key":         Algorithm{Scheme: ECDSA, Hash: crypto.SHA256}.Verify(nil, message, nil),
		"unknown key":    Algorithm{Scheme: ECDSA, Hash: crypto.SHA256}.Verify(&PublicKey{Algorithm: "unknown"}, message, nil),
		"unknown scheme": Algorithm{Scheme: Unknown}.Verify(ec, message, nil),
		"zero value":     Algorithm{}.Verify(ec, message, nil),
		"broken Ed25519": Algorithm{Scheme: Ed25519}.Verify(&PublicKey{Algorithm: "Ed25519"}, message, nil),
		"no hash":        Algorithm{Scheme: ECDSA}.Verify(ec, message, nil),
	}
	for what, err := range unsupported {
		if !errors.Is(err, ErrUnsupported) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// An id-RSASSA-PSS key signs nothing else, and only as its parameters say.
func TestVerifyPSSKey(t *testing.T) {
	key, pub := opensslKey(t, "-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:1024", "-pkeyopt", "rsa_pss_keygen_md:sha256", "-pkeyopt", "rsa_pss_keygen_mgf1_md:sha256", "-pkeyopt", "rsa_pss_keygen_saltlen:32")
	k := parsed(t, pub)
	sig := opensslSign(t, key, message, "-sha256")
	a, err := New(RSAPSS, crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	rejects(t, "restricted", a, k, sig)
	if err := (Algorithm{Scheme: RSAPKCS1v15, Hash: crypto.SHA256}).Verify(k, message, sig); !errors.Is(err, ErrSignature) {
		t.Errorf("PKCS#1: %v", err)
	}
	weaker := *a.PSS
	weaker.SaltLength = 31
	if err := (Algorithm{Scheme: RSAPSS, Hash: crypto.SHA256, PSS: &weaker}).Verify(k, message, sig); !errors.Is(err, ErrSignature) {
		t.Errorf("shorter salt: %v", err)
	}
}

// No key may keep a verifier busy: the largest that is read must take well under 5 s.
func TestLargestKeysEnd(t *testing.T) {
	n := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), maxKeyBits), big.NewInt(1))
	e := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), maxExponentBits), big.NewInt(1))
	start := time.Now()
	sig := bytes.Repeat([]byte{0x7f}, maxKeyBits/8)
	_ = Algorithm{Scheme: RSAPKCS1v15, Hash: crypto.SHA256}.Verify(parsed(t, rsaKey(t, n, e)), message, sig)
	t.Logf("RSA %d bits, e %d bits: %v", maxKeyBits, maxExponentBits, time.Since(start))
	q := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), maxSubgroupBits), big.NewInt(1))
	g := new(big.Int).Sub(n, big.NewInt(2))
	k := &PublicKey{Algorithm: "DSA", P: n, Q: q, G: g, Y: g}
	one := dsaPair(t, new(big.Int).Sub(q, big.NewInt(2)), new(big.Int).Sub(q, big.NewInt(4)))
	_ = Algorithm{Scheme: DSA, Hash: crypto.SHA512}.Verify(k, message, one)
	if took := time.Since(start); took > time.Minute {
		t.Errorf("took %v: the caps on sizes do not hold", took)
	}
}
