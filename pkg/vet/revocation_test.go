package vet

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"
)

// idp is an issuingDistributionPoint with these contents.
func idp(contents ...[]byte) func(*x509.RevocationList) {
	return func(l *x509.RevocationList) {
		l.ExtraExtensions = append(l.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 28}, Critical: true, Value: seq(contents...)})
	}
}

func pointAt(uri string) []byte { return tlv(0xa0, tlv(0xa0, tlv(0x86, []byte(uri)))) }

var yes = []byte{0xff}

func TestRevocation(t *testing.T) {
	root, inter, other := authorities(t)
	twin := newAuthority(t, "Issuing CA", root, nil)
	noKeyID := func(l *x509.RevocationList) {} // lists of the twin carry its own key id
	leaf := inter.issue(nil)
	disguised := inter.withKeyID([]byte{9, 9})
	responder := func(edit func(*x509.Certificate)) *x509.Certificate {
		c := &x509.Certificate{SerialNumber: big.NewInt(5), Subject: pkix.Name{CommonName: "Responder"}, NotBefore: t0, NotAfter: t0.AddDate(1, 0, 0),
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}}
		if edit != nil {
			edit(c)
		}
		return signCert(t, c, inter, testKey())
	}
	forgedList := func() []*CRL {
		der := inter.listDER(nil)
		der[len(der)-1] ^= 1
		return readLists(t, der)
	}
	forgedAnswer := func() *OCSP {
		o := inter.answer(leaf, ocsp.Good, nil, nil, nil)
		o.der = append([]byte{}, o.der...)
		o.der[len(o.der)-1] ^= 1
		return o
	}
	staleList := func(l *x509.RevocationList) { l.NextUpdate = judged.Add(-time.Second) }
	lists := func(l ...[]*CRL) *Evidence {
		ev := evidence(t, rootsOf(t, root.cert), inter)
		for _, some := range l {
			ev.CRLs = append(ev.CRLs, some...)
		}
		return ev
	}
	answers := func(o ...*OCSP) *Evidence {
		ev := lists()
		ev.OCSP = o
		return ev
	}
	both := func(ev *Evidence, o *OCSP) *Evidence { ev.OCSP = append(ev.OCSP, o); return ev }
	delta := func(l *x509.RevocationList) {
		l.ExtraExtensions = append(l.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 27}, Critical: true, Value: integer(1)})
	}
	removing := func(l *x509.RevocationList) {
		delta(l)
		l.RevokedCertificateEntries[0].ReasonCode = reasonRemove
	}
	removedThenRevoked := func(l *x509.RevocationList) {
		removing(l)
		l.RevokedCertificateEntries = append([]x509.RevocationListEntry{{SerialNumber: big.NewInt(77), RevocationTime: judged.AddDate(0, -1, 0), ReasonCode: 1}}, l.RevokedCertificateEntries...)
	}
	strange := func(l *x509.RevocationList) {
		l.ExtraExtensions = append(l.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: integer(1)})
	}
	newer := func(edit func(*x509.RevocationList)) func(*x509.RevocationList) {
		return func(l *x509.RevocationList) {
			l.ThisUpdate = l.ThisUpdate.Add(time.Hour)
			edit(l)
		}
	}
	plain := func(*x509.RevocationList) {}
	future := func(l *x509.RevocationList) { l.ThisUpdate = judged.Add(time.Second) }
	ocspLater := func(r *ocsp.Response) { r.NextUpdate = judged.Add(-time.Second) }

	for name, test := range map[string]struct {
		ev    *Evidence
		state state
		says  string
	}{
		"nothing given":           {nil, notEvaluated, listURI},
		"roots only":              {lists(), notEvaluated, "http://ca.example/ocsp"},
		"not on the list":         {lists(inter.list(nil, 76, 78)), passed, ""},
		"on the list":             {lists(inter.list(nil, 76, 77)), failed, "revoked on 2021-02-01T00:00:00Z (keyCompromise)"},
		"on one of two lists":     {lists(inter.list(nil), inter.list(nil, 77)), failed, "keyCompromise"},
		"stale list":              {lists(inter.list(staleList)), notEvaluated, "stale"},
		"stale list that has it":  {lists(inter.list(staleList, 77)), failed, "revoked"},
		"last second of the list": {lists(inter.list(func(l *x509.RevocationList) { l.NextUpdate = judged })), passed, ""},
		"list of the future":      {lists(inter.list(func(l *x509.RevocationList) { l.ThisUpdate = judged.Add(time.Second) }, 77)), notEvaluated, "after the time"},
		"list without an end":     {lists(readLists(t, withoutEnd(t, inter))), notEvaluated, "nextUpdate"},
		"list of another CA":      {lists(other.list(nil, 77), root.list(nil, 77)), notEvaluated, "none of the lists"},
		"list of another key":     {lists(twin.list(noKeyID, 77)), notEvaluated, "none of the lists"},
		"forged list":             {lists(forgedList()), failed, "signature of the revocation list list.crl"},
		"forged beside good":      {lists(inter.list(nil), forgedList()), failed, "signature"},
		"delta list": {lists(inter.list(func(l *x509.RevocationList) {
			l.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 27}, Critical: true, Value: integer(1)}}
		})), notEvaluated, "delta"},
		"unknown critical extension": {lists(inter.list(func(l *x509.RevocationList) {
			l.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: integer(1)}}
		})), notEvaluated, "critical"},
		"indirect list":        {lists(inter.list(idp(tlv(0x84, yes)))), notEvaluated, "indirect"},
		"some reasons":         {lists(inter.list(idp(tlv(0x83, []byte{1, 0x40})))), notEvaluated, "reasons"},
		"CAs only":             {lists(inter.list(idp(tlv(0x82, yes)))), notEvaluated, "CAs"},
		"users only":           {lists(inter.list(idp(tlv(0x81, yes)))), passed, ""},
		"attributes only":      {lists(inter.list(idp(tlv(0x85, yes)))), notEvaluated, "attribute"},
		"its part of the list": {lists(inter.list(idp(pointAt(listURI), tlv(0x81, yes)))), passed, ""},
		"another part":         {lists(inter.list(idp(pointAt("http://ca.example/2.crl")))), notEvaluated, "another part"},
		"unreadable part":      {lists(inter.list(idp([]byte{5, 0}))), notEvaluated, "cannot be read"},
		"an entry of its own":  {lists(inter.list(indirectEntry, 5)), notEvaluated, "indirect"},

		// What the issuer has on any list is revoked, whatever the list is for.
		"good, delta has it":                 {lists(inter.list(nil), inter.list(delta, 77)), failed, "keyCompromise"},
		"good, delta takes it off":           {lists(inter.list(nil), inter.list(removing, 77)), passed, ""},
		"delta has it twice":                 {lists(inter.list(nil), inter.list(removedThenRevoked, 77)), failed, "keyCompromise"},
		"removed, says a complete list":      {lists(inter.list(func(l *x509.RevocationList) { l.RevokedCertificateEntries[0].ReasonCode = reasonRemove }, 77)), failed, "removeFromCRL"},
		"good, some reasons has it":          {lists(inter.list(nil), inter.list(idp(tlv(0x83, []byte{1, 0x40})), 77)), failed, "keyCompromise"},
		"good, indirect has it":              {lists(inter.list(nil), inter.list(idp(tlv(0x84, yes)), 77)), failed, "keyCompromise"},
		"good, unknown critical has it":      {lists(inter.list(nil), inter.list(strange, 77)), failed, "keyCompromise"},
		"good, unreadable part has it":       {lists(inter.list(nil), inter.list(idp([]byte{5, 0}), 77)), failed, "keyCompromise"},
		"good, another part has it":          {lists(inter.list(nil), inter.list(idp(pointAt("http://ca.example/2.crl")), 77)), failed, "keyCompromise"},
		"good, CAs only has it":              {lists(inter.list(nil), inter.list(idp(tlv(0x82, yes)), 77)), failed, "keyCompromise"},
		"good, entry of another issuer":      {lists(inter.list(nil), inter.list(indirectEntry, 77)), failed, "keyCompromise"},
		"good, forged delta":                 {lists(inter.list(nil), tampered(inter.listDER(delta))), failed, "signature"},
		"good, delta of a namesake":          {lists(inter.list(nil), twin.list(delta, 77)), passed, ""},
		"good, wrong key id and its own key": {lists(inter.list(nil), disguised.list(plain, 77)), failed, "keyCompromise"},
		// One that is not taken in full casts doubt on what is older, and on nothing else.
		"newer delta":              {lists(inter.list(nil), inter.list(newer(delta))), notEvaluated, "delta list"},
		"newer delta takes it off": {lists(inter.list(nil), inter.list(newer(removing), 77)), notEvaluated, "a complete list of that day or later, which is at"},
		"newer some reasons":       {lists(inter.list(nil), inter.list(newer(idp(tlv(0x83, []byte{1, 0x40}))))), notEvaluated, "reasons"},
		"newer unknown critical":   {lists(inter.list(newer(strange)), inter.list(nil)), notEvaluated, "critical"},
		"newer, and good anew":     {lists(inter.list(nil), inter.list(newer(delta)), inter.list(newer(plain))), passed, ""},
		"newer, and a good answer": {both(lists(inter.list(newer(delta))), inter.answer(leaf, ocsp.Good, nil, nil, nil)), passed, ""},
		"newer part of another":    {lists(inter.list(nil), inter.list(newer(idp(pointAt("http://ca.example/2.crl"))))), passed, ""},
		"newer attributes only":    {lists(inter.list(nil), inter.list(newer(idp(tlv(0x85, yes))))), passed, ""},
		"good, future has it":      {lists(inter.list(nil), inter.list(future, 77)), notEvaluated, "after the time judged at, but it has the serial number"},
		"good, future has it not":  {lists(inter.list(nil), inter.list(future)), passed, ""},
		"good, revoked answer of the future": {both(lists(inter.list(nil)), inter.answer(leaf, ocsp.Revoked, func(r *ocsp.Response) {
			r.ThisUpdate = judged.Add(time.Hour)
		}, nil, nil)), notEvaluated, "after the time"},
		"CA on a delta of the root":       {lists(inter.list(nil), root.list(delta, inter.cert.SerialNumber.Int64())), failed, "on the path"},
		"CA on a future list of the root": {lists(inter.list(nil), root.list(future, inter.cert.SerialNumber.Int64())), notEvaluated, "on the path"},

		"CA revoked":            {lists(inter.list(nil), root.list(nil, inter.cert.SerialNumber.Int64())), failed, "“CN=Issuing CA,C=BE” on the path"},
		"CA not revoked":        {lists(inter.list(nil), root.list(nil, 3)), passed, ""},
		"stale list of the CAs": {lists(inter.list(nil), root.list(staleList)), passed, ""},

		"good answer":       {answers(inter.answer(leaf, ocsp.Good, nil, nil, nil)), passed, ""},
		"revoked answer":    {answers(inter.answer(leaf, ocsp.Revoked, nil, nil, nil)), failed, "(superseded)"},
		"unknown answer":    {answers(inter.answer(leaf, ocsp.Unknown, nil, nil, nil)), notEvaluated, "does not know"},
		"stale answer":      {answers(inter.answer(leaf, ocsp.Good, ocspLater, nil, nil)), notEvaluated, "stale"},
		"stale and revoked": {answers(inter.answer(leaf, ocsp.Revoked, ocspLater, nil, nil)), failed, "revoked"},
		"answer of the future": {answers(inter.answer(leaf, ocsp.Good, func(r *ocsp.Response) {
			r.ThisUpdate = judged.Add(time.Hour)
		}, nil, nil)), notEvaluated, "after the time"},
		"about another":             {answers(inter.answer(root.issue(func(c *x509.Certificate) { c.SerialNumber = big.NewInt(8) }), ocsp.Good, nil, nil, nil)), notEvaluated, "none of the lists"},
		"about another CA's":        {answers(other.answer(leaf, ocsp.Good, nil, nil, nil)), notEvaluated, "none of the lists"},
		"namesake CA answers":       {answers(twin.answer(leaf, ocsp.Good, nil, nil, nil)), notEvaluated, "none of the lists"},
		"forged answer":             {answers(forgedAnswer()), failed, "signature"},
		"delegated responder":       {answers(inter.answer(leaf, ocsp.Good, nil, responder(nil), testKey())), passed, ""},
		"the CA's own certificate":  {answers(inter.answer(leaf, ocsp.Good, nil, inter.cert, inter.key)), passed, ""},
		"any certificate of the CA": {answers(inter.answer(leaf, ocsp.Good, nil, leaf, testKey())), failed, "OCSPSigning"},
		"responder of another CA":   {answers(inter.answer(leaf, ocsp.Good, nil, other.cert, other.key)), failed, "did not certify"},
		"expired responder": {answers(inter.answer(leaf, ocsp.Good, nil, responder(func(c *x509.Certificate) {
			c.NotAfter = t0.AddDate(0, 1, 0)
		}), testKey())), notEvaluated, "not valid"},
		"good list, revoked answer": {both(lists(inter.list(nil)), inter.answer(leaf, ocsp.Revoked, nil, nil, nil)), failed, "superseded"},
		"stale list, good answer":   {both(lists(inter.list(staleList)), inter.answer(leaf, ocsp.Good, nil, nil, nil)), passed, ""},
		"SHA-256 names":             {answers(inter.answer(leaf, ocsp.Good, func(r *ocsp.Response) { r.IssuerHash = 5 }, nil, nil)), passed, ""},
	} {
		t.Run(name, func(t *testing.T) {
			o, f := ruling(t, "EFGS-602", leaf, test.ev)
			if o.state != test.state || !strings.Contains(f.Message, test.says) {
				t.Errorf("state %d, want %d; finding %+v must say %q", o.state, test.state, f, test.says)
			}
			if want := strings.HasPrefix(name, "stale") && o.state == notEvaluated; (f.Severity == SeverityWarning) != want {
				t.Errorf("severity %s", f.Severity)
			}
		})
	}
}

