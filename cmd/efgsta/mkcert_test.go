package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/efgsta/efgsta/pkg/keyfile"
)

// maker makes the certificates of one session with crypto/x509, so that sessions
// need no openssl and no certificates in the tree that expire.
type maker struct {
	keys map[string]crypto.Signer // by the file that they were made for
	rsa  map[string]int           // RSA keys taken from the pool
}

func newMaker() *maker { return &maker{keys: map[string]crypto.Signer{}, rsa: map[string]int{}} }

// order is a certificate as a session asks for it:
//
//	mkcert nbbs DE nbbs.pem [name=value…]
//
// Every NBBS is self-signed, every NBTLS comes from a CA. A good one is valid from
// ten days ago and for 400 days, with a P-256 key of its own.
type order struct {
	role, country, file string
	key                 string // key=: p256, p384, rsa-3072, rsa-2048 …
	sharedWith          string // samekey=: a file made before
	hash                string // hash=: sha256, sha1 …; pss for RSASSA-PSS
	from                time.Time
	days                int    // days=
	subject             string // subject=: attributes in order, with Go escapes
	form                string // form=: pem, der, crlf, text, chain, ca-first, truncated; with a private key: with-key, der-key, crlf-key, sealed-key, printed-key
	keyFile             string // keyfile=: write the private key there, for holds
	thumbprint          string // thumbprint=: hex that the SHA-256 begins with
	eku                 string // eku=: client, server, both, none
	ca                  bool   // ca=true
	policies            string // policies=: the OID of a certificate policy, which anyone can write
	urls                string // urls=: where its issuer publishes issuer.der, list.crl and ocsp
}

func parseOrder(args []string) (order, error) {
	if len(args) < 3 {
		return order{}, fmt.Errorf("usage: mkcert ROLE CC FILE [name=value…]")
	}
	o := order{role: args[0], country: args[1], file: args[2], key: "p256", from: time.Now().AddDate(0, 0, -10), days: 400, form: "pem"}
	switch o.role {
	case "nbbs":
		o.eku = "none"
		o.subject = fmt.Sprintf("C=%s,L=Capital,O=Health Agency %s,OU=PKI,CN=Batch signing %s,E=pki@example.eu", o.country, o.country, o.country)
	case "nbtls":
		o.eku = "both"
		o.subject = fmt.Sprintf("C=%s,O=Health Agency %s,OU=PKI,CN=efgs.%s.example.eu,E=pki@example.eu", o.country, o.country, strings.ToLower(o.country))
	default:
		return o, fmt.Errorf("role %q is not nbbs or nbtls", o.role)
	}
	for _, arg := range args[3:] {
		name, value, ok := strings.Cut(arg, "=")
		if !ok {
			return o, fmt.Errorf("%q is not name=value", arg)
		}
		var err error
		switch name {
		case "key":
			o.key = value
		case "samekey":
			o.sharedWith = value
		case "hash":
			o.hash = value
		case "from":
			o.from, err = moment(value)
		case "days":
			o.days, err = strconv.Atoi(value)
		case "subject":
			o.subject = value
		case "form":
			o.form = value
		case "keyfile":
			o.keyFile = value
		case "thumbprint":
			o.thumbprint = value
		case "eku":
			o.eku = value
		case "policies":
			o.policies = value
		case "urls":
			o.urls = value
		case "ca":
			o.ca, err = strconv.ParseBool(value)
		default:
			err = fmt.Errorf("there is no option %s", name)
		}
		if err != nil {
			return o, fmt.Errorf("%s: %w", arg, err)
		}
	}
	return o, nil
}

// moment is "2026-11-22" or a number of days from now such as "-10d" or "+400d".
func moment(s string) (time.Time, error) {
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return t, nil
	}
	n, err := strconv.Atoi(strings.TrimSuffix(s, "d"))
	if err != nil || !strings.HasSuffix(s, "d") {
		return time.Time{}, fmt.Errorf("%q is neither a date nor a number of days", s)
	}
	return time.Now().UTC().Truncate(time.Second).AddDate(0, 0, n), nil
}

