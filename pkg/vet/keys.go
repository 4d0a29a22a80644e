package vet

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/sigalg"
)

const fixNewKey = "make a new key pair for each certificate: " + fixRSA

// keyRules: one key, one purpose, Governance 2.3 and 2.4; and that a self-issued certificate is whole.
func keyRules() []Rule {
	return []Rule{{
		ID: "EFGS-501", Name: "key-not-shared", Clause: "Governance 2.3", Roles: []Role{NBTLS, NBBS}, Path: pathSPKI, NeverWaivable: true,
		Title: "the key is not that of another certificate, role or member state",
		Why:   "2.3: a new asymmetric key pair; they shall not reuse the TLS authentication key pair",
		Fix:   fixNewKey,
		Good:  "NBTLS and NBBS with a key each", Bad: "one key in both",
		check: keyNotShared,
	}, {
		ID: "EFGS-503", Name: "ta-distinct", Clause: "Governance 2.4", Roles: []Role{EFGSTLS, EFGSTA}, Path: pathSPKI, NeverWaivable: true,
		Title: "the EFGSTA and the EFGSTLS have keys of their own",
		Why:   "2.4: two digital certificates with two distinct key pairs; the EFGSTA's is kept offline",
		Fix:   fixNewKey,
		Good:  "a key each", Bad: "one key in both",
		check: keyNotShared,
	}, {
		ID: "EFGS-603", Name: "self-signature", Clause: "Governance 2.3", Roles: []Role{NBBS, EFGSTA}, Path: "signatureValue", NeverWaivable: true,
		Title: "the signature of a self-issued certificate verifies with its own key",
		Why:   "otherwise the certificate was altered, or never made by whoever holds the key",
		Fix:   "send the certificate as it was made, or make a new one",
		Good:  "a certificate as openssl req -x509 wrote it", Bad: "the same with one byte changed",
		check: selfSignature,
	}}
}

func keyNotShared(x *exam) outcome {
	if x.Others == nil {
		return unknown("there is no other certificate to compare the key with (--with FILE)")
	}
	if len(x.c.SPKI) == 0 {
		return unknown("the public key cannot be read")
	}
	var problems []problem
	for _, o := range x.Others {
		if o.Certificate == nil || x.isSelf(o) || !sameKey(x.c, o.Certificate) || x.isRenewal(o) {
			continue
		}
		problems = append(problems, problem{msg: "the key is also that of " + o.label()})
	}
	return passUnless(problems)
}

// isSelf: the same certificate in the same place. In another role or for another member state it is shared.
func (x *exam) isSelf(o Known) bool {
	return len(x.c.Raw) > 0 && bytes.Equal(x.c.Raw, o.Certificate.Raw) && x.samePlace(o)
}

// isRenewal: another certificate of the same role and member state; whether it needs a fresh key is a rule of 3.4.
func (x *exam) isRenewal(o Known) bool {
	return x.Role != "" && x.Role == o.Role && x.samePlace(o)
}

func (x *exam) samePlace(o Known) bool {
	if x.Role != "" && o.Role != "" && x.Role != o.Role {
		return false
	}
	country := x.Country
	if cs := x.c.Countries(); country == "" && len(cs) == 1 {
		country = cs[0]
	}
	return country == "" || o.Country == "" || country == o.Country
}

func (o Known) label() string {
	if o.Source != "" {
		return o.Source
	}
	t := o.Certificate.Thumbprint().String()
	return strings.TrimSpace(fmt.Sprintf("%s %s %s…", o.Country, strings.ToUpper(string(o.Role)), cert.ShortHex(t)))
}

// sameKey compares the keys themselves, so that another encoding of the same key
// (id-RSASSA-PSS, explicit parameters, a compressed point) is still the same.
func sameKey(a, b *cert.Certificate) bool {
	if len(a.SPKI) > 0 && bytes.Equal(a.SPKI, b.SPKI) {
		return true
	}
	k, l := a.PublicKey, b.PublicKey
	switch {
	case k == nil || l == nil:
		return false
	case k.N != nil && l.N != nil:
		return k.N.Cmp(l.N) == 0
	case len(k.Point) > 0 && len(l.Point) > 0:
		return bytes.Equal(abscissa(k), abscissa(l))
	case k.Y != nil && l.Y != nil && k.P != nil && l.P != nil:
		return k.Y.Cmp(l.Y) == 0 && k.P.Cmp(l.P) == 0
	}
	return false
}

// abscissa is the x coordinate of an encoded point. Two points that share it are a key and its negative.
func abscissa(k *sigalg.PublicKey) []byte {
	p := k.Point
	switch {
	case len(p) > 1 && (p[0] == 2 || p[0] == 3):
		return p[1:]
	case len(p) > 2 && len(p)%2 == 1:
		return p[1 : 1+len(p)/2]
	}
	return p
}

func selfSignature(x *exam) outcome {
	if !x.c.SelfIssued() {
		return skip()
	}
	err := x.c.CheckSelfSignature()
	switch {
	case err == nil:
		return pass()
	case errors.Is(err, sigalg.ErrUnsupported):
		return unknown("the signature cannot be checked: %v", err)
	}
	return fail("the signature does not verify with the certificate's own key")
}