// withKeyID is the same CA, whose lists say that another key signed them.
func (a *authority) withKeyID(id []byte) *authority {
	c := *a.cert
	c.SubjectKeyId = id
	return &authority{a.t, &c, a.key}
}

// tampered reads a list with one bit of its signature changed.
func tampered(der []byte) []*CRL {
	der[len(der)-1] ^= 1
	lists, err := ReadCRLs("list.crl", der)
	if err != nil {
		panic(err)
	}
	return lists
}

// A list that its issuer was not allowed to sign is not taken. If it has the serial
// number, nothing else is either.
func TestRevocationMute(t *testing.T) {
	root := newAuthority(t, "Root", nil, nil)
	mute := newAuthority(t, "Mute CA", root, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCertSign })
	leaf := mute.issue(nil)
	speaker := *mute.cert
	speaker.KeyUsage |= x509.KeyUsageCRLSign
	signing := &authority{t, &speaker, mute.key}
	for _, test := range []struct {
		serial int64
		newer  time.Duration
		state  state
	}{{77, 0, notEvaluated}, {76, time.Minute, notEvaluated}, {76, -24 * time.Hour, passed}} {
		ev := evidence(t, rootsOf(t, root.cert), mute)
		answer := mute.answer(leaf, ocsp.Good, nil, nil, nil)
		ev.OCSP = []*OCSP{answer}
		ev.CRLs = signing.list(func(l *x509.RevocationList) { l.ThisUpdate = judged.AddDate(0, 0, -1).Add(test.newer) }, test.serial)
		if o, f := ruling(t, "EFGS-602", leaf, ev); o.state != test.state {
			t.Errorf("%+v: state %d; %s", test, o.state, f.Message)
		}
	}
}