// testCA issues every NBTLS.
var testCA = sync.OnceValues(func() (*x509.Certificate, crypto.Signer) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	t := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{Country: []string{"BE"}, Organization: []string{"Example Trust"}, CommonName: "Example TLS CA"},
		NotBefore: time.Now().AddDate(-5, 0, 0), NotAfter: time.Now().AddDate(5, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		panic(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return c, key
})

// rsaPool holds RSA keys, which take long to make: the n-th of a size is the same in
// every session, and within one session no key comes twice.
var rsaPool = struct {
	sync.Mutex
	keys map[string][]crypto.Signer
}{keys: map[string][]crypto.Signer{}}

func (m *maker) newKey(alg string) (crypto.Signer, error) {
	switch alg {
	case "p256":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "p384":
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "p224":
		return ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	}
	bits, err := strconv.Atoi(strings.TrimPrefix(alg, "rsa-"))
	if err != nil || !strings.HasPrefix(alg, "rsa-") {
		return nil, fmt.Errorf("there is no key %q", alg)
	}
	rsaPool.Lock()
	defer rsaPool.Unlock()
	n := m.rsa[alg]
	m.rsa[alg]++
	if n == len(rsaPool.keys[alg]) {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			return nil, err
		}
		rsaPool.keys[alg] = append(rsaPool.keys[alg], key)
	}
	return rsaPool.keys[alg][n], nil
}

// make returns the file that was ordered.
func (m *maker) make(o order) ([]byte, error) {
	key, err := m.keyFor(o)
	if err != nil {
		return nil, err
	}
	t, err := o.template(key)
	if err != nil {
		return nil, err
	}
	issuer, signer := t, key
	if o.role == "nbtls" {
		issuer, signer = testCA()
	}
	if o.hash != "" {
		if t.SignatureAlgorithm, err = algorithm(o.hash, signer); err != nil {
			return nil, err
		}
	}
	var der []byte
	for i := int64(1); ; i++ {
		// A random serial each time: 1 in 256 begins with 00 and must not by chance.
		serial := make([]byte, 16)
		if _, err := rand.Read(serial); err != nil {
			return nil, err
		}
		serial[0] = serial[0]&0x7f | 0x40
		t.SerialNumber = new(big.Int).SetBytes(serial)
		if der, err = x509.CreateCertificate(rand.Reader, t, issuer, key.Public(), signer); err != nil {
			return nil, err
		}
		sum := fmt.Sprintf("%x", sha256.Sum256(der))
		if o.thumbprint == "" && !strings.HasPrefix(sum, "00") || o.thumbprint != "" && strings.HasPrefix(sum, o.thumbprint) {
			break
		}
	}
	m.keys[o.file] = key
	return o.wrap(der, issuer.Raw, key)
}

func (m *maker) keyFor(o order) (crypto.Signer, error) {
	if o.sharedWith == "" {
		return m.newKey(o.key)
	}
	key, ok := m.keys[o.sharedWith]
	if !ok {
		return nil, fmt.Errorf("no certificate %s was made", o.sharedWith)
	}
	return key, nil
}

func (o order) template(key crypto.Signer) (*x509.Certificate, error) {
	subject, err := o.rawSubject()
	if err != nil {
		return nil, err
	}
	from := o.from.UTC().Truncate(time.Second)
	t := &x509.Certificate{
		RawSubject: subject, NotBefore: from, NotAfter: from.AddDate(0, 0, o.days).Add(-time.Second),
		KeyUsage: x509.KeyUsageDigitalSignature,
	}
	if o.policies != "" {
		oid, err := x509.ParseOID(o.policies)
		if err != nil {
			return nil, err
		}
		t.Policies = []x509.OID{oid}
	}
	if o.urls != "" {
		t.IssuingCertificateURL, t.CRLDistributionPoints, t.OCSPServer = []string{o.urls + "/issuer.der"}, []string{o.urls + "/list.crl"}, []string{o.urls + "/ocsp"}
	}
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, err
	}
	id := sha256.Sum256(spki)
	t.SubjectKeyId = id[:20]
	if _, ok := key.(*rsa.PrivateKey); ok && o.role == "nbtls" {
		t.KeyUsage |= x509.KeyUsageKeyEncipherment
	}
	if o.ca {
		t.IsCA, t.BasicConstraintsValid = true, true
		t.KeyUsage |= x509.KeyUsageCertSign
	}
	if o.role == "nbtls" {
		t.DNSNames = []string{fmt.Sprintf("efgs.%s.example.eu", strings.ToLower(o.country))}
	}
	usages := map[string][]x509.ExtKeyUsage{
		"none": nil, "client": {x509.ExtKeyUsageClientAuth}, "server": {x509.ExtKeyUsageServerAuth},
		"both": {x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	var ok bool
	if t.ExtKeyUsage, ok = usages[o.eku]; !ok {
		return nil, fmt.Errorf("there is no eku %q", o.eku)
	}
	return t, nil
}

// rawSubject encodes one RDN for each attribute, in the order given.
func (o order) rawSubject() ([]byte, error) {
	oids := map[string]asn1.ObjectIdentifier{
		"C": {2, 5, 4, 6}, "L": {2, 5, 4, 7}, "O": {2, 5, 4, 10}, "OU": {2, 5, 4, 11}, "CN": {2, 5, 4, 3}, "E": {1, 2, 840, 113549, 1, 9, 1},
	}
	type attribute struct {
		Type  asn1.ObjectIdentifier
		Value any
	}
	type rdnSET []attribute
	var name []rdnSET
	for part := range strings.SplitSeq(o.subject, ",") {
		typ, text, ok := strings.Cut(part, "=")
		oid, known := oids[typ]
		if !ok || !known {
			return nil, fmt.Errorf("subject %q: %q is not understood", o.subject, part)
		}
		text, err := strconv.Unquote(`"` + text + `"`)
		if err != nil {
			return nil, fmt.Errorf("subject %q: %w", o.subject, err)
		}
		var value any = text
		if typ == "E" {
			value = asn1.RawValue{Tag: asn1.TagIA5String, Bytes: []byte(text)}
		}
		name = append(name, rdnSET{{oid, value}})
	}
	return asn1.Marshal(name)
}

func algorithm(hash string, signer crypto.Signer) (x509.SignatureAlgorithm, error) {
	_, isRSA := signer.(*rsa.PrivateKey)
	for _, a := range []struct {
		hash string
		rsa  bool
		alg  x509.SignatureAlgorithm
	}{
		{"sha256", true, x509.SHA256WithRSA}, {"sha384", true, x509.SHA384WithRSA}, {"pss", true, x509.SHA256WithRSAPSS},
		{"sha256", false, x509.ECDSAWithSHA256}, {"sha384", false, x509.ECDSAWithSHA384},
	} {
		if a.hash == hash && a.rsa == isRSA {
			return a.alg, nil
		}
	}
	return 0, fmt.Errorf("no signature with %s by %T", hash, signer)
}

func toPEM(typ string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: typ, Bytes: der})
}