// Without a path good is not believed; revoked is, since the CA that signed says so.
func TestRevocationWithoutPath(t *testing.T) {
	_, inter, other := authorities(t)
	leaf := inter.issue(nil)
	for name, test := range map[string]struct {
		ev    *Evidence
		state state
		says  string
	}{
		"no roots, good":    {evidence(t, nil, inter), notEvaluated, "EFGS-601"},
		"other root, good":  {evidence(t, rootsOf(t, other.cert), inter), notEvaluated, "EFGS-601"},
		"issuer not given":  {evidence(t, rootsOf(t, other.cert)), notEvaluated, "issuer's certificate is not given"},
		"no roots, revoked": {evidence(t, nil, inter), failed, "revoked"},
	} {
		t.Run(name, func(t *testing.T) {
			serial := int64(1)
			if test.state == failed {
				serial = 77
			}
			test.ev.CRLs = inter.list(nil, serial)
			if o, f := ruling(t, "EFGS-602", leaf, test.ev); o.state != test.state || !strings.Contains(f.Message, test.says) {
				t.Errorf("state %d, want %d; finding %+v must say %q", o.state, test.state, f, test.says)
			}
		})
	}
}

// withoutEnd is a list without nextUpdate, which crypto/x509 does not make.
func withoutEnd(t *testing.T, a *authority) []byte {
	t.Helper()
	alg := algID(oidECDSASHA256, nil)
	tbs := seq(integer(1), alg, a.cert.RawSubject, utcTime(judged.AddDate(0, 0, -1)))
	return seq(tbs, alg, bitString(a.sign(tbs)))
}

// indirectEntry names another issuer in an entry.
func indirectEntry(l *x509.RevocationList) {
	l.RevokedCertificateEntries[0].ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 29}, Critical: true, Value: seq(tlv(0xa4, name("CN=Other")))}}
}

func TestReadEvidenceRefuses(t *testing.T) {
	root, _, _ := authorities(t)
	list := root.listDER(nil)
	tryLater := []byte{0x30, 3, 0x0a, 1, 3}
	read := map[string]func([]byte) error{
		"roots": func(b []byte) error { _, err := ReadRoots("f", b); return err },
		"crl":   func(b []byte) error { _, err := ReadCRLs("f", b); return err },
		"ocsp":  func(b []byte) error { _, err := ReadOCSP("f", b); return err },
	}
	for kind, bad := range map[string][][]byte{
		"roots": {nil, []byte("nothing"), list, append(toPEM("CERTIFICATE", root.cert.Raw), toPEM("EC PRIVATE KEY", []byte{1})...)},
		"crl":   {nil, []byte("nothing"), root.cert.Raw, toPEM("CERTIFICATE", root.cert.Raw), list[:len(list)-1], append(append([]byte{}, list...), 0), toPEM("X509 CRL", list[:9])},
		"ocsp":  {nil, []byte("nothing"), list, tryLater, {0x30, 3, 0x0a, 1, 0}},
	} {
		for i, data := range bad {
			if err := read[kind](data); !errors.Is(err, ErrEvidence) {
				t.Errorf("%s %d: %v", kind, i, err)
			}
		}
	}
	good := toPEM("X509 CRL", list)
	cut := toPEM("X509 CRL", list[:len(list)-9])
	for name, test := range map[string]struct {
		data   []byte
		lists  int
		noList bool
		says   string
	}{
		"indented":              {bytes.ReplaceAll(good, []byte("\n"), []byte("\n  ")), 1, false, ""},
		"CR line ends":          {append(good[:len(good):len(good)], bytes.ReplaceAll(good, []byte("\n"), []byte("\r"))...), 2, false, ""},
		"joined":                {append(bytes.TrimSpace(good), good...), 2, false, ""},
		"another label":         {toPEM("REVOCATION", list), 1, false, ""},
		"base64 alone":          {[]byte(base64.StdEncoding.EncodeToString(list)), 1, false, ""},
		"UTF-8 mark":            {append([]byte("\xef\xbb\xbf"), good...), 1, false, ""},
		"beside a certificate":  {append(toPEM("CERTIFICATE", root.cert.Raw), good...), 1, false, ""},
		"certificates alone":    {toPEM("CERTIFICATE", root.cert.Raw, root.cert.Raw), 0, true, ""},
		"cut behind good":       {append(good[:len(good):len(good)], cut...), 0, false, "f: line "},
		"cut, another label":    {toPEM("REVOCATION", list[:len(list)-9]), 0, false, "f: line 1: "},
		"no base64":             {[]byte("-----BEGIN X509 CRL-----\n!\n-----END X509 CRL-----\n"), 0, false, "f: line 1: "},
		"base64 behind good":    {append(good[:len(good):len(good)], base64.StdEncoding.EncodeToString(list)...), 0, false, "base64 beside"},
		"broken marker, behind": {append(good[:len(good):len(good)], "-BEGIN X509 CRL-\n"...), 0, false, "BEGIN marker"},
		"DER, cut":              {list[:len(list)-1], 0, false, "f: "},
		"JSON and CRL":          {[]byte(`{"CRL": 1}`), 0, true, ""},
	} {
		lists, err := ReadCRLs("f", test.data)
		if len(lists) != test.lists || (err == nil) != (test.lists > 0) || errors.Is(err, ErrNoList) != test.noList || err != nil && !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %d lists, %v", name, len(lists), err)
		}
	}
	if lists, err := ReadCRLs("f", append([]byte("a line\n"), toPEM("X509 CRL", list, list)...)); err != nil || len(lists) != 2 {
		t.Errorf("two lists in PEM: %d, %v", len(lists), err)
	}
}