// wrap puts the certificate into the form of file that people send.
func (o order) wrap(der, issuer []byte, key crypto.Signer) ([]byte, error) {
	text := toPEM("CERTIFICATE", der)
	switch o.form {
	case "pem":
		return text, nil
	case "der":
		return der, nil
	case "crlf":
		return bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")), nil
	case "text":
		return append([]byte("Bag Attributes\n    friendlyName: batch signing, Länderbehörde\nsubject=C = XX, CN = Someone Else\n\n"), text...), nil
	case "with-key", "der-key", "crlf-key", "sealed-key", "printed-key":
		return withKey(o.form, der, key)
	case "chain":
		return append(text, toPEM("CERTIFICATE", issuer)...), nil
	case "ca-first":
		return append(toPEM("CERTIFICATE", issuer), text...), nil
	case "truncated":
		return text[:len(text)/2], nil
	}
	return nil, fmt.Errorf("there is no form %q", o.form)
}

// withKey is a certificate with its private key, in the ways in which that happens.
func withKey(form string, der []byte, key crypto.Signer) ([]byte, error) {
	p8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	text := toPEM("CERTIFICATE", der)
	switch form {
	case "der-key":
		return append(bytes.Clone(der), p8...), nil
	case "crlf-key":
		return bytes.ReplaceAll(append(text, toPEM("PRIVATE KEY", p8)...), []byte("\n"), []byte("\r\n")), nil
	case "sealed-key":
		sealed, err := keyfile.Seal(rand.Reader, key, []byte("passphrase"))
		return append(text, sealed...), err
	case "printed-key": // as openssl pkey -text does
		secret, err := secretOctets(p8)
		if err != nil {
			return nil, err
		}
		print := "Private-Key: (256 bit)\npriv:\n    " + strings.ReplaceAll(fmt.Sprintf("% x", secret[:15]), " ", ":") + ":\n"
		return append(text, print...), nil
	}
	return append(toPEM("PRIVATE KEY", p8), text...), nil
}

// writeCert is the mkcert of a session: it makes what was ordered.
func (m *maker) writeCert(args []string, abs func(string) string) error {
	o, err := parseOrder(args)
	if err != nil {
		return err
	}
	data, err := m.make(o)
	if err != nil {
		return err
	}
	if o.keyFile != "" {
		p8, err := x509.MarshalPKCS8PrivateKey(m.keys[o.file])
		if err != nil {
			return err
		}
		if err := os.WriteFile(abs(o.keyFile), toPEM("PRIVATE KEY", p8), 0o600); err != nil {
			return err
		}
	}
	return os.WriteFile(abs(o.file), data, 0o644)
}
